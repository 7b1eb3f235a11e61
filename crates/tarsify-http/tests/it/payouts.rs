//! Paying developers: who may be paid, how much, and where he says who he is.

use serde_json::{Value, json};
use tarsify_testing::fake::Mood;

use crate::support::{Ask, Shop};

const CONNECT: &str = "/api/studio/payouts/connect-stripe";
const REQUEST: &str = "/api/studio/payouts/request";

fn asks_for<'a>(shop: &'a Shop, token: &str, amount: &Value) -> Ask<'a> {
    let ask = shop.post(REQUEST).token(token);
    ask.json(&json!({ "amount": amount }))
}

/// A verified developer who may have 7,000 credits.
async fn rich(shop: &Shop) -> String {
    let token = shop.developer("grace").await;
    shop.verifies(&token).await;
    shop.earns(&token, 10_000).await;
    token
}

#[actix_web::test]
async fn a_payout_is_reserved_at_once_and_paid_once() {
    let shop = Shop::open().await;
    let token = rich(&shop).await;
    let keyed = || asks_for(&shop, &token, &json!(5_000)).header("idempotency-key", "one");
    let made = keyed().await;
    let payout = made.assert(201, "").data();
    assert_eq!(payout["status"], "PENDING");
    assert_eq!(made.header("location"), "");
    let again = keyed().await;
    assert_eq!(again.assert(201, "").text(), made.text());
    assert_eq!(again.header("idempotency-replayed"), "true");
    let earnings = async || {
        let reply = shop.get("/api/studio/earnings").token(&token).await;
        let data = reply.data();
        ["available", "inPayout", "paidOut"].map(|key| data[key].as_i64().unwrap())
    };
    assert_eq!(earnings().await, [2_000, 5_000, 0]);
    assert_eq!(shop.services.payouts.deliver_due(10).await.unwrap(), 1);
    assert_eq!(earnings().await, [2_000, 0, 5_000]);
    let list = async |query: &str| {
        let list = shop.get(format!("/api/studio/payouts{query}"));
        let list = list.token(&token).await.assert(200, "").data();
        list.as_array().unwrap().clone()
    };
    let paid = list("?status=PAID").await;
    assert_eq!(paid.len(), 1);
    assert_eq!(paid[0]["id"], payout["id"]);
    assert_ne!(paid[0]["completedAt"], Value::Null);
    assert!(list("?status=PENDING").await.is_empty());
    let bad = shop.get("/api/studio/payouts?status=paid").token(&token);
    bad.await.assert_faults(&[("/status", "enum")]);
    let eve = shop.developer("eve").await;
    let others = shop.get("/api/studio/payouts").token(&eve).await;
    assert_eq!(others.data(), json!([]));
}

#[actix_web::test]
async fn a_payout_that_is_refused_says_why_and_may_be_asked_for_again() {
    let shop = Shop::open().await;
    let token = rich(&shop).await;
    shop.payments.set(Mood::Refusing);
    let ask = asks_for(&shop, &token, &json!(7_000));
    ask.await.assert(201, "");
    shop.services.payouts.deliver_due(10).await.unwrap();
    let list = shop.get("/api/studio/payouts").token(&token).await.data();
    assert_eq!(list[0]["status"], "FAILED");
    assert_eq!(list[0]["failureReason"], "account_closed");
    let again = asks_for(&shop, &token, &json!(7_000));
    again.await.assert(201, "");
}

#[actix_web::test]
async fn what_cannot_be_paid_out_is_refused_with_the_reason() {
    let shop = Shop::open().await;
    let poor = shop.developer("poor").await;
    let ask = asks_for(&shop, &poor, &json!(5_000));
    ask.await.assert(403, "ERR_4002");
    let token = rich(&shop).await;
    let below = asks_for(&shop, &token, &json!(4_999)).await;
    below.assert(409, "ERR_7003");
    let details = &below.json()["error"]["details"];
    assert_eq!(*details, json!({ "minimum": 5_000 }));
    let above = asks_for(&shop, &token, &json!(7_001)).await;
    above.assert(402, "ERR_3002");
    let details = &above.json()["error"]["details"];
    let expected = json!({ "required": 7_001, "available": 7_000, "shortfall": 1 });
    assert_eq!(*details, expected);
    let list = shop.get("/api/studio/payouts").token(&token).await;
    assert_eq!(list.data(), json!([]));
    // Two at once cannot have the same money.
    let one = || std::future::IntoFuture::into_future(asks_for(&shop, &token, &json!(5_000)));
    let (a, b) = tokio::join!(one(), one());
    let mut outcomes = [a.status, b.status];
    outcomes.sort_unstable();
    assert_eq!(outcomes, [201, 402]);
}

#[actix_web::test]
async fn amounts_that_are_none_are_refused_by_name() {
    let shop = Shop::open().await;
    let token = rich(&shop).await;
    let cases = [
        (json!(0), "range"),
        (json!(-5_000), "range"),
        (json!(1_000_000_001_i64), "range"),
        (json!(i64::MIN), "range"),
        (json!(u64::MAX), "type"),
        (json!(5_000.5), "type"),
        (json!(1e40), "type"),
        (json!("5000"), "type"),
        (json!([5_000]), "type"),
        (json!(null), "required"),
    ];
    for (amount, code) in cases {
        let reply = asks_for(&shop, &token, &amount).await;
        reply.assert_faults(&[("/amount", code)]);
    }
}

#[actix_web::test]
async fn onboarding_is_the_providers_page_and_needs_ways_back() {
    let shop = Shop::open().await;
    let token = shop.developer("grace").await;
    let good = json!({
        "returnUrl": "https://studio.example.com/payouts",
        "refreshUrl": "http://localhost:3000/connect?again=1",
    });
    let connect = |body: &Value| shop.post(CONNECT).token(&token).json(body);
    let link = connect(&good).await.assert(200, "").data();
    let url = link["onboardingUrl"].as_str().unwrap();
    assert!(url.starts_with("https://pay.example.com/onboarding/acct_"));
    // The account stays the same.
    assert_eq!(connect(&good).await.data()["onboardingUrl"], url);
    let cases = [
        (json!("javascript:alert(1)"), "format"),
        (json!("/payouts"), "format"),
        (json!("ftp://example.com/"), "format"),
        (json!("https://user:secret@example.com/"), "format"),
        (json!(""), "format"),
        (
            json!(format!("https://example.com/{}", "x".repeat(2_048))),
            "maxLength",
        ),
        (json!(7), "type"),
        (json!(null), "required"),
    ];
    for (value, code) in cases {
        for field in ["returnUrl", "refreshUrl"] {
            let mut body = good.clone();
            body[field] = value.clone();
            let reply = connect(&body).await;
            reply.assert_faults(&[(&format!("/{field}"), code)]);
        }
    }
    let nothing = connect(&json!({})).await;
    nothing.assert_faults(&[("/refreshUrl", "required"), ("/returnUrl", "required")]);
    let moods = [
        (Mood::Refusing, 402, "ERR_7000"),
        (Mood::Unreachable, 503, "ERR_1005"),
        (Mood::NotConfigured, 503, "ERR_1005"),
    ];
    for (mood, status, code) in moods {
        shop.payments.set(mood);
        connect(&good).await.assert(status, code);
    }
}
