//! What several wire types share: the form of moments, and the schemas of closed sets of words.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use tarsify_domain::Timestamp;
use tarsify_domain::catalog::{Category, EndpointSource, OutputType, Provider, TarsModelStatus};
use tarsify_domain::execution::{
    AttemptState, EndReason, ExecutionKind, ExecutionStatus, Operation, Stage,
};
use time::UtcOffset;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema, Type};

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

/// The schema of a closed set of words.
pub(crate) fn words(
    all: impl IntoIterator<Item = &'static str>,
    example: &'static str,
    description: &str,
) -> RefOr<Schema> {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(all))
        .description(Some(description))
        .examples([Value::from(example)]);
    RefOr::T(Schema::Object(schema.build()))
}

pub(crate) fn category() -> RefOr<Schema> {
    let all = Category::ALL.iter().map(|word| word.as_str());
    words(all, "IMAGE", "What it makes or works on.")
}

pub(crate) fn output_type() -> RefOr<Schema> {
    let all = OutputType::ALL.iter().map(|word| word.as_str());
    words(all, "IMAGE", "The kind of thing it returns.")
}

pub(crate) fn source() -> RefOr<Schema> {
    let all = EndpointSource::ALL.iter().map(|word| word.as_str());
    words(all, "HUB", "Where its worker comes from.")
}

pub(crate) fn provider() -> RefOr<Schema> {
    let all = Provider::ALL.iter().map(|word| word.as_str());
    words(
        all,
        "runpod",
        "Whose protocol it speaks; `runpod` when it is not sent.",
    )
}

pub(crate) fn status() -> RefOr<Schema> {
    let all = TarsModelStatus::ALL.iter().map(|word| word.as_str());
    words(all, "DRAFT", "Where it is in its life.")
}

pub(crate) fn execution_kind() -> RefOr<Schema> {
    let all = ExecutionKind::ALL.iter().map(|word| word.as_str());
    words(
        all,
        "RUN",
        "A consumer's run, or a developer's trial of his own model.",
    )
}

pub(crate) fn execution_status() -> RefOr<Schema> {
    let all = ExecutionStatus::ALL.iter().map(|word| word.as_str());
    words(all, "COMPLETED", "Where it is; the last four are for good.")
}

pub(crate) fn stage() -> RefOr<Schema> {
    let all = Stage::ALL.iter().map(|word| word.as_str());
    words(all, "ended", "Where it is, as its workers know it.")
}

pub(crate) fn attempt_state() -> RefOr<Schema> {
    let all = AttemptState::ALL.iter().map(|word| word.as_str());
    words(all, "won", "What became of it.")
}

pub(crate) fn operation() -> RefOr<Schema> {
    let all = Operation::ALL.iter().map(|word| word.as_str());
    words(all, "status", "What was asked for.")
}

/// Why a run ended without a result; null while it has not, and when it has one.
pub(crate) fn end_reason() -> RefOr<Schema> {
    let all = EndReason::ALL.iter().map(|word| word.as_str());
    let all = all.map(Value::from).chain([Value::Null]);
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .enum_values(Some(all))
        .description(Some("Why it ended without a result."))
        .examples([Value::Null]);
    RefOr::T(Schema::Object(schema.build()))
}

/// What a consumer sends to a model.
pub(crate) fn inputs() -> RefOr<Schema> {
    let schema = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "The inputs, by the names and rules of the model's `inputSchema`: at most 256000 bytes as compact JSON and 32 levels.",
        ))
        .examples([json!({ "prompt": "a lighthouse at dusk" })]);
    RefOr::T(Schema::Object(schema.build()))
}

/// What a model has made: whatever JSON it likes.
pub(crate) fn output() -> RefOr<Schema> {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .description(Some("The result; null until there is one."))
        .examples([json!({ "images": ["https://example.com/lighthouse.png"] })]);
    RefOr::T(Schema::Object(schema.build()))
}

/// A JSON Schema, as a value of a field.
pub(crate) fn input_schema() -> RefOr<Schema> {
    let example = json!({
        "type": "object",
        "required": ["prompt"],
        "properties": {
            "prompt": { "type": "string", "title": "Prompt", "maxLength": 2000 },
            "width": { "type": "integer", "minimum": 256, "maximum": 2048, "default": 1024 },
        },
    });
    let schema = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "JSON Schema 2020-12 of its inputs: an object schema that refers to no other document.",
        ))
        .examples([example]);
    RefOr::T(Schema::Object(schema.build()))
}

/// What a developer fixes, presets and hides.
pub(crate) fn config_overrides() -> RefOr<Schema> {
    let kind = |schema_type: Type, description: &str| {
        let nullable = SchemaType::from_iter([schema_type, Type::Null]);
        ObjectBuilder::new()
            .schema_type(nullable)
            .description(Some(description))
    };
    let names = ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(ObjectBuilder::new().schema_type(Type::String))
        .description(Some("Inputs that consumers neither see nor send."));
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some("What is fixed, preset and hidden of the base model's inputs. Other keys are kept and ignored."))
        .property("defaultInputs", kind(Type::Object, "Values for inputs that the consumer leaves out."))
        .property("lockedInputs", kind(Type::Object, "Values that the consumer sees and cannot change."))
        .property("secretInputs", kind(Type::Object, "Values that are sent to the model and shown to nobody."))
        .property("hiddenFields", names)
        .property("promptPrefix", kind(Type::String, "The text before the consumer's prompt."))
        .property("promptSuffix", kind(Type::String, "The text after the consumer's prompt."))
        .property("promptField", kind(Type::String, "The input that prefix and suffix wrap; `prompt` when it is not sent."))
        .examples([json!({ "lockedInputs": { "width": 1024 }, "promptPrefix": "anime style, " })]);
    RefOr::T(Schema::Object(schema.build()))
}
