//! What must never be in a log, whatever happens: canaries go through a whole journey, and
//! nobody may find them afterwards.

use serde_json::json;

use crate::support::{Shop, Store, get, log_line, patch, post};

#[tokio::test]
async fn a_whole_journey_leaves_no_secret_in_the_log() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    let server = &shop.server;
    let consumer = shop
        .place
        .token("consumer", "canary-consumer@example.com")
        .await;
    let register = post("/api/marketplace/auth/register").by(&consumer);
    let register = register.json(json!({"name": "Canary Name"}));
    server.send(register).await.assert_ok(201);

    let body = json!({
        "baseModelId": shop.base_model, "title": "Canary Title", "slug": "canary-slug",
        "configOverrides": {
            "promptPrefix": "canary-prefix ", "promptSuffix": " canary-suffix",
            "hiddenFields": ["style"], "secretInputs": {"style": "canary-hidden"},
        },
    });
    let draft = post("/api/studio/tars-models").by(&shop.developer);
    let id = server
        .send(draft.clone().json(body.clone()))
        .await
        .assert_ok(201)
        .id();
    shop.publish(&id).await;
    assert!(server.shown("canary-slug").await.is_some());
    let page = get("/api/marketplace/models?search=canary-search");
    server.send(page).await.assert_ok(200);

    // Failures talk more than successes.
    let taken = server.send(draft.clone().json(body)).await;
    taken.assert_failed(409, "ERR_5501");
    let wrong = draft.json(json!({"title": 7, "canary-field": "canary-value"}));
    server.send(wrong).await.assert_failed(400, "ERR_1001");
    let forged = get("/api/studio/auth/me").by("canary.forged.token");
    server.send(forged).await.assert_failed(401, "ERR_2001");
    let nowhere = get("/canary-path?q=canary-query");
    server.send(nowhere).await.assert_failed(404, "ERR_1002");
    let other = patch(format!("/api/studio/tars-models/{id}")).by(&consumer);
    let other = other.json(json!({"title": "Canary Theft"}));
    server.send(other).await.assert_failed(401, "ERR_2001");
    store.close();
    let lost = patch(format!("/api/studio/tars-models/{id}")).by(&shop.developer);
    let lost = lost.json(json!({"title": "Canary Outage"}));
    server.send(lost).await.assert_failed(503, "ERR_1005");
    store.open();

    let tokens = [&shop.admin, &shop.developer, &consumer];
    let tokens: Vec<String> = tokens.map(Clone::clone).into();
    let said = shop.server.stop("INT").await.assert_code(0);
    let log = format!("{}{}", said.out, said.err);
    assert_is_the_journeys(&log);
    for line in log.to_lowercase().lines() {
        assert!(!line.contains("canary"), "{line}");
        assert!(!line.contains("example.com"), "{line}");
        assert!(!line.contains("anime"), "{line}");
        for token in &tokens {
            let parts = token.to_lowercase();
            // The header is the same for all; payload and signature are what must not be seen.
            for part in parts.split('.').skip(1) {
                assert!(!line.contains(part), "{line}");
            }
        }
    }
}

/// The log must be that of the journey: every line JSON, a line for each request, routes as
/// templates.
fn assert_is_the_journeys(log: &str) {
    let mut requests = Vec::new();
    for line in log.lines() {
        let Some(line) = log_line(line) else {
            panic!("no JSON: {line}");
        };
        if let Some(route) = line["route"].as_str() {
            requests.push((route.to_owned(), line["status"].as_u64().unwrap()));
        }
    }
    let expected = [
        ("/api/marketplace/models/{slug}", 200),
        ("/api/studio/tars-models", 409),
        ("/api/studio/tars-models", 400),
        ("/api/studio/tars-models/{id}", 503),
        ("unknown", 404),
    ];
    for (route, status) in expected {
        let found = (route.to_owned(), status);
        assert!(requests.contains(&found), "{found:?}: {requests:#?}");
    }
}
