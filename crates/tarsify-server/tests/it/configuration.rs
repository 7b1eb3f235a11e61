//! What a person sees of the configuration, and of its faults.

use serde_json::Value;

use crate::support::Place;

#[tokio::test]
async fn a_broken_file_is_told_with_its_name_and_line() {
    let place = Place::empty().with("TARSIFY_CONFIG", "shop.toml");
    place.write("shop.toml", "[server]\nport = 8080\nhost = oops\n");
    let said = place.run(&["serve"]).await.assert_code(2);
    said.assert_complains(&["shop.toml", "line 3"]);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told() {
    let place = Place::empty().with("TARSIFY_CONFIG", "nowhere.toml");
    let said = place.run(&["config"]).await.assert_code(2);
    said.assert_complains(&["TARSIFY_CONFIG", "nowhere.toml"]);
}

#[tokio::test]
async fn all_faults_of_all_layers_come_together() {
    let place = Place::empty()
        .with("TARSIFY_CONFIG", "shop.toml")
        .with("PORT", "eighty")
        .with("TARSIFY__DATABASE__POOLSIZE", "3")
        .with("DATABASE_URL", "mysql://root:hunter2@db/shop");
    place.write("shop.toml", "[server]\nhosst = \"127.0.0.1\"\n");
    let said = place.run(&["serve"]).await.assert_code(2);
    let said = said.assert_complains(&[
        "server.hosst",
        "server.host?",
        "PORT",
        "TARSIFY__DATABASE__POOL_SIZE",
        "DATABASE_URL",
    ]);
    assert!(!said.err.contains("hunter2"), "{said:#?}");
}

#[tokio::test]
async fn the_effective_one_shows_sources_and_hides_passwords() {
    let place = Place::empty()
        .with("DATABASE_URL", "postgresql://shop:hunter2@db/shop")
        .with("TARSIFY_CONFIG", "shop.toml")
        .with("PORT", "9000");
    place.write("shop.toml", "[market]\npoll_ms = 250\n");
    let said = place.run(&["config", "--json"]).await.assert_code(0);
    assert!(!said.out.contains("hunter2"), "{said:#?}");
    let shown: Value = serde_json::from_str(&said.out).unwrap();
    let url = &shown["database"]["url"];
    assert_eq!(url["value"], "postgresql://shop:***@db/shop");
    assert_eq!(url["source"], "DATABASE_URL");
    assert_eq!(shown["server"]["port"]["value"], 9000);
    assert_eq!(shown["server"]["port"]["source"], "PORT");
    let file = shown["market"]["poll_ms"]["source"].as_str().unwrap();
    assert!(file.ends_with("shop.toml"), "{file}");
    assert_eq!(shown["log"]["level"]["source"], "default.toml");

    let said = place.run(&["config"]).await.assert_code(0);
    assert!(!said.out.contains("hunter2"), "{said:#?}");
    assert!(said.out.contains("database.url"), "{said:#?}");
}

#[tokio::test]
async fn development_does_not_open_itself_to_other_machines() {
    let mut place = Place::empty().with("TARSIFY__SERVER__HOST", "0.0.0.0");
    let said = place.run(&["serve", "--port", "0"]).await.assert_code(2);
    said.assert_complains(&["server.host", "TARSIFY_ALLOW_PUBLIC_DEVELOPMENT"]);
    place.set("TARSIFY_ALLOW_PUBLIC_DEVELOPMENT", "1");
    place.run(&["config"]).await.assert_code(0);
}
