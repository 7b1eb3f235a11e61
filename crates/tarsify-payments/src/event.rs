//! Reads Stripe's messages. What is about nothing of ours means nothing; what is about us and
//! cannot be read is said to be so, and never guessed.

use serde_json::Value;
use tarsify_domain::clock::Timestamp;
use tarsify_domain::id::{PayoutId, PurchaseId};
use tarsify_domain::payments::{
    AccountRef, CheckoutRef, EventError, PaymentEvent, PaymentRef, ReceivedEvent, TransferRef,
    Verdict,
};

type Read<T> = Result<T, EventError>;

/// Bytes of the longest name or id.
const LONGEST: usize = 255;

/// What a message says whose signature has been checked.
pub(crate) fn read(body: &[u8]) -> Read<ReceivedEvent> {
    let message: Value = match serde_json::from_slice(body) {
        Ok(message) => message,
        Err(_) => return unreadable("it is not JSON"),
    };
    let id = name(message.get("id"), "it has no id")?;
    let kind = name(message.get("type"), "it has no type")?;
    let object = message.pointer("/data/object");
    let event = match object {
        // A connected account has payments of its own. Nothing that happens there is ours, however
        // it names itself, but how the account is.
        Some(Value::Object(_)) if message.get("account").is_some() && kind != "account.updated" => {
            PaymentEvent::Irrelevant
        }
        Some(object @ Value::Object(_)) => meaning(&kind, object)?,
        _ => return unreadable("it is about no object"),
    };
    let told_at = message.get("created").and_then(Value::as_i64);
    let told_at = told_at.and_then(|seconds| Timestamp::from_unix_timestamp(seconds).ok());
    Ok(ReceivedEvent {
        id,
        kind,
        told_at: needed(told_at, "it does not say when it was created")?,
        event,
    })
}

fn meaning(kind: &str, object: &Value) -> Read<PaymentEvent> {
    match kind {
        "checkout.session.completed" => completed(object),
        "checkout.session.async_payment_succeeded" => paid(object),
        "checkout.session.async_payment_failed" => Ok(about_purchase(object, |purchase| {
            PaymentEvent::Failed { purchase }
        })),
        "checkout.session.expired" => Ok(about_purchase(object, |purchase| {
            PaymentEvent::Expired { purchase }
        })),
        "charge.refunded" => refunded(object),
        // The bank only asks, and has taken nothing.
        "charge.dispute.created"
            if text(object, "status").is_some_and(|status| status.starts_with("warning_")) =>
        {
            Ok(PaymentEvent::Irrelevant)
        }
        "charge.dispute.created" | "charge.dispute.funds_withdrawn" => disputed(object),
        "charge.dispute.funds_reinstated" => closed(object, Verdict::Won),
        "charge.dispute.closed" => match text(object, "status") {
            Some("won") => closed(object, Verdict::Won),
            // A question of the bank that it never turned into a dispute: nothing was taken.
            Some("warning_closed") => Ok(PaymentEvent::Irrelevant),
            Some("lost") => closed(object, Verdict::Lost),
            Some(_) => Ok(PaymentEvent::Irrelevant),
            None => unreadable("the dispute has no status"),
        },
        "account.updated" => account(object),
        "transfer.created" => transfer(object, |payout, transfer| PaymentEvent::TransferMade {
            payout,
            transfer,
        }),
        "transfer.reversed" | "transfer.updated" => reversed(object),
        _ => Ok(PaymentEvent::Irrelevant),
    }
}

fn completed(session: &Value) -> Read<PaymentEvent> {
    match text(session, "payment_status") {
        // It is being paid, slowly: another message tells what came of it.
        Some("unpaid") => Ok(PaymentEvent::Irrelevant),
        // Without a payment it is refused there: nothing that we sell is for nothing.
        Some("paid" | "no_payment_required") => paid(session),
        Some(_) if purchase_of(session).is_none() => Ok(PaymentEvent::Irrelevant),
        Some(_) => unreadable("the session has a payment status that is not known"),
        None if purchase_of(session).is_none() => Ok(PaymentEvent::Irrelevant),
        None => unreadable("the session has no payment status"),
    }
}

fn paid(session: &Value) -> Read<PaymentEvent> {
    let Some(purchase) = purchase_of(session) else {
        return Ok(PaymentEvent::Irrelevant);
    };
    let checkout = text(session, "id").and_then(|id| CheckoutRef::parse(id).ok());
    let payment = payment_of(session)?;
    let currency = text(session, "currency")
        .filter(|code| code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_alphabetic()));
    Ok(PaymentEvent::Paid {
        purchase,
        checkout: needed(checkout, "the session has no id")?,
        payment: needed(payment, "the session is paid without a payment")?,
        cents: cents(session, "amount_total")?,
        currency: needed(currency, "the session has no currency")?.to_ascii_lowercase(),
    })
}

fn about_purchase(session: &Value, event: impl Fn(PurchaseId) -> PaymentEvent) -> PaymentEvent {
    purchase_of(session).map_or(PaymentEvent::Irrelevant, event)
}

fn refunded(charge: &Value) -> Read<PaymentEvent> {
    let Some(payment) = payment_of(charge)? else {
        return Ok(PaymentEvent::Irrelevant);
    };
    Ok(PaymentEvent::Refunded {
        payment,
        total_cents: cents(charge, "amount_refunded")?,
    })
}

fn disputed(dispute: &Value) -> Read<PaymentEvent> {
    let Some(payment) = payment_of(dispute)? else {
        return Ok(PaymentEvent::Irrelevant);
    };
    Ok(PaymentEvent::Disputed {
        payment,
        dispute: name(dispute.get("id"), "the dispute has no id")?,
        cents: cents(dispute, "amount")?,
    })
}

fn closed(dispute: &Value, verdict: Verdict) -> Read<PaymentEvent> {
    let Some(payment) = payment_of(dispute)? else {
        return Ok(PaymentEvent::Irrelevant);
    };
    Ok(PaymentEvent::DisputeClosed {
        payment,
        dispute: name(dispute.get("id"), "the dispute has no id")?,
        cents: cents(dispute, "amount")?,
        verdict,
    })
}

fn account(account: &Value) -> Read<PaymentEvent> {
    let id = text(account, "id").and_then(|id| AccountRef::parse(id).ok());
    let can_be_paid = account.get("payouts_enabled").and_then(Value::as_bool);
    Ok(PaymentEvent::AccountUpdated {
        account: needed(id, "the account has no id")?,
        can_be_paid: needed(
            can_be_paid,
            "the account does not say whether it is paid out",
        )?,
    })
}

/// A part of it that came back is for a person to look at.
fn reversed(object: &Value) -> Read<PaymentEvent> {
    if object.get("reversed").and_then(Value::as_bool) != Some(true) {
        return Ok(PaymentEvent::Irrelevant);
    }
    transfer(object, |payout, transfer| PaymentEvent::TransferReversed {
        payout,
        transfer,
    })
}

fn transfer(
    object: &Value,
    event: impl Fn(PayoutId, TransferRef) -> PaymentEvent,
) -> Read<PaymentEvent> {
    let payout = object
        .pointer("/metadata/payout_id")
        .and_then(Value::as_str);
    let Some(payout) = payout.and_then(|id| id.parse().ok()) else {
        return Ok(PaymentEvent::Irrelevant);
    };
    let transfer = text(object, "id").and_then(|id| TransferRef::parse(id).ok());
    Ok(event(payout, needed(transfer, "the transfer has no id")?))
}

/// The metadata is ours alone, while a link can set the other one: so it comes first.
fn purchase_of(session: &Value) -> Option<PurchaseId> {
    let ours = session.pointer("/metadata/purchase_id");
    let references = [ours, session.get("client_reference_id")];
    let mut ids = references.into_iter().flatten().filter_map(Value::as_str);
    ids.find_map(|id| id.parse().ok())
}

/// The payment, which is there by its id or as a whole; none where there is none.
fn payment_of(object: &Value) -> Read<Option<PaymentRef>> {
    let id = match object.get("payment_intent") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(payment)) => payment.get("id").and_then(Value::as_str),
        Some(id) => id.as_str(),
    };
    let payment = id.and_then(|id| PaymentRef::parse(id).ok());
    needed(payment, "its payment has no id").map(Some)
}

fn cents(object: &Value, field: &str) -> Read<i64> {
    let amount = object.get(field).and_then(Value::as_i64);
    let amount = amount.filter(|amount| *amount >= 0);
    needed(amount, "its amount is not a whole number of cents")
}

fn text<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object.get(field).and_then(Value::as_str)
}

fn name(value: Option<&Value>, missing: &'static str) -> Read<String> {
    let text = value.and_then(Value::as_str).filter(|text| {
        (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    });
    needed(text, missing).map(str::to_owned)
}

fn needed<T>(value: Option<T>, missing: &'static str) -> Read<T> {
    value.ok_or(EventError::Unreadable(missing))
}

fn unreadable<T>(what: &'static str) -> Read<T> {
    Err(EventError::Unreadable(what))
}

#[cfg(test)]
mod tests;
