//! Limits on callers: what counts as what, for whom, what they are told, and who decides.

use actix_web::http::Method;
use serde_json::{Value, json};
use tarsify_domain::limits::LimitSettings;
use tarsify_domain::payments::{CheckoutRef, PaymentEvent, PaymentRef};
use tarsify_domain::people::Realm;
use tarsify_http::{HttpSettings, TrustedProxies};

use crate::support::{Plan, Reply, Shop};

const MARKET: &str = "/api/marketplace/models";
const RUNS: &str = "/api/marketplace/runs";
const SETTINGS: &str = "/api/admin/settings";
const ADA: &str = "203.0.113.9";
const BOB: &str = "198.51.100.7";

/// Plenty of everything but of this.
fn plan(category: &str, max: u32) -> Plan {
    let mut document = LimitSettings::default().to_json();
    for limit in document["limits"].as_object_mut().unwrap().values_mut() {
        limit["max"] = json!(100_000);
    }
    document["limits"][category]["max"] = json!(max);
    Plan {
        limits: Some(LimitSettings::parse(&document).unwrap()),
        ..Plan::default()
    }
}

async fn limited(category: &str, max: u32) -> Shop {
    Shop::planned(plan(category, max)).await
}

#[track_caller]
fn assert_refused(reply: &Reply, category: &str) {
    reply.assert(429, "ERR_1004");
    let body = reply.json();
    assert_eq!(body["error"]["type"], "rate_limit_exceeded");
    assert_eq!(body["error"]["retryable"], true);
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains(category), "{message}");
    let wait: u32 = reply.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(reply.header("x-ratelimit-remaining"), "0");
}

#[actix_web::test]
async fn an_address_has_so_many_requests_and_is_told_how_many_are_left() {
    let shop = limited("globalApi", 10).await;
    for left in (0..10).rev() {
        let reply = shop.get(MARKET).from(ADA).await;
        reply.assert(200, "");
        assert_eq!(reply.header("x-ratelimit-limit"), "10");
        assert_eq!(reply.header("x-ratelimit-remaining"), left.to_string());
        assert_eq!(reply.header("ratelimit-policy"), "\"globalApi\";q=10;w=60");
        let reset = (10 - left) * 6;
        let state = format!("\"globalApi\";r={left};t={reset}");
        assert_eq!(reply.header("ratelimit"), state);
        let moment = tarsify_testing::clock::MOMENT.unix_timestamp() + reset;
        assert_eq!(reply.header("x-ratelimit-reset"), moment.to_string());
        assert_eq!(reply.header("retry-after"), "");
    }
    let refused = shop
        .get(MARKET)
        .from(ADA)
        .header("origin", "https://shop.example.com")
        .await;
    assert_refused(&refused, "globalApi");
    let allowed = refused.header("access-control-allow-origin");
    assert_eq!(allowed, "https://shop.example.com", "a page may read it");
    shop.get(MARKET).from(BOB).await.assert(200, "");
}

#[actix_web::test]
async fn whatever_an_address_says_of_itself_gains_it_nothing() {
    let shop = limited("globalApi", 10).await;
    for number in 0..10 {
        let other = format!("198.51.100.{number}");
        let ask = shop.get(MARKET).from(ADA).header("x-forwarded-for", &other);
        let ask = ask.header("forwarded", format!("for={other}"));
        ask.await.assert(200, "");
    }
    let spoofed = shop.get(MARKET).from(ADA).header("x-forwarded-for", BOB);
    assert_refused(&spoofed.await, "globalApi");
}

#[actix_web::test]
async fn behind_a_trusted_proxy_everybody_is_counted_alone() {
    let network = "10.0.0.0/8".parse().unwrap();
    let settings = HttpSettings {
        trusted_proxies: TrustedProxies::new(vec![network]),
        ..Plan::default().settings
    };
    let plan = Plan {
        settings,
        ..plan("globalApi", 10)
    };
    let shop = Shop::planned(plan).await;
    let through = |said: &str| {
        let ask = shop.get(MARKET).from("10.0.0.1");
        ask.header("x-forwarded-for", said)
    };
    for number in 0..10 {
        let said = format!("192.0.2.{number}, {ADA}");
        through(&said).await.assert(200, "");
    }
    assert_refused(&through(&format!("{BOB}, {ADA}")).await, "globalApi");
    through(BOB).await.assert(200, "");
}

#[actix_web::test]
async fn however_an_address_is_spelt_it_counts_and_what_is_nobodys_does_not() {
    let shop = limited("globalApi", 10).await;
    let spelt = [
        "/api/marketplace/models",
        "/%61pi/marketplace/models",
        "/api/nowhere",
        "/api/marketplace/models?limit=0",
    ];
    for path in spelt {
        let reply = shop.get(path).from(ADA).await;
        assert_eq!(reply.header("x-ratelimit-limit"), "10", "{path}");
    }
    shop.ask(Method::DELETE, MARKET).from(ADA).await;
    shop.ask(Method::OPTIONS, MARKET).from(ADA).await;
    let left = shop.get(MARKET).from(ADA).await;
    assert_eq!(left.header("x-ratelimit-remaining"), "3");
    for path in ["/health", "/livez", "/openapi.json", "/nowhere"] {
        let reply = shop.get(path).from(ADA).await;
        assert_eq!(reply.header("ratelimit"), "", "{path}");
    }
    let told = shop.post("/api/webhooks/stripe").from(ADA).raw("{}").await;
    assert_eq!(told.header("ratelimit"), "");
}

#[actix_web::test]
async fn whoever_asks_is_counted_wherever_he_asks_from() {
    let shop = limited("userApi", 10).await;
    let ada = shop.consumer("ada").await;
    let bob = shop.consumer("bob").await;
    for number in 0..10 {
        let address = format!("192.0.2.{number}");
        let reply = shop.get(RUNS).token(&ada).from(&address).await;
        reply.assert(200, "");
        let policy = "\"globalApi\";q=100000;w=60, \"userApi\";q=10;w=60";
        assert_eq!(reply.header("ratelimit-policy"), policy);
        assert_eq!(reply.header("x-ratelimit-limit"), "10", "the tightest");
    }
    let refused = shop.get(RUNS).token(&ada).from(BOB).await;
    assert_refused(&refused, "userApi");
    shop.get(RUNS).token(&bob).from(BOB).await.assert(200, "");
    let stranger = shop.get(RUNS).token("garbage").await;
    stranger.assert(401, "ERR_2001");
    let wrong = shop.ask(Method::DELETE, RUNS).token(&ada).await;
    wrong.assert(405, "ERR_1003");
}

#[actix_web::test]
async fn only_what_begins_something_eats_the_budget_for_it() {
    let shop = limited("taskCreation", 2).await;
    shop.runnable("anime").await;
    let ada = shop.consumer("ada").await;
    for _ in 0..5 {
        shop.get(RUNS).token(&ada).await.assert(200, "");
        let path = "/api/marketplace/models/anime/run?dryRun=true";
        let dry = shop.post(path).token(&ada);
        let dry = dry.json(&json!({"inputs": {"prompt": "a"}})).await;
        dry.assert(200, "");
        let invalid = shop.post("/api/marketplace/models/anime/run").token(&ada);
        invalid
            .json(&json!({"inputs": 1}))
            .await
            .assert(400, "ERR_1001");
    }
    let keyed = || {
        shop.asks_to_run(&ada, "anime")
            .header("idempotency-key", "a")
    };
    keyed().await.assert(202, "");
    let last = shop.asks_to_run(&ada, "anime").await;
    last.assert(202, "");
    assert_eq!(last.header("x-ratelimit-remaining"), "0");
    assert_refused(&shop.asks_to_run(&ada, "anime").await, "taskCreation");
    for _ in 0..3 {
        let replay = keyed().await;
        replay.assert(202, "");
        assert_eq!(replay.header("idempotency-replayed"), "true");
    }
    let other = shop
        .asks_to_run(&ada, "anime")
        .header("idempotency-key", "b");
    assert_refused(&other.await, "taskCreation");
    shop.get(RUNS).token(&ada).await.assert(200, "");
    assert_eq!(shop.runs.memory.len(), 2, "a refusal leaves nothing");
}

#[actix_web::test]
async fn purchases_and_test_runs_eat_it_too() {
    let shop = limited("taskCreation", 1).await;
    let ada = shop.consumer("ada").await;
    let offer = shop.get("/api/marketplace/credits/packages").await.data();
    let body = json!({"packageId": offer["packages"][0]["id"]});
    let buy = |key: &'static str| {
        let ask = shop.post("/api/marketplace/credits/purchase").token(&ada);
        ask.json(&body).header("idempotency-key", key)
    };
    buy("a").await.assert(201, "");
    assert_refused(&buy("b").await, "taskCreation");
    assert_eq!(buy("a").await.header("idempotency-replayed"), "true");

    let dora = shop.developer("dora").await;
    let model = shop.draft(&dora, "mine").await;
    let try_it = |key: &'static str| {
        let id = model["id"].as_str().unwrap();
        let ask = shop.post(format!("/api/studio/tars-models/{id}/test-run"));
        let ask = ask.token(&dora).header("idempotency-key", key);
        ask.json(&json!({"inputs": {"prompt": "a"}}))
    };
    try_it("a").await.assert(202, "");
    assert_refused(&try_it("b").await, "taskCreation");
    assert_eq!(try_it("a").await.header("idempotency-replayed"), "true");
}

#[actix_web::test]
async fn whoever_has_bought_more_may_ask_more_often() {
    let shop = limited("userApi", 10).await;
    let ada = shop.consumer("ada").await;
    let limit = async || {
        let reply = shop.get(RUNS).token(&ada).await;
        reply.header("x-ratelimit-limit").to_owned()
    };
    assert_eq!(limit().await, "10");
    let bought = shop.asks_to_buy(&ada, 500).await.assert(201, "").data();
    let paid = PaymentEvent::Paid {
        purchase: bought["id"].as_str().unwrap().parse().unwrap(),
        checkout: CheckoutRef::parse("cs_1").unwrap(),
        payment: PaymentRef::parse("pi_1").unwrap(),
        cents: 500,
        currency: "usd".to_owned(),
    };
    shop.is_told("evt_1", &paid).await.assert(200, "");
    assert_eq!(limit().await, "10", "it is not looked at each time");
    shop.clock.advance(time::Duration::seconds(31));
    assert_eq!(limit().await, "20", "premium");
    shop.treasury.start_outage();
    shop.clock.advance(time::Duration::seconds(31));
    assert_eq!(limit().await, "20", "what was known outlives the store");
}

#[actix_web::test]
async fn registering_and_the_own_profile_are_counted_by_address() {
    let shop = limited("authAction", 2).await;
    let register = |subject: &str, token: &str| {
        let token = match token {
            "" => shop.token(Realm::Consumers, subject),
            other => other.to_owned(),
        };
        shop.post("/api/marketplace/auth/register")
            .token(&token)
            .from(ADA)
    };
    register("ada", "").await.assert(201, "");
    register("bob", "garbage").await.assert(401, "ERR_2001");
    assert_refused(&register("bob", "").await, "authAction");
    let studio = shop.post("/api/studio/auth/register").from(ADA);
    let dora = shop.token(Realm::Developers, "dora");
    assert_refused(&studio.token(&dora).await, "authAction");

    let shop = limited("authSession", 10).await;
    let ada = shop.consumer("ada").await;
    let me = || shop.get("/api/marketplace/auth/me").token(&ada).from(ADA);
    for _ in 0..10 {
        me().await.assert(200, "");
    }
    assert_refused(&me().await, "authSession");
    me().from(BOB).await.assert(200, "");
}

#[actix_web::test]
async fn only_so_many_runs_are_unfinished_at_once() {
    let mut document = plan("userApi", 1_000).limits.unwrap().to_json();
    document["maxConcurrentRuns"] = json!(2);
    let plan = Plan {
        limits: Some(LimitSettings::parse(&document).unwrap()),
        ..Plan::default()
    };
    let shop = Shop::planned(plan).await;
    shop.runnable("anime").await;
    let ada = shop.consumer("ada").await;
    for _ in 0..2 {
        shop.asks_to_run(&ada, "anime").await.assert(202, "");
    }
    let before = shop.credits(&ada).await;
    let refused = shop.asks_to_run(&ada, "anime").await;
    refused.assert(429, "ERR_1004");
    let body = refused.json();
    assert_eq!(body["error"]["type"], "concurrency_limit");
    assert_ne!(refused.header("retry-after"), "");
    assert_eq!(shop.credits(&ada).await, before, "nothing is held");
    let bob = shop.consumer("bob").await;
    shop.asks_to_run(&bob, "anime").await.assert(202, "");
    shop.work().await;
    shop.asks_to_run(&ada, "anime").await.assert(202, "");
}

#[actix_web::test]
async fn without_limits_nothing_is_counted_and_nothing_is_said_of_them() {
    let shop = Shop::open().await;
    for _ in 0..300 {
        let reply = shop.get(MARKET).from(ADA).await;
        reply.assert(200, "");
        assert_eq!(reply.header("ratelimit"), "");
    }
}

#[actix_web::test]
async fn an_administrator_changes_the_limits_at_once() {
    let shop = limited("userApi", 60).await;
    let admin = shop.admin();
    let shown = shop.get(SETTINGS).token(&admin).await;
    let data = shown.assert(200, "").data();
    assert_eq!(data["limits"]["userApi"], json!({"max": 60}));
    assert_eq!(data["maxConcurrentRuns"], 5);
    let names = data["tiers"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|tier| tier["name"].clone()).collect();
    assert_eq!(names, ["free", "basic", "premium", "vip"]);

    let change = json!({"limits": {"globalApi": {"max": 33}}, "reason": "a crowd is coming"});
    let put = shop.ask(Method::PUT, SETTINGS).token(&admin).json(&change);
    let put = put.header("if-match", shown.etag());
    let changed = put.clone().await.assert(200, "").data();
    assert_eq!(changed["limits"]["globalApi"], json!({"max": 33}));
    assert_eq!(
        changed["limits"]["userApi"],
        json!({"max": 60}),
        "absent keeps"
    );
    put.await.assert(412, "ERR_1011");
    let reply = shop.get(MARKET).from(ADA).await;
    assert_eq!(reply.header("x-ratelimit-limit"), "33");

    let by_alias = shop
        .get("/api/admin/settings/rate-limit")
        .token(&admin)
        .await;
    assert_eq!(by_alias.data(), changed);
    let audit = shop.limit_settings.audit();
    assert_eq!(audit.len(), 1);
    assert_eq!(audit[0].actor.subject, "root");
    let reason = audit[0].reason.as_ref().unwrap();
    assert_eq!(reason.as_str(), "a crowd is coming");
}

#[actix_web::test]
async fn tiers_are_named_as_an_administrator_names_them() {
    let shop = limited("userApi", 60).await;
    let ada = shop.consumer("ada").await;
    assert_eq!(shop.credits(&ada).await["tier"], "free");
    let tiers = json!([{"name": "everybody", "minPurchased": 0, "multiplier": 1.5}]);
    let patch = shop.patch(SETTINGS).token(&shop.admin());
    let patched = patch.json(&json!({"tiers": tiers})).await;
    assert_eq!(patched.assert(200, "").data()["tiers"], tiers);
    assert_eq!(shop.credits(&ada).await["tier"], "everybody");
    let reply = shop.get(RUNS).token(&ada).await;
    assert_eq!(reply.header("x-ratelimit-limit"), "90");
}

#[actix_web::test]
async fn what_would_lock_people_out_is_refused_with_every_reason() {
    let shop = limited("userApi", 60).await;
    let put = |body: &Value| shop.patch(SETTINGS).token(&shop.admin()).json(body);
    let body = json!({
        "tiers": [{"name": "vip", "minPurchased": 5, "multiplier": 0}],
        "limits": {"globalApi": {"max": 0}, "gpu": {"max": 1}, "upload": null},
        "maxConcurrentRuns": 0,
        "reason": "",
    });
    put(&body).await.assert_faults(&[
        ("/tiers/0/multiplier", "range"),
        ("/limits/globalApi/max", "range"),
        ("/limits/gpu", "enum"),
        ("/limits/upload/max", "range"),
        ("/maxConcurrentRuns", "range"),
        ("/reason", "length"),
    ]);
    let nothing = json!({"tiers": null, "limits": [], "maxConcurrentRuns": null});
    put(&nothing).await.assert_faults(&[
        ("/tiers", "type"),
        ("/limits", "type"),
        ("/maxConcurrentRuns", "type"),
    ]);
    assert_eq!(shop.limit_settings.audit(), []);
    let ada = shop.consumer("ada").await;
    let stranger = shop.get(SETTINGS).token(&ada).await;
    stranger.assert(401, "ERR_2001");
}

#[actix_web::test]
async fn an_administrator_limits_a_provider_as_he_limits_an_endpoint() {
    let shop = limited("userApi", 60).await;
    let admin = shop.admin();
    let shown = shop.get(SETTINGS).token(&admin).await.data();
    assert_eq!(shown["providers"], json!({}));
    let limits = json!({"maxConcurrency": 40, "retryOn429": false, "baseBackoffMs": 250});
    let patch = |providers: Value| {
        let body = json!({"providers": providers});
        shop.patch(SETTINGS).token(&admin).json(&body)
    };
    let changed = patch(json!({"runpod": limits}))
        .await
        .assert(200, "")
        .data();
    assert_eq!(changed["providers"], json!({"runpod": limits}));
    let kept = shop.patch(SETTINGS).token(&admin);
    let kept = kept.json(&json!({"maxConcurrentRuns": 6})).await.data();
    assert_eq!(kept["providers"], json!({"runpod": limits}), "absent keeps");
    patch(json!({"runpod": {"maxPerDay": 0, "max": 1}, "nobody": {}}))
        .await
        .assert_faults(&[
            ("/providers/nobody", "enum"),
            ("/providers/runpod/max", "additionalProperties"),
            ("/providers/runpod/maxPerDay", "range"),
        ]);
    patch(Value::Null)
        .await
        .assert_faults(&[("/providers", "type")]);
    let cleared = patch(json!({"runpod": null})).await.assert(200, "").data();
    assert_eq!(cleared["providers"], json!({}));
}
