//! The messages of the fake provider: a JSON object each, with the name of what happened and
//! everything that belongs to it.

use serde_json::{Value, json};
use tarsify_domain::id::{PayoutId, PurchaseId};
use tarsify_domain::payments::{
    AccountRef, CheckoutRef, PaymentEvent, PaymentRef, ReceivedEvent, TransferRef, Verdict,
};

use crate::clock::MOMENT;

/// An id that the same event has each time.
pub(super) fn id(event: &PaymentEvent) -> String {
    let Value::Object(said) = said(event) else {
        return "evt".to_owned();
    };
    let parts = said.values().map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    format!("evt_{}", parts.collect::<Vec<_>>().join("_"))
}

pub(super) fn write(id: &str, event: &PaymentEvent) -> Vec<u8> {
    let message = json!({"id": id, "event": said(event)});
    message.to_string().into_bytes()
}

fn said(event: &PaymentEvent) -> Value {
    match event {
        PaymentEvent::Paid {
            purchase,
            checkout,
            payment,
            cents,
            currency,
        } => json!({
            "kind": "paid", "purchase": purchase.to_string(), "checkout": checkout.as_str(),
            "payment": payment.as_str(), "cents": cents, "currency": currency,
        }),
        PaymentEvent::Failed { purchase } => {
            json!({"kind": "failed", "purchase": purchase.to_string()})
        }
        PaymentEvent::Expired { purchase } => {
            json!({"kind": "expired", "purchase": purchase.to_string()})
        }
        PaymentEvent::Refunded {
            payment,
            total_cents,
        } => json!({"kind": "refunded", "payment": payment.as_str(), "cents": total_cents}),
        PaymentEvent::Disputed {
            payment,
            dispute,
            cents,
        } => json!({
            "kind": "disputed", "payment": payment.as_str(), "dispute": dispute, "cents": cents,
        }),
        PaymentEvent::DisputeClosed {
            payment,
            dispute,
            cents,
            verdict,
        } => json!({
            "kind": "dispute_closed", "payment": payment.as_str(), "dispute": dispute,
            "cents": cents, "verdict": verdict.as_str(),
        }),
        PaymentEvent::AccountUpdated {
            account,
            can_be_paid,
        } => json!({"kind": "account", "account": account.as_str(), "canBePaid": can_be_paid}),
        PaymentEvent::TransferMade { payout, transfer } => json!({
            "kind": "transfer_made", "payout": payout.to_string(), "transfer": transfer.as_str(),
        }),
        PaymentEvent::TransferReversed { payout, transfer } => json!({
            "kind": "transfer_reversed", "payout": payout.to_string(),
            "transfer": transfer.as_str(),
        }),
        PaymentEvent::Irrelevant => json!({"kind": "irrelevant"}),
    }
}

/// The message, or nothing when it is none.
pub(super) fn read(body: &[u8]) -> Option<ReceivedEvent> {
    let message: Value = serde_json::from_slice(body).ok()?;
    let said = message.get("event")?;
    let kind = said.get("kind")?.as_str()?;
    Some(ReceivedEvent {
        id: message.get("id")?.as_str()?.to_owned(),
        kind: kind.to_owned(),
        told_at: MOMENT,
        event: event(kind, said)?,
    })
}

fn event(kind: &str, said: &Value) -> Option<PaymentEvent> {
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    let cents = || said.get("cents").and_then(Value::as_i64);
    let purchase = || text("purchase")?.parse::<PurchaseId>().ok();
    let payout = || text("payout")?.parse::<PayoutId>().ok();
    let payment = || PaymentRef::parse(text("payment")?).ok();
    let transfer = || TransferRef::parse(text("transfer")?).ok();
    let dispute = || text("dispute").map(str::to_owned);
    Some(match kind {
        "paid" => PaymentEvent::Paid {
            purchase: purchase()?,
            checkout: CheckoutRef::parse(text("checkout")?).ok()?,
            payment: payment()?,
            cents: cents()?,
            currency: text("currency")?.to_owned(),
        },
        "failed" => PaymentEvent::Failed {
            purchase: purchase()?,
        },
        "expired" => PaymentEvent::Expired {
            purchase: purchase()?,
        },
        "refunded" => PaymentEvent::Refunded {
            payment: payment()?,
            total_cents: cents()?,
        },
        "disputed" => PaymentEvent::Disputed {
            payment: payment()?,
            dispute: dispute()?,
            cents: cents()?,
        },
        "dispute_closed" => PaymentEvent::DisputeClosed {
            payment: payment()?,
            dispute: dispute()?,
            cents: cents()?,
            verdict: Verdict::parse(text("verdict")?).ok()?,
        },
        "account" => PaymentEvent::AccountUpdated {
            account: AccountRef::parse(text("account")?).ok()?,
            can_be_paid: said.get("canBePaid")?.as_bool()?,
        },
        "transfer_made" => PaymentEvent::TransferMade {
            payout: payout()?,
            transfer: transfer()?,
        },
        "transfer_reversed" => PaymentEvent::TransferReversed {
            payout: payout()?,
            transfer: transfer()?,
        },
        "irrelevant" => PaymentEvent::Irrelevant,
        _ => return None,
    })
}
