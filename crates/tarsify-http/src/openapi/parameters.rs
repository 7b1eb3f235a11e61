//! Query parameters, as the document describes them.

use serde_json::Value;
use tarsify_domain::catalog::{Category, TarsModelStatus};
use tarsify_domain::earnings::{PayoutStatus, Period};
use tarsify_domain::execution::{ExecutionKind, ExecutionStatus};
use tarsify_domain::ledger::EntryKind;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{KnownFormat, ObjectBuilder, Required, SchemaFormat, Type};

fn parameter(name: &str, description: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema.build()))
        .build()
}

fn words(all: impl IntoIterator<Item = &'static str>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(all))
}

/// The position in a list.
pub(crate) fn page() -> [Parameter; 3] {
    let number = || {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
    };
    [
        parameter(
            "page",
            "The number of the page, from 1. Not together with `cursor`.",
            number()
                .maximum(Some(u32::MAX))
                .default(Some(Value::from(1))),
        ),
        parameter(
            "limit",
            "How many items a page holds.",
            number().maximum(Some(100)).default(Some(Value::from(20))),
        ),
        parameter(
            "cursor",
            "Where the page begins: `meta.nextCursor` of the page before, with the rest of the query unchanged.",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .max_length(Some(2_048)),
        ),
    ]
}

/// The category of models.
pub(crate) fn category() -> Parameter {
    parameter(
        "category",
        "Only this category.",
        words(Category::ALL.iter().map(|word| word.as_str())),
    )
}

/// The status of tars models.
pub(crate) fn status() -> Parameter {
    parameter(
        "status",
        "Only those in this status.",
        words(TarsModelStatus::ALL.iter().map(|word| word.as_str())),
    )
}

/// The text to look for.
pub(crate) fn search() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(100));
    parameter(
        "search",
        "Words to look for in title, slug and description.",
        schema,
    )
}

/// The order of the market.
pub(crate) fn sort() -> Parameter {
    parameter(
        "sort",
        "The order; `newest` by default, the best match first with a search.",
        words(["newest", "popular", "price", "-price", "title"]),
    )
}

/// The status of runs.
pub(crate) fn execution_status() -> Parameter {
    parameter(
        "status",
        "Only those in this status.",
        words(ExecutionStatus::ALL.iter().map(|word| word.as_str())),
    )
}

/// The kind of executions.
pub(crate) fn execution_kind() -> Parameter {
    parameter(
        "kind",
        "Only those of this kind.",
        words(ExecutionKind::ALL.iter().map(|word| word.as_str())),
    )
}

fn id() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
}

/// Whose runs.
pub(crate) fn consumer_id() -> Parameter {
    parameter("consumer", "Only those of the consumer with this id.", id())
}

/// Runs of what.
pub(crate) fn model_id() -> Parameter {
    parameter("model", "Only those of the tars model with this id.", id())
}

fn yes_or_no() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .default(Some(Value::from(false)))
}

/// Whether a run is only judged.
pub(crate) fn dry_run() -> Parameter {
    parameter(
        "dryRun",
        "Whether to judge the request and change nothing.",
        yes_or_no(),
    )
}

/// Whether the provider is asked first.
pub(crate) fn sync() -> Parameter {
    parameter(
        "sync",
        "Whether to have the provider asked first and wait a second for what it says.",
        yes_or_no(),
    )
}

/// How long to wait for the end of a run.
pub(crate) fn wait_ms() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .maximum(Some(60_000));
    parameter(
        "waitMs",
        "How many milliseconds to wait at the most for the end of the run.",
        schema,
    )
}

/// How long to wait for the end of a run that is just started.
pub(crate) fn prefer_wait() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .examples([Value::from("wait=30")]);
    ParameterBuilder::new()
        .name("Prefer")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "`wait=n`: wait up to n seconds (1 to 60) for the end; `Preference-Applied` says so.",
        ))
        .schema(Some(schema.build()))
        .build()
}

/// What the caller calls a request that makes something.
pub(crate) fn idempotency_key() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .examples([Value::from("order-2026-0042")]);
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Your name for this request: sent again with the same body, it is answered as before \
             (`Idempotency-Replayed: true`) and nothing is made twice.",
        ))
        .schema(Some(schema.build()))
        .build()
}

/// The kind of a statement's lines.
pub(crate) fn transaction_type() -> Parameter {
    parameter(
        "type",
        "Only lines of this kind.",
        words(EntryKind::ALL.iter().map(|word| word.as_str())),
    )
}

/// The status of payouts.
pub(crate) fn payout_status() -> Parameter {
    parameter(
        "status",
        "Only those in this status.",
        words(PayoutStatus::ALL.iter().map(|word| word.as_str())),
    )
}

/// How far back to look.
pub(crate) fn period() -> Parameter {
    parameter(
        "period",
        "How many days to look back, today (UTC) included; `30d` when it is not sent.",
        words(Period::ALL.iter().map(|word| word.as_str())),
    )
}

/// When to begin and to end.
pub(crate) fn span() -> [Parameter; 2] {
    let moment = || {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .examples([Value::from("2026-11-21")])
    };
    [
        parameter(
            "from",
            "Only from then on: a moment as in RFC 3339, or a day (UTC) such as `2026-11-21`.",
            moment(),
        ),
        parameter(
            "to",
            "Only before then: a moment as in RFC 3339, or a day (UTC), which is included.",
            moment(),
        ),
    ]
}

/// Where a stream of events was broken off.
pub(crate) fn last_event_id() -> [Parameter; 2] {
    let parameter = |name: &str, place| {
        let schema = ObjectBuilder::new().schema_type(Type::String);
        ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(Required::False)
            .description(Some(
                "The `id` of the last event that came; the stream goes on after it.",
            ))
            .schema(Some(schema.build()))
            .build()
    };
    [
        parameter("Last-Event-ID", ParameterIn::Header),
        parameter("lastEventId", ParameterIn::Query),
    ]
}

/// What lets in who cannot send headers.
pub(crate) fn stream_token() -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    parameter(
        "token",
        "A stream token of the run, instead of the `Authorization` header. It is good once: who comes back, as a browser's \
         `EventSource` does by itself, needs another one, and `lastEventId`.",
        schema,
    )
}

/// What proves that a message is Stripe's.
pub(crate) fn stripe_signature() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .examples([Value::from(
            "t=1795250000,v1=5257a8690c1df3b7e2046f9ad81be3c75f20a64e9d83b1c7065fe2d4a98b3c17",
        )]);
    ParameterBuilder::new()
        .name("Stripe-Signature")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "What Stripe signs the message with; without a good one it is refused.",
        ))
        .schema(Some(schema.build()))
        .build()
}
