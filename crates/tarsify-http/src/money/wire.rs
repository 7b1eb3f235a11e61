//! What several wire types of money share: amounts for people, names of models, and the
//! schemas of closed sets of words.

use serde::Serialize;
use serde_json::Value;
use tarsify_domain::Misfit;
use tarsify_domain::earnings::{PayoutStatus, Period};
use tarsify_domain::ledger::{EntryKind, ReceiptKind};
use tarsify_domain::payments::PurchaseStatus;
use url::Url;
use utoipa::ToSchema;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use uuid::Uuid;

use crate::wire::words;

/// An amount of US cents, or of credits, in dollars.
pub(crate) fn dollars(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let amount = cents.unsigned_abs();
    format!("{sign}${}.{:02}", amount / 100, amount % 100)
}

/// Most characters of an address.
const MOST_CHARACTERS: usize = 2_048;

/// Checks the address of a page, which stays as it is written.
///
/// # Errors
/// When it is too long or no http or https address.
pub(crate) fn page_address(text: &str) -> Result<String, Misfit> {
    if text.len() > MOST_CHARACTERS {
        return Err(Misfit::new(
            "maxLength",
            "must have 2048 characters or less",
        ));
    }
    let url = Url::parse(text).ok();
    let fits = url.is_some_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    // What a browser would skip or mend is refused: it stays as it is written.
    if fits && text.chars().all(|each| !each.is_control() && each != ' ') {
        Ok(text.to_owned())
    } else {
        let message = "must be an http or https address, such as https://example.com/payouts";
        Err(Misfit::new("format", message))
    }
}

/// A model by its name.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NamedModelOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70c")]
    pub(super) id: Uuid,
    #[schema(example = "anime-generator")]
    pub(super) slug: String,
    #[schema(example = "Anime Generator")]
    pub(super) title: String,
}

pub(super) fn purchase_status() -> RefOr<Schema> {
    let all = PurchaseStatus::ALL.iter().map(|word| word.as_str());
    words(
        all,
        "PENDING",
        "What became of it; credits are granted once it is `PAID`.",
    )
}

pub(super) fn entry_kind() -> RefOr<Schema> {
    let all = EntryKind::ALL.iter().map(|word| word.as_str());
    words(
        all,
        "PURCHASE",
        "Why what can be spent became more or less.",
    )
}

pub(super) fn receipt_kind() -> RefOr<Schema> {
    let all = ReceiptKind::ALL.iter().map(|word| word.as_str());
    words(all, "CAPTURE", "What moved.")
}

/// What became of a hold; null where there was none.
pub(super) fn hold_status() -> RefOr<Schema> {
    let all = ["ACTIVE", "CAPTURED", "RELEASED"].map(Value::from);
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .enum_values(Some(all.into_iter().chain([Value::Null])))
        .description(Some(
            "What became of the price that was set aside; null when the run was free.",
        ))
        .examples(["CAPTURED"]);
    RefOr::T(Schema::Object(schema.build()))
}

pub(super) fn earning_status() -> RefOr<Schema> {
    words(
        ["PENDING", "AVAILABLE"],
        "AVAILABLE",
        "Whether it may be paid out.",
    )
}

pub(super) fn payout_status() -> RefOr<Schema> {
    let all = PayoutStatus::ALL.iter().map(|word| word.as_str());
    words(
        all,
        "PENDING",
        "What became of it; the last two are for good.",
    )
}

pub(super) fn period() -> RefOr<Schema> {
    let all = Period::ALL.iter().map(|word| word.as_str());
    words(all, "7d", "How far back this looks.")
}

#[cfg(test)]
mod tests;
