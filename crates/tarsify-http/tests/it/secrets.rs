//! What a developer keeps to himself never leaves by the market's door, and what only
//! administrators may know never reaches a developer.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::{Fate, Shop, address, base_model_body, endpoint_body, tars_model_body};

const CANARIES: [&str; 6] = [
    "canary-prefix",
    "canary-suffix",
    "canary-secret",
    "canary-hidden",
    "canary-unknown",
    "canary-in-a-list",
];

/// A model in the market whose every secret is a canary.
async fn guarded(shop: &Shop, token: &str) -> (Value, Value) {
    let admin = shop.admin();
    let mut body = endpoint_body("canary-endpoint");
    body["name"] = json!("canary-endpoint-name");
    body["dockerImage"] = json!("canary-docker/image:1");
    let endpoint = shop.post("/api/admin/endpoints").token(&admin).json(&body);
    let endpoint = endpoint.await.data();
    let mut body = base_model_body(&endpoint["id"], "base");
    body["inputSchema"]["properties"]["style"] = json!({
        "type": "string", "default": "plain", "examples": ["plain"],
    });
    body["inputSchema"]["properties"]["tags"] = json!({
        "type": "array", "items": { "type": "string" },
    });
    let base = shop
        .post("/api/admin/base-models")
        .token(&admin)
        .json(&body);
    let base = base.await.data();
    let mut body = tars_model_body(&base["id"], "guarded");
    body["configOverrides"] = json!({
        "promptPrefix": "canary-prefix ",
        "promptSuffix": " canary-suffix",
        "secretInputs": { "apiKey": "canary-secret", "tags": ["canary-in-a-list"] },
        "defaultInputs": { "style": "canary-hidden" },
        "hiddenFields": ["style"],
        "ourNotes": "canary-unknown",
    });
    let model = shop
        .post("/api/studio/tars-models")
        .token(token)
        .json(&body);
    let model = model.await.assert(201, "").data();
    shop.publish(token, &model).await;
    (endpoint, model)
}

#[actix_web::test]
async fn the_market_never_tells_a_developers_secrets() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let (_, model) = guarded(&shop, &token).await;
    let own = shop.get(address(&model)).token(&token).await.text();
    for canary in CANARIES {
        assert!(own.contains(canary), "{canary} is not even stored");
    }
    let consumer = shop.consumer("ada").await;
    let mut told = Vec::new();
    for path in ["/api/marketplace/models", "/api/public/models"] {
        for query in [
            "",
            "?search=canary",
            "?search=guarded",
            "?search=anime&sort=title",
            "?sort=canary-prefix",
            "/guarded",
            "/canary-secret",
        ] {
            let ask = shop.get(format!("{path}{query}"));
            told.push(ask.clone().await);
            told.push(ask.clone().token(&token).await);
            told.push(ask.clone().token(&consumer).await);
            told.push(ask.header("accept", "application/problem+json").await);
        }
        told.push(shop.ask(Method::POST, format!("{path}/guarded")).await);
    }
    let found = told.iter().filter(|reply| reply.status == 200).count();
    assert!(found > 20, "only {found} answers were looked at");
    for reply in told {
        for canary in CANARIES {
            // A caller's own words come back to him in a fault.
            assert!(!reply.text().contains(canary), "{}", reply.text());
            for (name, value) in &reply.headers {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                assert!(!value.contains(canary) || name == "link", "{name}: {value}");
            }
        }
    }
    // A search does not find what is secret, either.
    let found = shop.get("/api/marketplace/models?search=canary").await;
    assert_eq!(found.data(), json!([]));
    let detail = shop.get("/api/marketplace/models/guarded").await.data();
    let shown = detail["inputSchema"]["properties"].as_object().unwrap();
    let shown: Vec<_> = shown.keys().map(String::as_str).collect();
    assert_eq!(shown, ["prompt", "width", "seed"]);
    assert!(detail.get("configOverrides").is_none());
}

#[actix_web::test]
async fn endpoints_are_known_to_administrators_only() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let (endpoint, model) = guarded(&shop, &token).await;
    let own = address(&model);
    let refused = json!({ "configOverrides": { "lockedInputs": { "width": 1 } } });
    let replies = vec![
        shop.get("/api/studio/base-models").token(&token).await,
        shop.get("/api/developer/base-models").token(&token).await,
        shop.get("/api/studio/tars-models/base-models")
            .token(&token)
            .await,
        shop.get("/api/studio/tars-models").token(&token).await,
        shop.get(&own).token(&token).await,
        shop.patch(&own).token(&token).json(&json!({})).await,
        shop.patch(&own).token(&token).json(&refused).await,
        shop.post(format!("{own}/archive")).token(&token).await,
        shop.post(format!("{own}/publish")).token(&token).await,
        shop.get("/api/studio/auth/me").token(&token).await,
        shop.get("/api/marketplace/models").await,
        shop.get("/api/marketplace/models/guarded").await,
        shop.get("/health").await,
    ];
    let id = endpoint["id"].as_str().unwrap();
    for reply in replies {
        let text = reply.text();
        assert!(!text.contains(id), "{text}");
        for secret in ["canary-endpoint", "canary-docker", "NVIDIA", "runpod"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
    // Not even when a publication fails because of it.
    let admin = shop.admin();
    let off = shop.patch(format!("/api/admin/endpoints/{id}"));
    let off = off.token(&admin).json(&json!({ "isActive": false }));
    off.await.assert(200, "");
    shop.post(format!("{own}/archive")).token(&token).await;
    let failed = shop.post(format!("{own}/publish")).token(&token).await;
    failed.assert(503, "ERR_6102");
    assert!(!failed.text().contains(id) && !failed.text().contains("canary"));
}

#[actix_web::test]
async fn a_token_is_never_repeated() {
    let shop = Shop::open().await;
    for path in [
        "/api/marketplace/auth/me",
        "/api/admin/endpoints",
        "/nowhere",
    ] {
        let reply = shop.get(path).token("canary-token").await;
        assert!(!reply.text().contains("canary-token"));
    }
}

/// A provider that answers with everything that it was given, in every way that it can.
#[actix_web::test]
async fn a_run_never_tells_a_developers_secrets() {
    let shop = Shop::open().await;
    let maker = shop.developer("grace").await;
    let (_, model) = guarded(&shop, &maker).await;
    let token = shop.consumer("ada").await;
    let prompt = "canary-prefix my own words canary-suffix";
    let inputs = json!({ "inputs": { "prompt": "my own words" } });
    let mut told = Vec::new();
    let fates = [
        Fate::Echo,
        Fate::Fail(format!(
            "cannot do {prompt} with canary-secret and canary-in-a-list"
        )),
        Fate::Complete(json!({ "canary-secret": [prompt, { "x": "is canary-hidden" }] })),
    ];
    for (number, fate) in fates.into_iter().enumerate() {
        shop.gpu.will(fate);
        let ask = shop
            .post("/api/marketplace/models/guarded/run")
            .token(&token);
        let ask = ask.json(&inputs).header("prefer", "wait=60");
        let run = shop.sent_and_worked(ask, 2 * number + 1).await;
        let id = run.assert(200, "").data()["id"].clone();
        assert_eq!(
            shop.gpu.asked()[2 * number].payload["apiKey"],
            "canary-secret"
        );
        let place = crate::support::run_place(&id);
        told.push(run);
        told.push(shop.get(&place).token(&token).await);
        told.push(shop.get(format!("{place}/status")).token(&token).await);
        told.push(shop.post(format!("{place}/cancel")).token(&token).await);
        let test = shop.post(format!("{}/test-run", address(&model)));
        let test = test.token(&maker).json(&inputs);
        let test = shop.sent_and_worked(test, 2 * number + 2).await;
        let id = test.data()["jobId"].as_str().unwrap().to_owned();
        told.push(test);
        told.push(
            shop.get(format!("/api/studio/runs/{id}"))
                .token(&maker)
                .await,
        );
    }
    told.push(shop.get("/api/marketplace/runs").token(&token).await);
    // A job that works still may tell how far it is; and one may be called off.
    shop.gpu.will(Fate::Stall);
    let ask = shop
        .post("/api/marketplace/models/guarded/run")
        .token(&token);
    let run = ask.json(&inputs).await;
    let cancel = run.data()["links"]["cancel"].as_str().unwrap().to_owned();
    told.push(run);
    told.push(shop.post(cancel).token(&token).await);
    let misfit = json!({ "inputs": { "prompt": 7, "apiKey": "x", "style": "plain", "tags": [] } });
    let ask = shop
        .post("/api/marketplace/models/guarded/run")
        .token(&token);
    told.push(ask.clone().json(&misfit).await);
    let long = json!({ "inputs": { "prompt": "x".repeat(490) } });
    told.push(ask.json(&long).await);
    assert!(told.len() > 20);
    for reply in told {
        for canary in CANARIES {
            assert!(!reply.text().contains(canary), "{canary}: {}", reply.text());
        }
        for (name, value) in &reply.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            assert!(!value.contains("canary"), "{name}: {value}");
        }
    }
}
