//! The schema and the program: `migrate`, `migrate --check`, and servers that refuse to guess.

use crate::support::{Firebase, Place, Store, get, post};

/// What a process says by its exit code whose database needs migrations.
const SCHEMA_BEHIND: i32 = 3;

/// A migration of a version that is yet to be written.
const FROM_THE_FUTURE: &str =
    "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')";

#[tokio::test]
async fn production_waits_for_the_migrations_and_then_serves() {
    let (store, firebase) = (Store::empty().await, Firebase::start().await);
    let place = Place::in_production(&store, &firebase);
    let said = place.run(&["serve", "--port", "0"]).await;
    said.assert_code(SCHEMA_BEHIND)
        .assert_one_line(&["`tarsify migrate`"]);
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(store.sql(tables), "0");

    let said = place.run(&["migrate"]).await.assert_code(0);
    assert!(said.out.starts_with("Ran "), "{said:#?}");
    let server = place.serve().await;
    server.send(get("/health/ready")).await.assert_ok(200);
}

#[tokio::test]
async fn the_check_tells_by_its_exit_code_and_changes_nothing() {
    let (store, firebase) = (Store::empty().await, Firebase::start().await);
    let place = Place::in_production(&store, &firebase);
    for _ in 0..2 {
        let said = place.run(&["migrate", "--check"]).await;
        said.assert_code(SCHEMA_BEHIND)
            .assert_one_line(&["`tarsify migrate`"]);
    }
    place.run(&["migrate"]).await.assert_code(0);
    place.run(&["migrate", "--check"]).await.assert_code(0);
    let said = place.run(&["migrate"]).await.assert_code(0);
    assert_eq!(said.out, "The schema is current.\n");
}

#[tokio::test]
async fn a_schema_of_the_next_release_is_served_and_left_as_it_is() {
    let (store, firebase) = (Store::migrated().await, Firebase::start().await);
    store.sql(FROM_THE_FUTURE);
    store.sql("ALTER TABLE consumers ADD COLUMN favourite_colour text");
    let production = Place::in_production(&store, &firebase);
    let development = Place::on(&store);
    for place in [&production, &development] {
        for command in [&["migrate"][..], &["migrate", "--check"], &["doctor"]] {
            let said = place.run(command).await.assert_code(0);
            assert!(said.out.contains("29990101000000"), "{said:#?}");
            assert!(said.out.contains("newer"), "{said:#?}");
        }
        place.run(&["seed"]).await.assert_code(0);
    }
    let server = development.serve().await;
    server.send(get("/health/ready")).await.assert_ok(200);
    let consumer = development.token("consumer", "ada@example.com").await;
    let register = post("/api/marketplace/auth/register").by(&consumer);
    server.send(register).await.assert_ok(201);
    let said = server.stop("INT").await.assert_code(0);
    said.assert_complains(&["29990101000000", "newer than this program"]);
    let colour = store.sql("SELECT favourite_colour IS NULL FROM consumers");
    assert_eq!(colour, "t");
}

#[tokio::test]
async fn a_running_server_goes_on_while_the_next_version_migrates() {
    let store = Store::migrated().await;
    let server = Place::on(&store).serve().await;
    store.sql(FROM_THE_FUTURE);
    server.send(get("/health/ready")).await.assert_ok(200);
}

#[tokio::test]
async fn development_migrates_by_itself_and_two_at_once_do_not_collide() {
    let store = Store::empty().await;
    let place = Place::on(&store);
    let (one, two) = tokio::join!(place.serve(), place.serve());
    for server in [one, two] {
        server.send(get("/health/ready")).await.assert_ok(200);
    }
}
