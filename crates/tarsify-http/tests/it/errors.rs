//! Every error code of this stage, provoked once and compared with what was accepted.

use std::collections::BTreeSet;

use actix_web::http::Method;
use serde_json::{Value, json};
use tarsify_domain::people::Realm;
use tarsify_testing::fake::Mood;
use tarsify_testing::{FakeAuthenticator, World};

use crate::failures::Panicking;
use crate::support::{
    Ask, Plan, Reply, Shop, address, base_model_body, endpoint_body, run_place, snapshot,
    tars_model_body, without_ids,
};

/// Codes that a later stage will be able to provoke.
const LATER: [&str; 0] = [];

fn documented() -> BTreeSet<String> {
    let text = tarsify_http::document()["paths"].to_string();
    let codes = text.split("\"ERR_").skip(1);
    codes.map(|rest| format!("ERR_{}", &rest[..4])).collect()
}

/// Compares the answer with the snapshot of its code.
fn seen(codes: &mut BTreeSet<String>, reply: &Reply) {
    let (_, code) = reply.outcome();
    snapshot!(code.clone(), reply);
    assert!(codes.insert(code.clone()), "{code} was provoked before");
}

#[actix_web::test]
async fn every_code_is_said_as_the_contract_says() {
    let shop = Shop::open().await;
    let mut codes = BTreeSet::new();
    for ask in general(&shop) {
        seen(&mut codes, &ask.await);
    }
    people(&shop, &mut codes).await;
    administration(&shop, &mut codes).await;
    studio(&shop, &mut codes).await;
    runs(&shop, &mut codes).await;
    money(&shop, &mut codes).await;
    repetitions(&shop, &mut codes).await;
    quota(&mut codes).await;
    let lost = lost_update(&shop).await;
    seen(&mut codes, &lost);
    shop.store.start_outage();
    let outage = shop.get("/api/marketplace/models").await;
    seen(&mut codes, &outage);
    let plan = Plan {
        ports: |world| World {
            market: std::sync::Arc::new(Panicking),
            ..world
        },
        ..Plan::default()
    };
    let broken = Shop::planned(plan).await;
    let failed = broken.get("/api/marketplace/models").await;
    seen(&mut codes, &failed);
    codes.extend(LATER.map(str::to_owned));
    let mut wanted = documented();
    // No operation has a wrong method or an unknown address.
    wanted.extend(["ERR_1002".to_owned(), "ERR_1003".to_owned()]);
    assert_eq!(codes, wanted);
}

/// What needs nothing in the store.
fn general(shop: &Shop) -> Vec<Ask<'_>> {
    let admin = shop.admin();
    let endpoints = || shop.post("/api/admin/endpoints");
    vec![
        shop.get("/nowhere"),
        shop.ask(Method::DELETE, "/health"),
        endpoints()
            .json(&json!({ "limits": { "maxPerDay": 0 } }))
            .token(&admin),
        endpoints().bytes(" ".repeat(1_000_001)).token(&admin),
        endpoints().raw("{}").token(&admin),
        endpoints(),
        endpoints().token("garbage"),
        endpoints().token(FakeAuthenticator::EXPIRED),
        shop.get("/api/marketplace/models/no-such-model"),
    ]
}

async fn people(shop: &Shop, codes: &mut BTreeSet<String>) {
    let consumer = shop.token(Realm::Consumers, "ada");
    let developer = shop.token(Realm::Developers, "grace");
    let asks = [
        shop.get("/api/admin/endpoints").token(&developer),
        shop.get("/api/marketplace/auth/me").token(&consumer),
        shop.get("/api/studio/auth/me").token(&developer),
    ];
    for ask in asks {
        seen(codes, &ask.await);
    }
    shop.consumer("ada").await;
    shop.developer("grace").await;
    let asks = [
        shop.post("/api/marketplace/auth/register").token(&consumer),
        shop.post("/api/studio/auth/register").token(&developer),
        shop.patch("/api/marketplace/auth/profile")
            .token(&consumer)
            .header("if-match", "\"2-x\"")
            .json(&json!({})),
    ];
    for ask in asks {
        seen(codes, &ask.await);
    }
}

async fn administration(shop: &Shop, codes: &mut BTreeSet<String>) {
    let admin = shop.admin();
    let endpoint = shop.endpoint("ep-one").await;
    let base = base_model_body(&endpoint["id"], "base-one");
    let models = || shop.post("/api/admin/base-models").token(&admin);
    models().json(&base).await.assert(201, "");
    let asks = [
        shop.post("/api/admin/endpoints")
            .token(&admin)
            .json(&endpoint_body("ep-one")),
        shop.get(without_ids("/api/admin/endpoints/{id}"))
            .token(&admin),
        models().json(&base),
        shop.get(without_ids("/api/admin/base-models/{id}"))
            .token(&admin),
    ];
    for ask in asks {
        seen(codes, &ask.await);
    }
}

async fn studio(shop: &Shop, codes: &mut BTreeSet<String>) {
    let token = shop.token(Realm::Developers, "grace");
    let admin = shop.admin();
    let base = shop.base_model("base-two").await;
    let model = shop.draft_on(&base, &token, "taken").await;
    let models = || shop.post("/api/studio/tars-models").token(&token);
    let publish = || {
        shop.post(format!("{}/publish", address(&model)))
            .token(&token)
    };
    let switch = async |place: &str, id: &Value, on: bool| {
        let path = format!("/api/admin/{place}/{}", id.as_str().unwrap());
        let ask = shop.patch(path).token(&admin);
        ask.json(&json!({ "isActive": on })).await.assert(200, "");
    };
    let absent = without_ids("/api/studio/tars-models/{id}");
    seen(codes, &shop.get(absent).token(&token).await);
    let twin = tars_model_body(&base["id"], "TAKEN");
    seen(codes, &models().json(&twin).await);
    switch("base-models", &base["id"], false).await;
    seen(codes, &publish().await);
    switch("base-models", &base["id"], true).await;
    switch("endpoints", &base["endpoint"]["id"], false).await;
    seen(codes, &publish().await);
    switch("endpoints", &base["endpoint"]["id"], true).await;
    publish().await.assert(200, "");
    seen(codes, &publish().await);
}

/// Two changes at once of which neither named a version: the loser is told of the conflict.
async fn lost_update(shop: &Shop) -> Reply {
    let token = shop.token(Realm::Consumers, "ada");
    let change = |name: &str| {
        let ask = shop.patch("/api/marketplace/auth/profile").token(&token);
        ask.json(&json!({ "name": name }))
    };
    let (one, other) = tokio::join!(change("First"), change("Second"));
    let (won, lost) = if one.status == 200 {
        (one, other)
    } else {
        (other, one)
    };
    won.assert(200, "");
    lost
}

async fn runs(shop: &Shop, codes: &mut BTreeSet<String>) {
    let ada = shop.token(Realm::Consumers, "ada");
    let eve = shop.consumer("eve").await;
    let grace = shop.token(Realm::Developers, "grace");
    shop.draft(&grace, "draft").await;
    shop.published(&grace, "in-the-market").await;
    seen(codes, &shop.asks_to_run(&ada, "draft").await);
    let misfit = json!({ "inputs": { "width": 2, "colour": "red" } });
    let ask = shop.post("/api/marketplace/models/in-the-market/run");
    seen(codes, &ask.token(&ada).json(&misfit).await);
    let run = run_place(&shop.finished(&ada, "in-the-market").await);
    let absent = without_ids("/api/marketplace/runs/{id}");
    seen(codes, &shop.get(absent).token(&ada).await);
    seen(codes, &shop.get(&run).token(&eve).await);
    let cancel = shop.post(format!("{run}/cancel")).token(&ada);
    seen(codes, &cancel.await);
}

async fn repetitions(shop: &Shop, codes: &mut BTreeSet<String>) {
    let admin = shop.admin();
    let make = |name: &str| {
        let ask = shop.post("/api/admin/endpoints").token(&admin);
        ask.header("idempotency-key", "once")
            .json(&endpoint_body(name))
    };
    let (one, twin) = tokio::join!(
        std::future::IntoFuture::into_future(make("ep-once")),
        std::future::IntoFuture::into_future(make("ep-once"))
    );
    let (made, twin) = if one.status == 201 {
        (one, twin)
    } else {
        (twin, one)
    };
    made.assert(201, "");
    seen(codes, &twin);
    seen(codes, &make("ep-other").await);
}

async fn money(shop: &Shop, codes: &mut BTreeSet<String>) {
    let ada = shop.token(Realm::Consumers, "ada");
    let grace = shop.token(Realm::Developers, "grace");
    let admin = shop.admin();
    let id = shop.consumer_id(&ada).await;
    let take = shop.post(format!("/api/admin/consumers/{id}/credits"));
    let body = json!({ "amount": -1_000_000, "reason": "A mistake." });
    seen(codes, &take.token(&admin).json(&body).await);
    let payout = |amount: i64| {
        let ask = shop.post("/api/studio/payouts/request").token(&grace);
        ask.json(&json!({ "amount": amount }))
    };
    seen(codes, &payout(5_000).await);
    shop.verifies(&grace).await;
    seen(codes, &payout(4_999).await);
    let absent = without_ids("/api/marketplace/credits/purchases/{id}");
    seen(codes, &shop.get(absent).token(&ada).await);
    shop.payments.set(Mood::Refusing);
    seen(codes, &shop.asks_to_buy(&ada, 500).await);
    shop.payments.set(Mood::Obliging);
}

/// A developer who has used up his test runs of the day.
async fn quota(codes: &mut BTreeSet<String>) {
    let mut plan = Plan::default();
    plan.engine.daily_test_runs = 0;
    let shop = Shop::planned(plan).await;
    let token = shop.developer("grace").await;
    let model = shop.draft(&token, "draft").await;
    let ask = shop.post(format!("{}/test-run", address(&model)));
    let inputs = json!({ "inputs": { "prompt": "a lighthouse" } });
    seen(codes, &ask.token(&token).json(&inputs).await);
}
