//! Payouts, as transfers to the accounts of developers. One that may have been made is looked for
//! by its group before it is asked for again: keys are kept for a day only.

use serde_json::Value;
use tarsify_domain::id::PayoutId;
use tarsify_domain::payments::{PaymentError, TransferRef, TransferRequest};

use super::form::{Form, Method, Question};
use super::unreadable;

pub(super) fn question(request: &TransferRequest) -> Question {
    let form = Form::default()
        .with("amount", request.amount.get())
        .with("currency", "usd")
        .with("destination", request.account.as_str())
        .with("transfer_group", group(request.payout))
        .with("metadata[payout_id]", request.payout);
    Question {
        name: "transfer",
        method: Method::Post,
        path: "transfers",
        form,
        key: Some(group(request.payout)),
    }
}

pub(super) fn search(request: &TransferRequest) -> Question {
    Question {
        name: "find_transfer",
        method: Method::Get,
        path: "transfers",
        form: Form::default()
            .with("transfer_group", group(request.payout))
            .with("limit", 1),
        key: None,
    }
}

pub(super) fn read(transfer: &Value) -> Result<TransferRef, PaymentError> {
    let id = transfer.get("id").and_then(Value::as_str);
    let reference = id.and_then(|id| TransferRef::parse(id).ok());
    reference.ok_or_else(|| unreadable("the transfer has no id"))
}

/// The transfer that was made; none if there is none. Anything else in the payout's group was
/// made by somebody else, who has to say what it is before more money leaves.
pub(super) fn read_found(
    list: &Value,
    request: &TransferRequest,
) -> Result<Option<TransferRef>, PaymentError> {
    let transfers = list.get("data").and_then(Value::as_array);
    let transfers = transfers.ok_or_else(|| unreadable("the list of transfers is none"))?;
    let Some(transfer) = transfers.first() else {
        return Ok(None);
    };
    let destination = match transfer.get("destination") {
        Some(Value::Object(account)) => account.get("id"),
        destination => destination,
    };
    let is_ours = transfer.get("amount").and_then(Value::as_i64) == Some(request.amount.get())
        && destination.and_then(Value::as_str) == Some(request.account.as_str());
    if is_ours {
        return read(transfer).map(Some);
    }
    Err(PaymentError::Unavailable(format!(
        "the transfer group {} holds a transfer of another amount or to another account: look there before the payout is sent",
        group(request.payout)
    )))
}

fn group(payout: PayoutId) -> String {
    format!("payout:{payout}")
}

#[cfg(test)]
mod tests;
