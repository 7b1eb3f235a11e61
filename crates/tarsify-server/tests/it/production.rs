//! Production among strangers: what it demands, what it refuses, and who gets in.

use serde_json::json;

use crate::support::{
    Firebase, Place, Server, Store, base_model_body, claims, endpoint_body, get, patch, post,
    signed_token, tars_model_body,
};

#[tokio::test]
async fn everything_that_is_missing_is_told_in_one_report() {
    let place = Place::in_bare_production()
        .with("TARSIFY_DATA_DIR", "somewhere")
        .with("FIREBASE_AUTH_EMULATOR_HOST", "localhost:9099");
    for command in [&["serve"][..], &["migrate"], &["doctor"]] {
        let said = place.run(command).await.assert_code(2);
        said.assert_complains(&[
            "DATABASE_URL",
            "FIREBASE_USERS_PROJECT_ID",
            "FIREBASE_DEVS_PROJECT_ID",
            "local.data_dir",
            "identity.firebase_emulator_host",
        ]);
    }
}

#[tokio::test]
async fn a_journey_of_all_three_with_tokens_of_two_firebase_projects() {
    let (store, firebase) = (Store::migrated().await, Firebase::start().await);
    let place = Place::in_production(&store, &firebase).with("ADMIN_UIDS", "uid-ada");
    let server = place.serve().await;
    let admin = signed_token(&claims(Firebase::DEVELOPERS, "uid-ada"));
    let developer = signed_token(&claims(Firebase::DEVELOPERS, "uid-grace"));
    let consumer = signed_token(&claims(Firebase::USERS, "uid-ann"));

    let base_model = stock(&server, &admin).await;
    sell(&server, &developer, &base_model).await;
    let model = server.shown("anime").await.unwrap();
    assert_eq!(model["title"], "Anime Generator");

    let me = get("/api/marketplace/auth/me").by(&consumer);
    let unknown = server.send(me.clone()).await;
    unknown.assert_failed(404, "ERR_3000");
    let register = post("/api/marketplace/auth/register").by(&consumer);
    server.send(register).await.assert_ok(201);
    let profile = server.send(me).await.assert_ok(200);
    assert_eq!(profile.data()["email"], "uid-ann@example.com");
    let safe = profile.header("strict-transport-security");
    assert!(safe.unwrap().starts_with("max-age="), "{profile:#?}");

    // The uid of an administrator is one in the developers' project only.
    let impostor = signed_token(&claims(Firebase::USERS, "uid-ada"));
    let refused = server.send(get("/api/admin/endpoints").by(&impostor)).await;
    refused.assert_failed(401, "ERR_2001");
    let refused = server
        .send(get("/api/admin/endpoints").by(&developer))
        .await;
    refused.assert_failed(403, "ERR_2003");
}

/// The administrator registers an endpoint, changes it, and puts a base model on it.
async fn stock(server: &Server, admin: &str) -> String {
    let add = post("/api/admin/endpoints").by(admin);
    let added = server.send(add.json(endpoint_body("ep-sdxl"))).await;
    let endpoint = added.assert_ok(201).id();
    let rename = patch(format!("/api/admin/endpoints/{endpoint}")).by(admin);
    let renamed = server.send(rename.json(json!({"name": "SDXL"}))).await;
    assert_eq!(renamed.assert_ok(200).data()["name"], "SDXL");
    let add = post("/api/admin/base-models").by(admin);
    let added = server.send(add.json(base_model_body(&endpoint))).await;
    added.assert_ok(201).id()
}

/// The developer registers, makes a model and publishes it.
async fn sell(server: &Server, developer: &str, base_model: &str) {
    let register = post("/api/studio/auth/register").by(developer);
    server.send(register).await.assert_ok(201);
    let draft = post("/api/studio/tars-models").by(developer);
    let drafted = server.send(draft.json(tars_model_body(base_model, "anime")));
    let model = drafted.await.assert_ok(201).id();
    let publish = post(format!("/api/studio/tars-models/{model}/publish")).by(developer);
    server.send(publish).await.assert_ok(200);
}

#[tokio::test]
async fn nothing_local_is_there() {
    let (store, firebase) = (Store::migrated().await, Firebase::start().await);
    let place = Place::in_production(&store, &firebase);
    let server = place.serve().await;
    let keys = server.send(get("/local/jwks.json")).await;
    keys.assert_failed(404, "ERR_1002");
    let token = Place::empty().token("admin", "ada@example.com").await;
    let refused = server.send(get("/api/admin/endpoints").by(&token)).await;
    refused.assert_failed(401, "ERR_2001");
    let said = place.run(&["token", "consumer"]).await;
    said.assert_code(1).assert_one_line(&["Firebase"]);
    assert!(!place.path().join(".tarsify").exists());
}

#[tokio::test]
async fn tokens_cannot_be_checked_without_keys_but_the_market_is_open() {
    let store = Store::migrated().await;
    let place = Place::in_production(&store, &Firebase::unreachable());
    let server = place.serve().await;
    let token = signed_token(&claims(Firebase::USERS, "uid-ann"));
    let me = get("/api/marketplace/auth/me").by(&token);
    let refused = server.send(me).await.assert_failed(503, "ERR_1005");
    assert!(refused.header("retry-after").is_some(), "{refused:#?}");
    server.send(get("/health/ready")).await.assert_ok(200);
    server
        .send(get("/api/marketplace/models"))
        .await
        .assert_ok(200);
}
