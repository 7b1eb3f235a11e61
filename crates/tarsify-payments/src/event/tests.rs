//! Messages as Stripe sends them, and what they mean.

use serde_json::json;

use super::*;

const PURCHASE: &str = "0199aaaa-0000-7000-8000-000000000001";
const PAYOUT: &str = "0199aaaa-0000-7000-8000-000000000002";

fn message(kind: &str, object: &Value) -> Vec<u8> {
    let message = json!({
        "id": "evt_1Test",
        "object": "event",
        "api_version": "2024-06-20",
        "created": 1_800_000_000,
        "data": { "object": object },
        "livemode": false,
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "type": kind,
    });
    message.to_string().into_bytes()
}

fn meant(kind: &str, object: &Value) -> Read<PaymentEvent> {
    let received = read(&message(kind, object))?;
    assert_eq!(
        (received.id.as_str(), received.kind.as_str()),
        ("evt_1Test", kind)
    );
    assert_eq!(received.told_at.unix_timestamp(), 1_800_000_000);
    Ok(received.event)
}

/// The object with some fields set otherwise.
fn but(object: &Value, fields: &Value) -> Value {
    let mut object = object.clone();
    for (name, value) in fields.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

fn session() -> Value {
    json!({
        "id": "cs_test_a1",
        "object": "checkout.session",
        "amount_subtotal": 1_000,
        "amount_total": 1_000,
        "client_reference_id": PURCHASE,
        "currency": "usd",
        "customer_details": { "email": "ada@example.com" },
        "expires_at": 1_800_085_500,
        "metadata": { "purchase_id": PURCHASE },
        "mode": "payment",
        "payment_intent": "pi_3Test",
        "payment_status": "paid",
        "status": "complete",
        "url": null,
    })
}

fn dispute(status: &str) -> Value {
    json!({
        "id": "dp_1Test",
        "object": "dispute",
        "amount": 1_000,
        "charge": "ch_3Test",
        "currency": "usd",
        "payment_intent": "pi_3Test",
        "reason": "fraudulent",
        "status": status,
    })
}

fn sent(reversed: &Value) -> Value {
    json!({
        "id": "tr_1Test",
        "object": "transfer",
        "amount": 5_000,
        "amount_reversed": 0,
        "currency": "usd",
        "destination": "acct_1Test",
        "metadata": { "payout_id": PAYOUT },
        "reversed": reversed,
        "transfer_group": format!("payout:{PAYOUT}"),
    })
}

fn paid_event() -> PaymentEvent {
    PaymentEvent::Paid {
        purchase: PURCHASE.parse().unwrap(),
        checkout: CheckoutRef::parse("cs_test_a1").unwrap(),
        payment: PaymentRef::parse("pi_3Test").unwrap(),
        cents: 1_000,
        currency: "usd".to_owned(),
    }
}

#[test]
fn a_session_is_paid_when_it_says_so() {
    const COMPLETED: &str = "checkout.session.completed";
    let session = session();
    assert_eq!(meant(COMPLETED, &session), Ok(paid_event()));
    for (why, fields) in [
        (
            "the payment is there as a whole",
            json!({ "payment_intent": { "id": "pi_3Test" } }),
        ),
        ("only the reference is ours", json!({ "metadata": {} })),
        (
            "only the metadata is ours",
            json!({ "client_reference_id": null }),
        ),
        (
            "somebody set the reference",
            json!({ "client_reference_id": PAYOUT }),
        ),
        ("the currency is in capitals", json!({ "currency": "USD" })),
    ] {
        assert_eq!(
            meant(COMPLETED, &but(&session, &fields)),
            Ok(paid_event()),
            "{why}"
        );
    }
    let slow = but(&session, &json!({ "payment_status": "unpaid" }));
    assert_eq!(meant(COMPLETED, &slow), Ok(PaymentEvent::Irrelevant));
    for kind in [COMPLETED, "checkout.session.async_payment_succeeded"] {
        assert_eq!(meant(kind, &session), Ok(paid_event()));
        let other = json!({ "client_reference_id": "order-7", "metadata": {} });
        assert_eq!(
            meant(kind, &but(&session, &other)),
            Ok(PaymentEvent::Irrelevant)
        );
    }
}

#[test]
fn a_session_of_ours_that_cannot_be_read_is_said_to_be_so() {
    for fields in [
        json!({ "id": null }),
        json!({ "payment_intent": null }),
        json!({ "payment_intent": 5 }),
        json!({ "payment_intent": {} }),
        json!({ "payment_intent": "" }),
        json!({ "amount_total": null }),
        json!({ "amount_total": "1000" }),
        json!({ "amount_total": 999.5 }),
        json!({ "amount_total": -1 }),
        json!({ "currency": null }),
        json!({ "currency": "dollars" }),
        json!({ "payment_status": null }),
        json!({ "payment_status": "refunded" }),
        json!({ "payment_status": "PAID" }),
    ] {
        let read = meant("checkout.session.completed", &but(&session(), &fields));
        assert!(
            matches!(read, Err(EventError::Unreadable(_))),
            "{fields}: {read:?}"
        );
    }
}

#[test]
fn a_session_that_is_not_paid_ends() {
    let purchase = PURCHASE.parse().unwrap();
    let unpaid = but(
        &session(),
        &json!({ "payment_status": "unpaid", "payment_intent": null }),
    );
    let failed = meant("checkout.session.async_payment_failed", &unpaid);
    assert_eq!(failed, Ok(PaymentEvent::Failed { purchase }));
    let expired = meant("checkout.session.expired", &unpaid);
    assert_eq!(expired, Ok(PaymentEvent::Expired { purchase }));
    let other = but(
        &unpaid,
        &json!({ "client_reference_id": null, "metadata": null }),
    );
    for kind in [
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    ] {
        assert_eq!(meant(kind, &other), Ok(PaymentEvent::Irrelevant));
    }
}

#[test]
fn a_refund_tells_how_much_went_back_in_all() {
    let charge = json!({
        "id": "ch_3Test",
        "object": "charge",
        "amount": 1_000,
        "amount_refunded": 400,
        "payment_intent": "pi_3Test",
        "refunded": false,
    });
    let refunded = PaymentEvent::Refunded {
        payment: PaymentRef::parse("pi_3Test").unwrap(),
        total_cents: 400,
    };
    assert_eq!(meant("charge.refunded", &charge), Ok(refunded));
    let other = but(&charge, &json!({ "payment_intent": null }));
    assert_eq!(
        meant("charge.refunded", &other),
        Ok(PaymentEvent::Irrelevant)
    );
    let without = but(&charge, &json!({ "amount_refunded": null }));
    assert!(meant("charge.refunded", &without).is_err());
}

#[test]
fn a_dispute_begins_and_ends() {
    let payment = PaymentRef::parse("pi_3Test").unwrap();
    let disputed = PaymentEvent::Disputed {
        payment: payment.clone(),
        dispute: "dp_1Test".to_owned(),
        cents: 1_000,
    };
    let ended = |verdict| PaymentEvent::DisputeClosed {
        payment: payment.clone(),
        dispute: "dp_1Test".to_owned(),
        cents: 1_000,
        verdict,
    };
    for (kind, status, expected) in [
        ("charge.dispute.created", "needs_response", disputed.clone()),
        (
            "charge.dispute.created",
            "warning_needs_response",
            PaymentEvent::Irrelevant,
        ),
        ("charge.dispute.funds_withdrawn", "needs_response", disputed),
        (
            "charge.dispute.funds_reinstated",
            "won",
            ended(Verdict::Won),
        ),
        ("charge.dispute.closed", "won", ended(Verdict::Won)),
        (
            "charge.dispute.closed",
            "warning_closed",
            PaymentEvent::Irrelevant,
        ),
        ("charge.dispute.closed", "lost", ended(Verdict::Lost)),
        (
            "charge.dispute.closed",
            "under_review",
            PaymentEvent::Irrelevant,
        ),
        (
            "charge.dispute.updated",
            "under_review",
            PaymentEvent::Irrelevant,
        ),
    ] {
        assert_eq!(
            meant(kind, &dispute(status)),
            Ok(expected),
            "{kind} {status}"
        );
    }
    for fields in [
        json!({ "id": null }),
        json!({ "amount": null }),
        json!({ "id": "dp 1" }),
    ] {
        let dispute = but(&dispute("lost"), &fields);
        assert!(
            meant("charge.dispute.created", &dispute).is_err(),
            "{fields}"
        );
        assert!(
            meant("charge.dispute.closed", &dispute).is_err(),
            "{fields}"
        );
    }
    let other = but(&dispute("lost"), &json!({ "payment_intent": null }));
    assert_eq!(
        meant("charge.dispute.closed", &other),
        Ok(PaymentEvent::Irrelevant)
    );
    let mute = but(&dispute("lost"), &json!({ "status": null }));
    assert!(meant("charge.dispute.closed", &mute).is_err());
}

#[test]
fn an_account_can_be_paid_when_it_is_paid_out() {
    for can_be_paid in [true, false] {
        let account = json!({
            "id": "acct_1Test",
            "object": "account",
            "charges_enabled": !can_be_paid,
            "payouts_enabled": can_be_paid,
            "requirements": { "currently_due": [] },
        });
        let updated = PaymentEvent::AccountUpdated {
            account: AccountRef::parse("acct_1Test").unwrap(),
            can_be_paid,
        };
        assert_eq!(meant("account.updated", &account), Ok(updated));
    }
    for account in [
        json!({ "id": "acct_1" }),
        json!({ "payouts_enabled": true }),
    ] {
        assert!(meant("account.updated", &account).is_err(), "{account}");
    }
}

#[test]
fn a_transfer_is_made_and_may_come_back_as_a_whole() {
    let payout = PAYOUT.parse().unwrap();
    let transfer = TransferRef::parse("tr_1Test").unwrap();
    let made = PaymentEvent::TransferMade {
        payout,
        transfer: transfer.clone(),
    };
    let reversed = PaymentEvent::TransferReversed { payout, transfer };
    for (kind, is_reversed, expected) in [
        ("transfer.created", json!(false), made),
        ("transfer.reversed", json!(true), reversed.clone()),
        ("transfer.updated", json!(true), reversed),
        ("transfer.reversed", json!(false), PaymentEvent::Irrelevant),
        ("transfer.updated", json!(false), PaymentEvent::Irrelevant),
        ("transfer.updated", json!("true"), PaymentEvent::Irrelevant),
    ] {
        assert_eq!(
            meant(kind, &sent(&is_reversed)),
            Ok(expected),
            "{kind} {is_reversed}"
        );
    }
    for metadata in [json!({}), json!(null), json!({ "payout_id": "7" })] {
        let other = but(&sent(&json!(true)), &json!({ "metadata": metadata }));
        for kind in ["transfer.created", "transfer.reversed"] {
            assert_eq!(meant(kind, &other), Ok(PaymentEvent::Irrelevant));
        }
    }
    let without = but(&sent(&json!(true)), &json!({ "id": null }));
    assert!(meant("transfer.created", &without).is_err());
}

#[test]
fn other_messages_mean_nothing() {
    for kind in [
        "payment_intent.succeeded",
        "payout.paid",
        "customer.created",
        "x",
    ] {
        assert_eq!(
            meant(kind, &session()),
            Ok(PaymentEvent::Irrelevant),
            "{kind}"
        );
    }
}

#[test]
fn what_is_no_message_is_said_to_be_none() {
    let good = json!({ "id": "evt_1", "type": "x", "created": 1, "data": { "object": {} } });
    assert!(read(good.to_string().as_bytes()).is_ok());
    for fields in [
        json!({ "id": null }),
        json!({ "id": "" }),
        json!({ "id": "evt 1" }),
        json!({ "id": "e".repeat(256) }),
        json!({ "type": null }),
        json!({ "type": "x\u{0}" }),
        json!({ "created": null }),
        json!({ "created": "2026-11-21" }),
        json!({ "created": i64::MAX }),
        json!({ "data": null }),
        json!({ "data": { "object": null } }),
        json!({ "data": { "object": [] } }),
    ] {
        let read = read(but(&good, &fields).to_string().as_bytes());
        assert!(matches!(read, Err(EventError::Unreadable(_))), "{fields}");
    }
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "{",
        "null",
        "[]",
        "\"evt_1\"",
        "\u{feff}{}",
        deep.as_str(),
    ] {
        assert!(matches!(
            read(body.as_bytes()),
            Err(EventError::Unreadable(_))
        ));
    }
}

#[test]
fn what_is_almost_a_message_is_read_as_it_stands_or_not_at_all() {
    let messages = [
        message("checkout.session.completed", &session()),
        message("charge.dispute.created", &dispute("needs_response")),
        message("charge.dispute.closed", &dispute("lost")),
        message("transfer.reversed", &sent(&json!(true))),
    ];
    tarsify_testing::almost(&messages.each_ref().map(Vec::as_slice), |body| {
        if let Ok(received) = read(body) {
            let said: Value = serde_json::from_slice(body).unwrap();
            assert_eq!(said["id"], received.id.as_str());
            assert_eq!(said["type"], received.kind.as_str());
            if let PaymentEvent::Paid {
                cents, currency, ..
            } = received.event
            {
                let object = &said["data"]["object"];
                assert_eq!(object["amount_total"], cents);
                assert!(cents >= 0, "{cents}");
                let said = object["currency"].as_str().unwrap();
                assert_eq!(said.to_ascii_lowercase(), currency);
                assert_eq!(object["payment_status"], "paid");
            }
        }
    });
}

proptest::proptest! {
    #[test]
    fn no_body_breaks_it(body: Vec<u8>) {
        proptest::prop_assert!(read(&body).is_err());
    }

    #[test]
    fn no_message_breaks_it(
        kind in "(checkout\\.session|charge|charge\\.dispute|transfer|account)\\.(completed|async_payment_succeeded|expired|refunded|created|closed|updated|reversed)",
        field in "(id|payment_intent|amount_total|currency|metadata|status|reversed|payouts_enabled)",
        value in proptest::prop_oneof![
            proptest::strategy::Just(Value::Null),
            proptest::strategy::Strategy::prop_map(proptest::prelude::any::<i64>(), Value::from),
            proptest::strategy::Strategy::prop_map(proptest::prelude::any::<f64>(), Value::from),
            proptest::strategy::Strategy::prop_map(".{0,300}", Value::from),
        ],
    ) {
        let whole = but(&session(), &but(&dispute("lost"), &sent(&json!(true))));
        // Whatever comes of it, it ends.
        let _ = read(&message(&kind, &but(&whole, &json!({ field: value }))));
    }
}

/// Whoever has a connected account can make payments there that name a purchase here.
#[test]
fn nothing_that_happens_on_a_connected_account_pays_anything_here() {
    for kind in [
        "checkout.session.completed",
        "charge.refunded",
        "transfer.created",
    ] {
        let mut told: Value = serde_json::from_slice(&message(kind, &session())).unwrap();
        told["account"] = json!("acct_1Stranger");
        let received = read(&serde_json::to_vec(&told).unwrap()).unwrap();
        assert_eq!(received.event, PaymentEvent::Irrelevant, "{kind}");
    }
    let account = json!({ "id": "acct_1Test", "object": "account", "payouts_enabled": true });
    let mut told: Value = serde_json::from_slice(&message("account.updated", &account)).unwrap();
    told["account"] = json!("acct_1Test");
    let received = read(&serde_json::to_vec(&told).unwrap()).unwrap();
    assert!(matches!(
        received.event,
        PaymentEvent::AccountUpdated {
            can_be_paid: true,
            ..
        }
    ));
}
