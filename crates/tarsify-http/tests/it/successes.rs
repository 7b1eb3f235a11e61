//! The success of every route, as it was read against the contract and accepted.

use std::collections::BTreeSet;

use actix_web::http::Method;
use serde_json::{Value, json};
use tarsify_domain::payments::{CheckoutRef, PaymentEvent, PaymentRef};
use tarsify_domain::people::Realm;
use tarsify_http::routes;

use crate::support::{
    Reply, Shop, address, base_model_body, endpoint_body, snapshot, tars_model_body,
};

fn name(method: &Method, pattern: &str) -> String {
    let path = pattern.replace("/api/", "").replace(['{', '}'], "");
    let path = path.trim_matches('/').replace('/', "_");
    format!("{path}_{}", method.as_str().to_lowercase())
}

/// A walk through all routes, with what was seen on it.
struct Walk {
    shop: Shop,
    seen: BTreeSet<String>,
}

impl Walk {
    async fn begin() -> Self {
        Self {
            shop: Shop::open().await,
            seen: BTreeSet::new(),
        }
    }

    /// Takes the route at its own address and compares the answer with its snapshot. A list
    /// or a thing that is only read must look the same at every other address.
    async fn take(&mut self, step: Step<'_>) -> Reply {
        let Step {
            method,
            pattern,
            id,
            token,
            body,
        } = step;
        let place = format!("{method} {pattern}");
        assert!(self.seen.insert(place.clone()), "{place} was taken before");
        let reply = self.send(&method, &fill(pattern, id), token, body).await;
        snapshot!(name(&method, pattern), reply);
        let table = routes();
        let fits = |route: &&tarsify_http::Route| {
            *route.method() == method && route.paths().next() == Some(pattern)
        };
        let route = table.iter().find(fits).unwrap();
        if method == Method::GET {
            for alias in route.paths().skip(1) {
                let other = self.send(&method, &fill(alias, id), token, None).await;
                assert_eq!(other.text(), reply.text(), "{alias}");
                assert_eq!(other.header("etag"), reply.header("etag"), "{alias}");
            }
        }
        reply
    }

    async fn send(&self, method: &Method, path: &str, token: &str, body: Option<&Value>) -> Reply {
        let mut ask = self.shop.ask(method.clone(), path);
        if !token.is_empty() {
            ask = ask.token(token);
        }
        match body {
            Some(body) => ask.json(body).await,
            None => ask.await,
        }
    }
}

struct Step<'a> {
    method: Method,
    pattern: &'static str,
    id: &'a str,
    token: &'a str,
    body: Option<&'a Value>,
}

const fn step<'a>(method: Method, pattern: &'static str, token: &'a str) -> Step<'a> {
    Step {
        method,
        pattern,
        id: "",
        token,
        body: None,
    }
}

impl<'a> Step<'a> {
    const fn of(mut self, id: &'a str) -> Self {
        self.id = id;
        self
    }

    const fn with(mut self, body: &'a Value) -> Self {
        self.body = Some(body);
        self
    }
}

fn fill(pattern: &str, id: &str) -> String {
    pattern
        .replace("{executionId}/{token}", id)
        .replace("{id}", id)
        .replace("{slug}", id)
}

fn id(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn every_route_answers_as_the_contract_says() {
    let mut walk = Walk::begin().await;
    for path in ["/health", "/health/live", "/health/ready"] {
        walk.take(step(Method::GET, path, "")).await;
    }
    consumer(&mut walk).await;
    let developer = developer(&mut walk).await;
    let (endpoint, base) = administration(&mut walk).await;
    studio(&mut walk, &developer, &base).await;
    let model = market(&mut walk, &developer, &base).await;
    runs(&mut walk).await;
    test_runs(&mut walk, &developer, &model).await;
    executions(&mut walk).await;
    credits(&mut walk).await;
    earnings(&mut walk, &developer, &model).await;
    money_of_others(&mut walk).await;
    limits(&mut walk).await;
    let admin = walk.shop.admin();
    let retire = [
        ("/api/admin/base-models/{id}", id(&base)),
        ("/api/admin/endpoints/{id}", endpoint),
    ];
    for (pattern, id) in &retire {
        let gone = walk
            .take(step(Method::DELETE, pattern, &admin).of(id))
            .await;
        gone.assert(204, "");
        // The deletion is soft.
        let rest = walk.shop.get(fill(pattern, id)).token(&admin).await;
        assert_eq!(rest.data()["isActive"], false);
    }
    // Neither streams nor tokens look the same twice: `live.rs` reads them, as `metrics.rs` does
    // what was measured.
    for place in [
        "GET /metrics",
        "GET /api/marketplace/runs/{id}/events",
        "POST /api/marketplace/runs/{id}/stream-token",
        "GET /api/marketplace/events",
        "GET /api/studio/runs/{id}/events",
        "POST /api/studio/runs/{id}/stream-token",
        "GET /api/admin/events",
    ] {
        assert!(walk.seen.insert(place.to_owned()), "{place}");
    }
    let table: BTreeSet<_> = routes()
        .iter()
        .map(|route| format!("{} {}", route.method(), route.paths().next().unwrap()))
        .collect();
    assert_eq!(walk.seen, table, "a route has no snapshot of its success");
}

async fn limits(walk: &mut Walk) {
    const SETTINGS: &str = "/api/admin/settings";
    let admin = walk.shop.admin();
    walk.take(step(Method::GET, SETTINGS, &admin)).await;
    let put = json!({
        "tiers": [{ "name": "everybody", "minPurchased": 0, "multiplier": 1.5 }],
        "reason": "A crowd is coming.",
    });
    walk.take(step(Method::PUT, SETTINGS, &admin).with(&put))
        .await;
    let patch = json!({ "limits": { "userApi": { "max": 90 } }, "maxConcurrentRuns": 7 });
    walk.take(step(Method::PATCH, SETTINGS, &admin).with(&patch))
        .await;
}

async fn consumer(walk: &mut Walk) {
    let token = walk.shop.token(Realm::Consumers, "ada");
    let body = json!({ "email": "Ada@Example.com", "name": "Ada Lovelace" });
    let register = step(Method::POST, "/api/marketplace/auth/register", &token);
    walk.take(register.with(&body)).await.assert(201, "");
    let patch = json!({ "avatarUrl": "https://example.com/ada.png" });
    let profile = "/api/marketplace/auth/profile";
    walk.take(step(Method::PATCH, profile, &token).with(&patch))
        .await;
    let put = json!({ "name": null });
    walk.take(step(Method::PUT, profile, &token).with(&put))
        .await;
    walk.take(step(Method::GET, "/api/marketplace/auth/me", &token))
        .await;
}

async fn developer(walk: &mut Walk) -> String {
    let token = walk.shop.token(Realm::Developers, "grace");
    walk.take(step(Method::POST, "/api/studio/auth/register", &token))
        .await
        .assert(201, "");
    let body = json!({
        "displayName": "Grace Hopper", "bio": "I make pictures.", "country": "us",
        "payoutEmail": "grace@example.com",
    });
    let complete = step(Method::POST, "/api/studio/auth/complete-profile", &token);
    walk.take(complete.with(&body)).await;
    let patch = json!({ "bio": null, "avatarUrl": "https://example.com/grace.png" });
    let profile = "/api/studio/auth/profile";
    walk.take(step(Method::PATCH, profile, &token).with(&patch))
        .await;
    let put = json!({ "payoutEmail": null });
    walk.take(step(Method::PUT, profile, &token).with(&put))
        .await;
    walk.take(step(Method::GET, "/api/studio/auth/me", &token))
        .await;
    token
}

async fn administration(walk: &mut Walk) -> (String, Value) {
    const ENDPOINTS: &str = "/api/admin/endpoints";
    const ENDPOINT: &str = "/api/admin/endpoints/{id}";
    const MODELS: &str = "/api/admin/base-models";
    const MODEL: &str = "/api/admin/base-models/{id}";
    let admin = walk.shop.admin();
    let body = endpoint_body("ep-sdxl-eu");
    let made = walk.take(step(Method::POST, ENDPOINTS, &admin).with(&body));
    let endpoint = made.await.assert(201, "").data();
    let base = base_model_body(&endpoint["id"], "image-generator");
    let made = walk.take(step(Method::POST, MODELS, &admin).with(&base));
    let base = made.await.assert(201, "").data();
    let (endpoint_id, base_id) = (id(&endpoint), id(&base));
    let patch = json!({ "limits": { "maxPerMinute": 60 }, "dockerImage": null });
    walk.take(
        step(Method::PATCH, ENDPOINT, &admin)
            .of(&endpoint_id)
            .with(&patch),
    )
    .await;
    let put = json!({ "name": "SDXL in Europe, second try", "limits": null });
    walk.take(
        step(Method::PUT, ENDPOINT, &admin)
            .of(&endpoint_id)
            .with(&put),
    )
    .await;
    let patch = json!({ "description": null });
    walk.take(step(Method::PATCH, MODEL, &admin).of(&base_id).with(&patch))
        .await;
    let put = json!({ "description": "Pictures from words, with SDXL." });
    walk.take(step(Method::PUT, MODEL, &admin).of(&base_id).with(&put))
        .await;
    for (one, all, id) in [
        (ENDPOINT, ENDPOINTS, &endpoint_id),
        (MODEL, MODELS, &base_id),
    ] {
        walk.take(step(Method::GET, one, &admin).of(id)).await;
        walk.take(step(Method::GET, all, &admin)).await;
    }
    (endpoint_id, base)
}

async fn studio(walk: &mut Walk, token: &str, base: &Value) {
    const ALL: &str = "/api/studio/tars-models";
    const ONE: &str = "/api/studio/tars-models/{id}";
    for path in [
        "/api/studio/base-models",
        "/api/studio/tars-models/base-models",
    ] {
        walk.take(step(Method::GET, path, token)).await;
    }
    let body = tars_model_body(&base["id"], "anime-generator");
    let made = walk.take(step(Method::POST, ALL, token).with(&body)).await;
    let model = id(&made.assert(201, "").data());
    let patch = json!({ "title": "Anime Generator 2", "description": null });
    walk.take(step(Method::PATCH, ONE, token).of(&model).with(&patch))
        .await;
    let put = json!({ "priceCredits": 0, "configOverrides": null });
    walk.take(step(Method::PUT, ONE, token).of(&model).with(&put))
        .await;
    let publish = "/api/studio/tars-models/{id}/publish";
    walk.take(step(Method::POST, publish, token).of(&model))
        .await;
    walk.take(step(Method::GET, ONE, token).of(&model)).await;
    walk.take(step(Method::GET, ALL, token)).await;
    let archive = "/api/studio/tars-models/{id}/archive";
    walk.take(step(Method::POST, archive, token).of(&model))
        .await;
    walk.take(step(Method::DELETE, ONE, token).of(&model))
        .await
        .assert(204, "");
    let gone = walk.shop.get(fill(ONE, &model)).token(token).await;
    gone.assert(404, "ERR_5500");
}

async fn market(walk: &mut Walk, token: &str, base: &Value) -> String {
    let model = walk.shop.draft_on(base, token, "anime-generator").await;
    walk.shop.publish(token, &model).await;
    walk.take(step(Method::GET, "/api/marketplace/models", ""))
        .await;
    let one = "/api/marketplace/models/{slug}";
    walk.take(step(Method::GET, one, "").of("anime-generator"))
        .await;
    id(&model)
}

const RUN: &str = "/api/marketplace/models/{slug}/run";

async fn runs(walk: &mut Walk) {
    let token = walk.shop.token(Realm::Consumers, "ada");
    let body = json!({ "inputs": { "prompt": "a lighthouse at dusk" } });
    let run = step(Method::POST, RUN, &token).of("anime-generator");
    let run = walk.take(run.with(&body)).await.assert(202, "").data();
    let run = run["executionId"].as_str().unwrap().to_owned();
    walk.shop.work().await;
    walk.take(step(Method::GET, "/api/marketplace/runs", &token))
        .await;
    for way in [
        "/api/marketplace/runs/{id}",
        "/api/marketplace/runs/{id}/status",
    ] {
        walk.take(step(Method::GET, way, &token).of(&run)).await;
    }
    let other = walk.shop.started(&token, "anime-generator").await;
    let cancel = "/api/marketplace/runs/{id}/cancel";
    let other = other.as_str().unwrap();
    walk.take(step(Method::POST, cancel, &token).of(other))
        .await;
}

async fn test_runs(walk: &mut Walk, token: &str, model: &str) {
    let body = json!({ "inputs": { "prompt": "a lighthouse at dawn" } });
    let test = "/api/studio/tars-models/{id}/test-run";
    // Lists are in the order of time, and what is of one moment has none.
    walk.shop.clock.advance(time::Duration::milliseconds(1));
    let engine = walk.shop.services.engine.clone();
    let (clock, memory) = (walk.shop.clock.clone(), walk.shop.runs.memory.clone());
    let working = async move {
        while memory.len() < 3 {
            tokio::task::yield_now().await;
        }
        engine.submit_due().await.unwrap();
        clock.advance(time::Duration::seconds(31));
        engine.look_due().await.unwrap();
    };
    let test = walk.take(step(Method::POST, test, token).of(model).with(&body));
    let (tested, ()) = tokio::join!(test, working);
    let tested = tested.assert(200, "").data();
    let one = step(Method::GET, "/api/studio/runs/{id}", token);
    walk.take(one.of(tested["jobId"].as_str().unwrap())).await;
}

async fn executions(walk: &mut Walk) {
    const ONE: &str = "/api/admin/executions/{id}";
    let admin = walk.shop.admin();
    let token = walk.shop.token(Realm::Consumers, "ada");
    walk.take(step(Method::GET, "/api/admin/executions", &admin))
        .await;
    let run = walk.shop.finished(&token, "anime-generator").await;
    let run = run.as_str().unwrap();
    walk.take(step(Method::GET, ONE, &admin).of(run)).await;
    let other = walk.shop.started(&token, "anime-generator").await;
    let other = other.as_str().unwrap();
    for way in [
        "/api/admin/executions/{id}/retry",
        "/api/admin/executions/{id}/cancel",
    ] {
        walk.take(step(Method::POST, way, &admin).of(other)).await;
    }
    let callback = walk.shop.callback();
    let (_, callback) = callback.split_once("/runpod/").unwrap();
    let webhook = "/api/webhooks/runpod/{executionId}/{token}";
    let news = json!({ "id": "job-1", "status": "COMPLETED" });
    let told = step(Method::POST, webhook, "").of(callback).with(&news);
    let told = walk.take(told).await;
    assert_eq!((told.status, told.text().as_str()), (200, ""));
}

async fn credits(walk: &mut Walk) {
    const HISTORY: &str = "/api/marketplace/credits/history";
    let token = walk.shop.token(Realm::Consumers, "ada");
    let run = walk.shop.finished(&token, "anime-generator").await;
    let receipt = "/api/marketplace/runs/{id}/receipt";
    let receipt = step(Method::GET, receipt, &token).of(run.as_str().unwrap());
    walk.take(receipt).await;
    let offer = "/api/marketplace/credits/packages";
    walk.take(step(Method::GET, offer, "")).await;
    let buy = "/api/marketplace/credits/purchase";
    let body = json!({ "amountCents": 500 });
    let bought = walk.take(step(Method::POST, buy, &token).with(&body)).await;
    let bought = id(&bought.assert(201, "").data());
    let paid = PaymentEvent::Paid {
        purchase: bought.parse().unwrap(),
        checkout: CheckoutRef::parse("cs_1").unwrap(),
        payment: PaymentRef::parse("pi_1").unwrap(),
        cents: 500,
        currency: "usd".to_owned(),
    };
    let told = walk.shop.is_told("evt_1", &paid).await;
    snapshot!(name(&Method::POST, "/api/webhooks/stripe"), told);
    walk.seen.insert("POST /api/webhooks/stripe".to_owned());
    let one = "/api/marketplace/credits/purchases/{id}";
    walk.take(step(Method::GET, one, &token).of(&bought)).await;
    walk.take(step(Method::GET, HISTORY, &token)).await;
    walk.take(step(Method::GET, "/api/marketplace/credits", &token))
        .await;
    let lines = "/api/marketplace/credits/transactions";
    walk.take(step(Method::GET, lines, &token)).await;
}

async fn earnings(walk: &mut Walk, token: &str, model: &str) {
    let developer = walk.shop.developer_id(token).await;
    walk.shop
        .treasury
        .own_model(developer, model.parse().unwrap());
    for path in [
        "/api/studio/earnings",
        "/api/studio/earnings/history",
        "/api/studio/analytics",
    ] {
        walk.take(step(Method::GET, path, token)).await;
    }
    let one = "/api/studio/analytics/models/{id}";
    walk.take(step(Method::GET, one, token).of(model)).await;
    let urls = json!({
        "returnUrl": "https://studio.example.com/payouts",
        "refreshUrl": "https://studio.example.com/payouts/connect",
    });
    let connect = "/api/studio/payouts/connect-stripe";
    walk.take(step(Method::POST, connect, token).with(&urls))
        .await;
    walk.shop.verifies(token).await;
    walk.shop.earns(token, 10_000).await;
    let body = json!({ "amount": 5_000 });
    let request = "/api/studio/payouts/request";
    let made = walk.take(step(Method::POST, request, token).with(&body));
    made.await.assert(201, "");
    walk.take(step(Method::GET, "/api/studio/payouts", token))
        .await;
}

async fn money_of_others(walk: &mut Walk) {
    const ALL: &str = "/api/admin/credit-packages";
    const ONE: &str = "/api/admin/credit-packages/{id}";
    let admin = walk.shop.admin();
    let body = json!({
        "credits": 3_000, "bonusCredits": 100, "priceCents": 3_000, "popular": true,
    });
    let made = walk.take(step(Method::POST, ALL, &admin).with(&body)).await;
    let package = id(&made.assert(201, "").data());
    let changes = [
        (Method::PATCH, json!({ "priceCents": 2_900 })),
        (Method::PUT, json!({ "bonusCredits": 0, "popular": false })),
    ];
    for (method, change) in &changes {
        let step = step(method.clone(), ONE, &admin).of(&package);
        walk.take(step.with(change)).await.assert(200, "");
    }
    walk.take(step(Method::GET, ONE, &admin).of(&package)).await;
    walk.take(step(Method::GET, ALL, &admin)).await;
    walk.take(step(Method::DELETE, ONE, &admin).of(&package))
        .await
        .assert(204, "");
    let ada = walk.shop.token(Realm::Consumers, "ada");
    let consumer = walk.shop.consumer_id(&ada).await.to_string();
    let body = json!({ "amount": -5, "reason": "Given by mistake." });
    let adjust = "/api/admin/consumers/{id}/credits";
    let adjust = step(Method::POST, adjust, &admin).of(&consumer);
    walk.take(adjust.with(&body)).await.assert(201, "");
    let run = walk.shop.finished(&ada, "anime-generator").await;
    let body = json!({ "amount": 10, "reason": "The picture was black." });
    let refund = "/api/admin/executions/{id}/refund";
    let refund = step(Method::POST, refund, &admin).of(run.as_str().unwrap());
    walk.take(refund.with(&body)).await.assert(201, "");
    let verify = "/api/admin/ledger/verify";
    walk.take(step(Method::GET, verify, &admin)).await;
}

#[actix_web::test]
async fn a_model_goes_in_and_out_of_the_market() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let model = shop.draft(&token, "anime").await;
    let in_market = async || shop.get("/api/marketplace/models/anime").await.status;
    let way = |way: &str, body: Value| {
        let ask = shop.post(format!("{}/{way}", address(&model)));
        ask.token(&token).json(&body)
    };
    assert_eq!(in_market().await, 404);
    way("publish", json!({})).await.assert(200, "");
    assert_eq!(in_market().await, 200);
    way("publish", json!({ "action": "publish" }))
        .await
        .assert(409, "ERR_5502");
    let archived = way("publish", json!({ "action": "archive" })).await;
    assert_eq!(archived.data()["status"], "ARCHIVED");
    assert_eq!(in_market().await, 404);
    way("archive", json!({})).await.assert(409, "ERR_5502");
    let again = way("publish", json!({ "action": null })).await;
    assert_eq!(again.data()["status"], "PUBLISHED");
    assert_eq!(again.data()["version"], 4);
    assert_eq!(in_market().await, 200);
    let remove = shop.ask(Method::DELETE, address(&model)).token(&token);
    remove.clone().await.assert(409, "ERR_5502");
    // Once it was run, a removal archives it.
    way("archive", json!({})).await.assert(200, "");
    shop.store
        .edit_tars_model(crate::support::id_of(&model), |row| row.total_runs = 1);
    remove.await.assert(204, "");
    let kept = shop.get(address(&model)).token(&token).await;
    assert_eq!(kept.data()["status"], "ARCHIVED");
}
