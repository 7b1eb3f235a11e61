//! Buying credits: what is taken, what is refused, and that only the provider's word counts.

use serde_json::{Value, json};
use tarsify_domain::payments::{CheckoutRef, PaymentEvent, PaymentRef};
use tarsify_testing::fake::Mood;

use crate::support::{Reply, Shop};

const BUY: &str = "/api/marketplace/credits/purchase";

async fn package(shop: &Shop) -> Value {
    let offer = shop.get("/api/marketplace/credits/packages").await;
    offer.assert(200, "").data()["packages"][1].clone()
}

fn paid(bought: &Value, payment: &str, cents: i64) -> PaymentEvent {
    PaymentEvent::Paid {
        purchase: bought["id"].as_str().unwrap().parse().unwrap(),
        checkout: CheckoutRef::parse("cs_1").unwrap(),
        payment: PaymentRef::parse(payment).unwrap(),
        cents,
        currency: "usd".to_owned(),
    }
}

async fn shown(shop: &Shop, token: &str, bought: &Reply) -> Value {
    let place = bought.header("location");
    shop.get(place).token(token).await.assert(200, "").data()
}

#[actix_web::test]
async fn a_purchase_grants_nothing_before_it_is_paid_and_its_credits_once() {
    let shop = Shop::open().await;
    let token = shop.consumer("ada").await;
    let bought = shop.asks_to_buy(&token, 500).await;
    let data = bought.assert(201, "").data();
    assert_eq!(data["status"], "PENDING");
    assert_eq!(shown(&shop, &token, &bought).await, data);
    assert_eq!(shop.credits(&token).await["available"], 1_000);
    for number in 0..3 {
        // The same message again, and another message about the same payment.
        let id = format!("evt_{}", number / 2);
        let told = shop.is_told(&id, &paid(&data, "pi_1", 500)).await;
        assert_eq!(told.assert(200, "").data(), json!({ "received": true }));
    }
    let after = shown(&shop, &token, &bought).await;
    assert_eq!(after["status"], "PAID");
    assert_ne!(after["paidAt"], Value::Null);
    let credits = shop.credits(&token).await;
    assert_eq!(credits["available"], 1_500);
    assert_eq!(credits["lifetimePurchased"], 500);
    assert_eq!(credits["tier"], "premium");
}

#[actix_web::test]
async fn a_package_is_bought_as_it_is_on_offer() {
    let shop = Shop::open().await;
    let token = shop.consumer("ada").await;
    let package = package(&shop).await;
    let buy = || {
        let ask = shop.post(BUY).token(&token);
        ask.json(&json!({ "packageId": package["id"] }))
    };
    let data = buy().await.assert(201, "").data();
    assert_eq!(data["packageId"], package["id"]);
    assert_eq!(data["creditsAmount"], package["credits"]);
    assert_eq!(data["bonusCredits"], package["bonusCredits"]);
    assert_eq!(data["amountCents"], package["priceCents"]);
    let gone = format!(
        "/api/admin/credit-packages/{}",
        package["id"].as_str().unwrap()
    );
    let gone = shop.ask(actix_web::http::Method::DELETE, gone);
    gone.token(&shop.admin()).await.assert(204, "");
    let pages = shop.payments.checkouts().len();
    buy().await.assert(404, "ERR_7001");
    let absent = json!({ "packageId": "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f7ff" });
    let absent = shop.post(BUY).token(&token).json(&absent).await;
    absent.assert(404, "ERR_7001");
    assert_eq!(shop.payments.checkouts().len(), pages);
}

#[actix_web::test]
async fn amounts_that_are_none_are_refused_by_name() {
    let shop = Shop::open().await;
    let token = shop.consumer("ada").await;
    let cases = [
        (json!(0), "range"),
        (json!(-1), "range"),
        (json!(-500), "range"),
        (json!(499), "range"),
        (json!(50_001), "range"),
        (json!(i64::MAX), "range"),
        (json!(i64::MIN), "range"),
        (json!(u64::MAX), "type"),
        (json!(1e30), "type"),
        (json!(500.5), "type"),
        (json!(500.0), "type"),
        (json!("500"), "type"),
        (json!("5e2"), "type"),
        (json!(true), "type"),
        (json!([500]), "type"),
        (json!({ "cents": 500 }), "type"),
    ];
    for (cents, code) in cases {
        let body = json!({ "amountCents": cents });
        let reply = shop.post(BUY).token(&token).json(&body).await;
        reply.assert_faults(&[("/amountCents", code)]);
    }
    for (package, code) in [(json!("x"), "format"), (json!(7), "type")] {
        let body = json!({ "packageId": package });
        let reply = shop.post(BUY).token(&token).json(&body).await;
        reply.assert_faults(&[("/packageId", code)]);
    }
    let package = package(&shop).await;
    let both = json!({ "packageId": package["id"], "amountCents": 500 });
    let both = shop.post(BUY).token(&token).json(&both).await;
    both.assert_faults(&[("/amountCents", "conflict"), ("/packageId", "conflict")]);
    for neither in [json!({}), json!({ "packageId": null, "amountCents": null })] {
        let reply = shop.post(BUY).token(&token).json(&neither).await;
        reply.assert_faults(&[("/amountCents", "required"), ("/packageId", "required")]);
    }
    for (cents, status) in [(500, 201), (50_000, 201)] {
        assert_eq!(shop.asks_to_buy(&token, cents).await.status, status);
    }
    assert_eq!(shop.payments.checkouts().len(), 2);
}

#[actix_web::test]
async fn a_repeated_purchase_is_one() {
    let shop = Shop::open().await;
    let token = shop.consumer("ada").await;
    let buy = |cents| {
        shop.asks_to_buy(&token, cents)
            .header("idempotency-key", "one")
    };
    let first = buy(500).await;
    let again = buy(500).await;
    assert_eq!(first.assert(201, "").text(), again.assert(201, "").text());
    assert_eq!(again.header("idempotency-replayed"), "true");
    buy(600).await.assert(422, "ERR_1007");
    assert_eq!(shop.payments.checkouts().len(), 1);
}

#[actix_web::test]
async fn a_provider_that_does_nothing_leaves_a_purchase_that_failed() {
    let shop = Shop::open().await;
    let token = shop.consumer("ada").await;
    let moods = [
        (Mood::Refusing, 402, "ERR_7000"),
        (Mood::Unreachable, 503, "ERR_1005"),
        (Mood::NotConfigured, 503, "ERR_1005"),
    ];
    for (mood, status, code) in moods {
        shop.payments.set(mood);
        let reply = shop.asks_to_buy(&token, 500).await;
        reply.assert(status, code);
        for cause in ["card_declined", "no answer"] {
            assert!(!reply.text().contains(cause), "{mood:?}");
        }
    }
    let history = shop.get("/api/marketplace/credits/history");
    let history = history.token(&token).await.assert(200, "").data();
    let history = history.as_array().unwrap();
    assert_eq!(history.len(), 3);
    assert!(history.iter().all(|each| each["status"] == "FAILED"));
    // The key of a refusal is free.
    shop.payments.set(Mood::Refusing);
    let keyed = || shop.asks_to_buy(&token, 500).header("idempotency-key", "k");
    keyed().await.assert(402, "ERR_7000");
    shop.payments.set(Mood::Obliging);
    keyed().await.assert(201, "");
}

#[actix_web::test]
async fn another_consumers_purchase_answers_like_an_absent_one() {
    let shop = Shop::open().await;
    let ada = shop.consumer("ada").await;
    let eve = shop.consumer("eve").await;
    let bought = shop.asks_to_buy(&ada, 500).await;
    let read = async |path: &str| {
        let ask = shop.get(path).token(&eve).header("x-request-id", "same");
        let reply = ask.await;
        reply.assert(404, "ERR_7001").text()
    };
    let foreign = read(bought.header("location")).await;
    let absent = crate::support::without_ids("/api/marketplace/credits/purchases/{id}");
    assert_eq!(foreign, read(&absent).await);
    let history = shop.get("/api/marketplace/credits/history").token(&eve);
    assert_eq!(history.await.data(), json!([]));
}
