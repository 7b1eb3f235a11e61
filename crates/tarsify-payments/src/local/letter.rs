//! The messages of the built-in provider, in the words of Stripe. The same event has the same id
//! each time; only that of an account, which may go back and forth, tells the moment too.

use serde_json::{Value, json};
use tarsify_domain::clock::Timestamp;
use tarsify_domain::id::{PayoutId, PurchaseId};
use tarsify_domain::payments::{PaymentEvent, PaymentRef, TransferRef};

/// What a message says: what makes its id its own, its type, and the object.
type Letter = (String, &'static str, Value);

/// The message about an event.
pub(super) fn about(event: &PaymentEvent, now: Timestamp) -> Value {
    let (about, kind, object) = letter(event, now);
    json!({
        "id": format!("evt_local_{about}"),
        "object": "event",
        "type": kind,
        "created": now.unix_timestamp(),
        "livemode": false,
        "data": { "object": object },
    })
}

fn letter(event: &PaymentEvent, now: Timestamp) -> Letter {
    match event {
        PaymentEvent::Paid {
            purchase,
            checkout,
            payment,
            cents,
            currency,
        } => {
            let fields = [
                ("id", checkout.as_str().into()),
                ("payment_status", "paid".into()),
                ("payment_intent", payment.as_str().into()),
                ("amount_total", (*cents).into()),
                ("currency", currency.as_str().into()),
            ];
            let session = with(session(*purchase, "complete"), fields);
            let about = format!("{purchase}_paid_{}", payment.as_str());
            (about, "checkout.session.completed", session)
        }
        PaymentEvent::Failed { purchase } => (
            format!("{purchase}_failed"),
            "checkout.session.async_payment_failed",
            session(*purchase, "complete"),
        ),
        PaymentEvent::Expired { purchase } => (
            format!("{purchase}_expired"),
            "checkout.session.expired",
            session(*purchase, "expired"),
        ),
        PaymentEvent::Refunded {
            payment,
            total_cents,
        } => refunded(payment, *total_cents),
        PaymentEvent::Disputed {
            payment,
            dispute,
            cents,
        } => (
            format!("{dispute}_created"),
            "charge.dispute.created",
            disputed(payment, dispute, *cents, "needs_response"),
        ),
        PaymentEvent::DisputeClosed {
            payment,
            dispute,
            cents,
            verdict,
        } => {
            let status = verdict.as_str();
            let object = disputed(payment, dispute, *cents, status);
            (
                format!("{dispute}_{status}"),
                "charge.dispute.closed",
                object,
            )
        }
        PaymentEvent::AccountUpdated {
            account,
            can_be_paid,
        } => {
            let (id, moment) = (account.as_str(), now.unix_timestamp_nanos());
            let object = json!({ "id": id, "object": "account", "payouts_enabled": can_be_paid });
            (
                format!("{id}_{can_be_paid}_{moment}"),
                "account.updated",
                object,
            )
        }
        PaymentEvent::TransferMade { payout, transfer } => (
            format!("{payout}_made"),
            "transfer.created",
            sent(*payout, transfer, &json!(false)),
        ),
        PaymentEvent::TransferReversed { payout, transfer } => (
            format!("{payout}_reversed"),
            "transfer.reversed",
            sent(*payout, transfer, &json!(true)),
        ),
        PaymentEvent::Irrelevant => ("nothing".to_owned(), "local.nothing", json!({})),
    }
}

/// A session that is not paid.
fn session(purchase: PurchaseId, status: &str) -> Value {
    json!({
        "id": format!("cs_local_{purchase}"),
        "object": "checkout.session",
        "mode": "payment",
        "status": status,
        "payment_status": "unpaid",
        "payment_intent": null,
        "client_reference_id": purchase.to_string(),
        "metadata": { "purchase_id": purchase.to_string() },
    })
}

/// The same with other fields.
fn with<const MANY: usize>(mut object: Value, fields: [(&str, Value); MANY]) -> Value {
    if let Some(object) = object.as_object_mut() {
        let fields = fields.into_iter();
        object.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    }
    object
}

fn refunded(payment: &PaymentRef, total_cents: i64) -> Letter {
    let payment = payment.as_str();
    let charge = json!({
        "id": format!("ch_{payment}"),
        "object": "charge",
        "payment_intent": payment,
        "amount_refunded": total_cents,
    });
    let about = format!("{payment}_refunded_{total_cents}");
    (about, "charge.refunded", charge)
}

fn disputed(payment: &PaymentRef, dispute: &str, cents: i64, status: &str) -> Value {
    json!({
        "id": dispute,
        "object": "dispute",
        "payment_intent": payment.as_str(),
        "amount": cents,
        "status": status,
    })
}

fn sent(payout: PayoutId, transfer: &TransferRef, reversed: &Value) -> Value {
    json!({
        "id": transfer.as_str(),
        "object": "transfer",
        "transfer_group": format!("payout:{payout}"),
        "reversed": reversed,
        "metadata": { "payout_id": payout.to_string() },
    })
}
