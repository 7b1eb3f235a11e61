//! What several wire types share: the form of moments, and the schemas of closed sets of words.

use serde::{Serialize, Serializer};
use tarsify_domain::Timestamp;
use tarsify_domain::catalog::{Category, EndpointSource, OutputType, Provider, TarsModelStatus};
use time::UtcOffset;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A moment as RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self
            .0
            .to_offset(UtcOffset::UTC)
            .format(MOMENT)
            .map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

fn words(all: impl IntoIterator<Item = &'static str>, example: &'static str) -> RefOr<Schema> {
    RefOr::T(Schema::Object(
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(all))
            .examples([serde_json::Value::from(example)])
            .build(),
    ))
}

pub(crate) fn category() -> RefOr<Schema> {
    words(Category::ALL.iter().map(|word| word.as_str()), "IMAGE")
}

pub(crate) fn output_type() -> RefOr<Schema> {
    words(OutputType::ALL.iter().map(|word| word.as_str()), "IMAGE")
}

pub(crate) fn source() -> RefOr<Schema> {
    words(EndpointSource::ALL.iter().map(|word| word.as_str()), "HUB")
}

pub(crate) fn provider() -> RefOr<Schema> {
    words(Provider::ALL.iter().map(|word| word.as_str()), "runpod")
}

pub(crate) fn status() -> RefOr<Schema> {
    words(
        TarsModelStatus::ALL.iter().map(|word| word.as_str()),
        "DRAFT",
    )
}
