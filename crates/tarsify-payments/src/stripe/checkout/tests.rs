//! What is asked for, and what is read.

use serde_json::json;
use tarsify_domain::clock::Timestamp;
use tarsify_domain::id::{ConsumerId, PurchaseId};
use tarsify_domain::payments::PurchaseStatus;

use super::*;

fn request(credits: i64, bonus: i64, email: Option<&str>) -> CheckoutRequest {
    let now = Timestamp::from_unix_timestamp(1_800_000_000).unwrap();
    CheckoutRequest {
        purchase: Purchase {
            id: PurchaseId::new(now),
            consumer: ConsumerId::new(now),
            package: None,
            credits: Credits::new(credits),
            bonus: Credits::new(bonus),
            price_cents: 1_000,
            currency: "usd".to_owned(),
            status: PurchaseStatus::Pending,
            checkout_url: None,
            paid_at: None,
            created_at: now,
        },
        email: email.map(|email| EmailAddress::parse(email).unwrap()),
    }
}

fn pages() -> Pages {
    Pages {
        success: "https://tarsify.example/paid?s={CHECKOUT_SESSION_ID}".to_owned(),
        cancel: "https://tarsify.example/credits".to_owned(),
    }
}

#[test]
fn it_asks_for_one_payment_of_the_price() {
    let request = request(1_000, 50, Some("ada@example.com"));
    let question = question(&request, &pages());
    let id = request.purchase.id.to_string();
    assert_eq!(question.path, "checkout/sessions");
    assert_eq!(question.key, Some(format!("purchase:{id}")));
    for (field, value) in [
        ("mode", "payment"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "1000"),
        (
            "line_items[0][price_data][product_data][name]",
            "1,000 credits (+50 bonus)",
        ),
        ("line_items[0][quantity]", "1"),
        (
            "success_url",
            "https://tarsify.example/paid?s={CHECKOUT_SESSION_ID}",
        ),
        ("cancel_url", "https://tarsify.example/credits"),
        ("client_reference_id", &id),
        ("metadata[purchase_id]", &id),
        ("payment_intent_data[metadata][purchase_id]", &id),
        ("customer_email", "ada@example.com"),
        // 23 hours and 45 minutes later.
        ("expires_at", "1800085500"),
    ] {
        assert_eq!(question.form.value(field), Some(value), "{field}");
    }
    assert!(
        question
            .form
            .encoded()
            .contains("line_items%5B0%5D%5Bquantity%5D=1&")
    );
}

#[test]
fn the_product_is_named_by_its_credits() {
    for (credits, bonus, name) in [
        (1, 0, "1 credit"),
        (500, 0, "500 credits"),
        (1_000, 0, "1,000 credits"),
        (10_000, 1_500, "10,000 credits (+1,500 bonus)"),
        (1_234_567, 0, "1,234,567 credits"),
    ] {
        assert_eq!(product(&request(credits, bonus, None).purchase), name);
    }
}

#[test]
fn only_a_usual_address_is_filled_in() {
    for (email, is_sent) in [
        (Some("ada@example.com"), true),
        (Some("ada@localhost"), false),
        (Some("ädä@example.com"), false),
        (None, false),
    ] {
        let question = question(&request(1, 0, email), &pages());
        assert_eq!(
            question.form.value("customer_email").is_some(),
            is_sent,
            "{email:?}"
        );
    }
}

#[test]
fn a_session_without_id_or_address_is_no_answer() {
    let good = read(&json!({ "id": "cs_1", "url": "https://checkout.stripe.com/c/1" }));
    assert_eq!(good.unwrap().url, "https://checkout.stripe.com/c/1");
    for session in [
        json!({}),
        json!({ "id": "cs_1" }),
        json!({ "id": "cs_1", "url": null }),
        json!({ "id": "cs_1", "url": "javascript:alert(1)" }),
        json!({ "id": "", "url": "https://checkout.stripe.com/c/1" }),
        json!({ "url": "https://checkout.stripe.com/c/1" }),
    ] {
        let read = read(&session);
        assert!(
            matches!(read, Err(PaymentError::Unavailable(_))),
            "{session}"
        );
    }
}
