//! `tarsify seed` beside administrators: it adds, and never undoes.

use serde_json::{Value, json};

use crate::support::{Place, Server, Store, get, patch};

/// The endpoints as administrators see them.
async fn endpoints(server: &Server, admin: &str) -> Vec<Value> {
    let all = get("/api/admin/endpoints?limit=100").by(admin);
    let all = server.send(all).await.assert_ok(200);
    all.data().as_array().unwrap().clone()
}

async fn endpoint_called(server: &Server, admin: &str, provider_id: &str) -> Option<Value> {
    let all = endpoints(server, admin).await;
    all.into_iter()
        .find(|endpoint| endpoint["runpodEndpointId"] == provider_id)
}

#[tokio::test]
async fn seeding_again_changes_nothing_that_somebody_changed() {
    let store = Store::migrated().await;
    let place = Place::on(&store).with("RUNPOD_EP_SDXL", "ep-mine");
    place.run(&["seed"]).await.assert_code(0);
    let server = place.serve().await;
    let admin = place.token("admin", "ada@example.com").await;
    let before = endpoint_called(&server, &admin, "ep-mine").await.unwrap();
    assert_eq!(before["isActive"], true);
    let address = format!("/api/admin/endpoints/{}", before["id"].as_str().unwrap());
    let change = json!({"name": "Mine", "isActive": false});
    let changed = patch(address).by(&admin).json(change);
    server.send(changed).await.assert_ok(200);
    let before = endpoints(&server, &admin).await;

    let said = place.run(&["seed"]).await.assert_code(0);
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!(lines.len(), 12, "{said:#?}");
    assert!(
        lines.iter().all(|line| line.ends_with("kept as it is")),
        "{said:#?}"
    );
    assert_eq!(endpoints(&server, &admin).await, before);
    assert_eq!(store.sql("SELECT count(*) FROM base_models"), "6");
}

#[tokio::test]
async fn an_id_that_comes_later_switches_an_untouched_placeholder_on() {
    let store = Store::migrated().await;
    let mut place = Place::on(&store);
    place.run(&["seed"]).await.assert_code(0);
    let server = place.serve().await;
    let admin = place.token("admin", "ada@example.com").await;
    for endpoint in endpoints(&server, &admin).await {
        assert_eq!(endpoint["isActive"], false, "{endpoint:#}");
    }
    // An administrator gives one of them its id himself.
    let his = endpoint_called(&server, &admin, "placeholder-vllm").await;
    let address = format!(
        "/api/admin/endpoints/{}",
        his.unwrap()["id"].as_str().unwrap()
    );
    let change = patch(address).by(&admin);
    let change = change.json(json!({"runpodEndpointId": "ep-his"}));
    server.send(change).await.assert_ok(200);

    place.set("RUNPOD_EP_SDXL", "ep-sdxl");
    place.set("RUNPOD_EP_VLLM", "ep-vllm");
    let said = place.run(&["seed"]).await.assert_code(0);
    assert!(said.out.contains("endpoint sdxl: switched on"), "{said:#?}");
    assert!(
        said.out.contains("endpoint vllm: kept as it is"),
        "{said:#?}"
    );
    let on = endpoint_called(&server, &admin, "ep-sdxl").await.unwrap();
    assert_eq!(on["isActive"], true);
    let his = endpoint_called(&server, &admin, "ep-his").await.unwrap();
    assert_eq!(his["isActive"], false);
    assert_eq!(endpoint_called(&server, &admin, "ep-vllm").await, None);
}

#[tokio::test]
async fn two_seeds_at_once_seed_once() {
    let store = Store::migrated().await;
    let place = Place::on(&store);
    let (one, two) = tokio::join!(place.run(&["seed"]), place.run(&["seed"]));
    one.assert_code(0);
    two.assert_code(0);
    assert_eq!(store.sql("SELECT count(*) FROM endpoints"), "6");
    assert_eq!(store.sql("SELECT count(*) FROM base_models"), "6");
}

#[tokio::test]
async fn a_catalogue_with_faults_is_refused_whole() {
    let store = Store::migrated().await;
    let place = Place::on(&store);
    let catalogue = r#"
[[endpoint]]
key = "one"
name = "One"
gpu_type = "A GPU"
source = "HUB"
placeholder = "one"

[[base_model]]
endpoint = "two"
slug = "Bad Slug"
name = "Bad"
category = "SMELL"
"#;
    place.write("mine.toml", catalogue);
    let said = place.run(&["seed", "--file", "mine.toml"]).await;
    said.assert_code(1)
        .assert_complains(&["mine.toml", "slug", "category", "input_schema"]);
    assert_eq!(store.sql("SELECT count(*) FROM endpoints"), "0");

    place.write("mine.toml", "[[endpoint]]\nkey = one\n");
    let said = place.run(&["seed", "--file", "mine.toml"]).await;
    said.assert_code(1)
        .assert_complains(&["mine.toml", "line 2"]);
    let said = place.run(&["seed", "--file", "nowhere.toml"]).await;
    said.assert_code(1).assert_one_line(&["nowhere.toml"]);
}
