//! What is made of a reply. A refusal is one in Stripe's own words and about what we asked for;
//! everything else, such as our key, our balance or our haste, is for the operator to mend and
//! may be asked again.

use std::time::Duration;

use serde_json::Value;

use super::cleaner::Cleaner;
use super::line::{Answer, Reply};

/// What a reply means.
#[derive(Debug, PartialEq)]
pub(super) enum Judged {
    /// It was done, and this is the object.
    Done(Value),
    /// It is refused for good.
    Refused(String),
    /// It may have been done or not, and asking at once is no use.
    Unknown(String),
    /// The same, and it may be different soon.
    Passing {
        said: String,
        retry_after: Option<Duration>,
    },
}

/// Codes of requests that are wrong through nobody but the operator or ourselves. To end a
/// developer's payout for them would be unjust.
const OURS: [&str; 11] = [
    "api_key_expired",
    "balance_insufficient",
    "idempotency_key_in_use",
    "insufficient_funds",
    "livemode_mismatch",
    "lock_timeout",
    "platform_api_key_expired",
    "platform_account_required",
    "rate_limit",
    "secret_key_required",
    "tls_version_unsupported",
];

pub(super) fn judge(reply: &Reply, cleaner: &Cleaner) -> Judged {
    let answer = match reply {
        Reply::Silence(why) => return passing((*why).to_owned(), None),
        Reply::Answer(answer) => answer,
    };
    let body: Option<Value> = answer
        .body
        .as_deref()
        .and_then(|body| serde_json::from_slice(body).ok());
    if answer.status.is_success() {
        return match body {
            Some(object @ Value::Object(_)) => Judged::Done(object),
            _ => passing("its answer cannot be read".to_owned(), answer.retry_after),
        };
    }
    let error = body.as_ref().and_then(|body| body.get("error"));
    let said = said(answer, error, cleaner);
    if is_refusal(answer, error) {
        return Judged::Refused(said);
    }
    let said = format!("HTTP {}: {said}", answer.status.as_u16());
    if may_pass(answer) {
        passing(said, answer.retry_after)
    } else {
        Judged::Unknown(said)
    }
}

fn passing(said: String, retry_after: Option<Duration>) -> Judged {
    Judged::Passing { said, retry_after }
}

/// The same key with other fields is no refusal either: what was asked first under that key may
/// well have been done.
fn is_refusal(answer: &Answer, error: Option<&Value>) -> bool {
    if !matches!(answer.status.as_u16(), 400 | 402 | 404 | 422) {
        return false;
    }
    let word = |field| error.and_then(|error| error.get(field)?.as_str());
    let is_stripes = matches!(word("type"), Some("invalid_request_error" | "card_error"));
    let code = word("code").unwrap_or_default();
    is_stripes && !OURS.contains(&code) && !code.starts_with("parameter_")
}

fn may_pass(answer: &Answer) -> bool {
    // It is kept under the key: it will be the same until the key is forgotten.
    if answer.is_replayed {
        return false;
    }
    match answer.should_retry {
        Some(should) => should,
        None => matches!(answer.status.as_u16(), 409 | 500..),
    }
}

fn said(answer: &Answer, error: Option<&Value>, cleaner: &Cleaner) -> String {
    let word = |field| error.and_then(|error| error.get(field)?.as_str());
    let code = word("code").or_else(|| word("type"));
    match (code, word("message")) {
        (Some(code), Some(message)) => cleaner.clean(&format!("{code}: {message}")),
        (Some(said), None) | (None, Some(said)) => cleaner.clean(said),
        (None, None) if answer.body.is_none() => "the answer broke off".to_owned(),
        (None, None) => "an answer without a reason".to_owned(),
    }
}

#[cfg(test)]
mod tests;
