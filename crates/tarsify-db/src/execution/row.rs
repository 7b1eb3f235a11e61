//! An execution as it is read for people. The payload and what is concealed are in none of
//! these rows.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Integer, Json, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::{Map, Value};
use tarsify_domain::catalog::{Category, OutputType};
use tarsify_domain::execution::{
    EndReason, Execution, ExecutionKind, ExecutionStatus, ExecutionSummary, ModelRef,
};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, TarsModelId};
use tarsify_domain::money::{Credits, Price};
use tarsify_domain::text::{Name, Slug, Title};
use tarsify_domain::{RepoError, Scope, Timestamp};
use uuid::Uuid;

use crate::base_model::seconds;
use crate::statement::Binds;
use crate::stored;

macro_rules! run {
    () => {
        "x.id, x.kind, x.consumer_id, x.tester_id, x.status, x.reason, x.error_message, \
            x.price_credits, x.charged_credits, x.created_at, x.started_at, x.completed_at, \
            x.queue_time_ms, x.execution_time_ms"
    };
}

macro_rules! model {
    () => {
        "t.id AS tars_model_id, t.slug, t.title, b.name AS base_model_name, b.category, \
            b.output_type, b.estimated_seconds"
    };
}

/// What a list shows of an execution `x` itself.
pub(super) const RUN: &str = run!();

/// What it shows of the execution's tars model `t` and its base model `b`.
pub(super) const MODEL: &str = model!();

/// All of it.
pub(crate) const SUMMARY: &str = concat!(run!(), ", ", model!());

/// What is read of an execution besides.
pub(super) const CONTENT: &str = "x.inputs, x.output, x.payloads_removed_at";

/// What an execution `x` needs to be read.
pub(crate) const MODELS: &str = "JOIN tars_models t ON t.id = x.tars_model_id \
    JOIN base_models b ON b.id = x.base_model_id";

/// The condition that an execution `x` meets for the scope to see it; never null.
pub(crate) fn seen_by(scope: Scope, binds: &mut Binds) -> String {
    match scope {
        Scope::Consumer(consumer) => {
            let id = binds.uuid(consumer.uuid());
            format!("(x.consumer_id IS NOT NULL AND x.consumer_id = {id})")
        }
        Scope::Developer(developer) => {
            let id = binds.uuid(developer.uuid());
            format!("(x.tester_id IS NOT NULL AND x.tester_id = {id})")
        }
        Scope::System => "true".to_owned(),
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct SummaryRow {
    #[diesel(embed)]
    run: RunRow,
    #[diesel(embed)]
    model: ModelRow,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct RunRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    consumer_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    tester_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    error_message: Option<String>,
    #[diesel(sql_type = BigInt)]
    price_credits: i64,
    #[diesel(sql_type = BigInt)]
    charged_credits: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    started_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    completed_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<BigInt>)]
    queue_time_ms: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    execution_time_ms: Option<i64>,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct ModelRow {
    #[diesel(sql_type = SqlUuid)]
    tars_model_id: Uuid,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    base_model_name: String,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = Text)]
    output_type: String,
    #[diesel(sql_type = Integer)]
    estimated_seconds: i32,
}

impl TryFrom<SummaryRow> for ExecutionSummary {
    type Error = RepoError;

    fn try_from(row: SummaryRow) -> Result<Self, RepoError> {
        row.run.of(row.model.try_into()?)
    }
}

impl TryFrom<ModelRow> for ModelRef {
    type Error = RepoError;

    fn try_from(row: ModelRow) -> Result<Self, RepoError> {
        let ModelRow {
            tars_model_id,
            slug,
            title,
            base_model_name,
            category,
            output_type,
            estimated_seconds,
        } = row;
        Ok(Self {
            id: TarsModelId::from_uuid(tars_model_id),
            slug: stored::parsed("slug", &slug, Slug::parse)?,
            title: stored::parsed("title", &title, Title::parse)?,
            base_model_name: stored::parsed("base model name", &base_model_name, Name::parse)?,
            category: stored::parsed("category", &category, Category::parse)?,
            output_type: stored::parsed("output_type", &output_type, OutputType::parse)?,
            estimated_seconds: seconds("estimated_seconds", estimated_seconds)?.get(),
        })
    }
}

impl RunRow {
    /// The run, of this model.
    pub(super) fn of(self, model: ModelRef) -> Result<ExecutionSummary, RepoError> {
        let Self {
            id,
            kind,
            consumer_id,
            tester_id,
            status,
            reason,
            error_message,
            price_credits,
            charged_credits,
            created_at,
            started_at,
            completed_at,
            queue_time_ms,
            execution_time_ms,
        } = self;
        Ok(ExecutionSummary {
            id: ExecutionId::from_uuid(id),
            kind: stored::parsed("kind", &kind, ExecutionKind::parse)?,
            consumer_id: consumer_id.map(ConsumerId::from_uuid),
            tester_id: tester_id.map(DeveloperId::from_uuid),
            model,
            status: stored::parsed("status", &status, ExecutionStatus::parse)?,
            reason: stored::parsed_optional("reason", reason.as_deref(), EndReason::parse)?,
            message: error_message,
            price: stored::checked("price_credits", Price::parse(price_credits))?,
            charged: Credits::new(charged_credits),
            created_at,
            started_at,
            completed_at,
            queue_time_ms,
            execution_time_ms,
        })
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct ExecutionRow {
    #[diesel(embed)]
    summary: SummaryRow,
    #[diesel(sql_type = Json)]
    inputs: Value,
    #[diesel(sql_type = Nullable<Json>)]
    output: Option<Value>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    payloads_removed_at: Option<Timestamp>,
}

impl TryFrom<ExecutionRow> for Execution {
    type Error = RepoError;

    fn try_from(row: ExecutionRow) -> Result<Self, RepoError> {
        let ExecutionRow {
            summary,
            inputs,
            output,
            payloads_removed_at,
        } = row;
        Ok(Self {
            summary: summary.try_into()?,
            inputs: object("inputs", inputs)?,
            // A result that was removed leaves a null that nobody gave.
            output: output.filter(|_| payloads_removed_at.is_none()),
            payloads_removed_at,
        })
    }
}

/// Reads a stored JSON object.
pub(super) fn object(column: &'static str, value: Value) -> Result<Map<String, Value>, RepoError> {
    let object = match value {
        Value::Object(object) => Ok(object),
        _ => Err("it is no JSON object"),
    };
    stored::checked(column, object)
}
