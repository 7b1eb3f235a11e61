//! What comes to the webhook: only what is signed has an effect, and whatever has one is thanked.

use serde_json::{Value, json};
use tarsify_domain::payments::{CheckoutRef, PaymentEvent, PaymentRef};
use tarsify_testing::FakePayments;
use tarsify_testing::fake::Mood;

use crate::support::{Ask, Shop};

const HOOK: &str = "/api/webhooks/stripe";
const MOST: usize = 512 * 1_024;

async fn bought(shop: &Shop) -> (String, Value) {
    let token = shop.consumer("ada").await;
    let bought = shop.asks_to_buy(&token, 500).await;
    let bought = bought.assert(201, "").data();
    (token, bought)
}

fn paid(bought: &Value, cents: i64, currency: &str) -> PaymentEvent {
    PaymentEvent::Paid {
        purchase: bought["id"].as_str().unwrap().parse().unwrap(),
        checkout: CheckoutRef::parse("cs_1").unwrap(),
        payment: PaymentRef::parse("pi_1").unwrap(),
        cents,
        currency: currency.to_owned(),
    }
}

fn signed<'a>(ask: Ask<'a>, signature: &str) -> Ask<'a> {
    ask.header("stripe-signature", signature)
}

#[actix_web::test]
async fn forged_messages_change_nothing() {
    let shop = Shop::open().await;
    let (token, bought) = bought(&shop).await;
    let body = shop.payments.body("evt_1", &paid(&bought, 500, "usd"));
    let send = || shop.post(HOOK).bytes(body.clone());
    let forged = [
        send(),
        signed(send(), ""),
        signed(send(), "bad"),
        signed(send(), "t=1,v1=00"),
        send().header("stripe-signature", b"\xff\xfe"),
        send().token(&shop.admin()),
    ];
    for ask in forged {
        let reply = ask.await;
        reply.assert(400, "ERR_1001");
        assert!(reply.text().contains("signing secret"), "{}", reply.text());
    }
    assert_eq!(shop.credits(&token).await["available"], 1_000);
    // The good one is still new.
    let told = signed(send(), FakePayments::GOOD).await;
    told.assert(200, "");
    assert_eq!(shop.credits(&token).await["available"], 1_500);
}

#[actix_web::test]
async fn a_message_may_be_of_any_media_type_and_is_not_larger_than_half_a_mebibyte() {
    let shop = Shop::open().await;
    let (_, bought) = bought(&shop).await;
    let body = shop.payments.body("evt_1", &paid(&bought, 500, "usd"));
    let told = shop.post(HOOK).header("content-type", "text/plain");
    let told = signed(told.raw(body), FakePayments::GOOD).await;
    told.assert(200, "");
    for size in [MOST + 1, 4 * MOST] {
        let huge = || " ".repeat(size);
        let declared = signed(shop.post(HOOK).raw(huge()), FakePayments::GOOD);
        declared.await.assert(413, "ERR_1009");
        let streamed = signed(shop.post(HOOK).chunked(huge()), FakePayments::GOOD);
        streamed.await.assert(413, "ERR_1009");
    }
    // It fits, and it is no message.
    let largest = signed(shop.post(HOOK).raw(" ".repeat(MOST)), FakePayments::GOOD);
    largest.await.assert(400, "ERR_1001");
    for odd in ["", "{", "[]", "null", "{\"id\":1}", "\u{0}"] {
        let odd = signed(shop.post(HOOK).raw(odd), FakePayments::GOOD);
        odd.await.assert(400, "ERR_1001");
    }
}

#[actix_web::test]
async fn every_outcome_is_thanked() {
    let shop = Shop::open().await;
    let (token, bought) = bought(&shop).await;
    let unknown = json!({ "id": "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f7ff" });
    let payment = || PaymentRef::parse("pi_unknown").unwrap();
    let events = [
        ("evt_irrelevant", PaymentEvent::Irrelevant),
        ("evt_unknown", paid(&unknown, 500, "usd")),
        ("evt_underpaid", paid(&bought, 499, "usd")),
        ("evt_currency", paid(&bought, 500, "eur")),
        (
            "evt_remembered",
            PaymentEvent::Refunded {
                payment: payment(),
                total_cents: 500,
            },
        ),
    ];
    for (id, event) in &events {
        for _ in 0..2 {
            let told = shop.is_told(id, event).await;
            assert_eq!(told.assert(200, "").data(), json!({ "received": true }));
        }
    }
    assert_eq!(shop.credits(&token).await["available"], 1_000);
    shop.is_told("evt_paid", &paid(&bought, 500, "usd"))
        .await
        .assert(200, "");
    let PaymentEvent::Paid {
        purchase,
        checkout,
        cents,
        currency,
        ..
    } = paid(&bought, 500, "usd")
    else {
        panic!("it is paid");
    };
    let twice = PaymentEvent::Paid {
        purchase,
        checkout,
        payment: payment(),
        cents,
        currency,
    };
    shop.is_told("evt_twice", &twice).await.assert(200, "");
    assert_eq!(shop.credits(&token).await["available"], 1_500);
    let refunded = PaymentEvent::Refunded {
        payment: PaymentRef::parse("pi_1").unwrap(),
        total_cents: 500,
    };
    shop.is_told("evt_refunded", &refunded)
        .await
        .assert(200, "");
    assert_eq!(shop.credits(&token).await["available"], 1_000);
}

#[actix_web::test]
async fn what_could_not_be_stored_is_to_be_told_again() {
    let shop = Shop::open().await;
    let (token, bought) = bought(&shop).await;
    let tell = || shop.is_told("evt_1", &paid(&bought, 500, "usd"));
    shop.treasury.start_outage();
    tell().await.assert(503, "ERR_1005");
    shop.treasury.end_outage();
    shop.payments.set(Mood::NotConfigured);
    tell().await.assert(503, "ERR_1005");
    shop.payments.set(Mood::Obliging);
    tell().await.assert(200, "");
    assert_eq!(shop.credits(&token).await["available"], 1_500);
}
