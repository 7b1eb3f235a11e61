//! How an execution looks to administrators. What the provider got is not among it: what a
//! developer hides is nobody else's business.

use serde::Serialize;
use serde_json::{Map, Value};
use tarsify_domain::execution::{
    Attempt, AttemptReport, Execution, ExecutionFilter, ExecutionKind, ExecutionReport,
    ExecutionStatus, ExecutionSummary,
};
use tarsify_domain::id::{ConsumerId, DeveloperId};
use tarsify_domain::{Misfit, PageRequest, Timestamp};
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::execution::wire::{RunItemOut, RunOut, RunTarsModelOut};
use crate::extract::{Body, Fields, QueryFields, QueryIn};
use crate::wire::{self, Moment};

/// Which executions an administrator wants to see.
pub(crate) struct ExecutionsQueryIn {
    pub(super) filter: ExecutionFilter,
    pub(super) page: PageRequest,
}

impl QueryIn for ExecutionsQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let status = query.optional("status", ExecutionStatus::parse);
        let consumer = query.optional("consumer", id);
        let model = query.optional("model", id);
        let kind = query.optional("kind", ExecutionKind::parse);
        let page = query.page(Execution::ORDER);
        Some(Self {
            filter: ExecutionFilter {
                status,
                consumer,
                model,
                kind,
            },
            page,
        })
    }
}

fn id<T: std::str::FromStr>(text: &str) -> Result<T, Misfit> {
    text.parse()
        .map_err(|_ignored| Misfit::new("format", "must be an id, a UUID"))
}

/// These take no word; a body is refused only when it could not be one.
#[derive(ToSchema)]
pub(crate) struct NudgeExecutionIn {}

impl Body for NudgeExecutionIn {
    const MAY_BE_ABSENT: bool = true;

    fn read(_fields: &mut Fields) -> Option<Self> {
        Some(Self {})
    }
}

/// An execution in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExecutionItemOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    id: Uuid,
    #[schema(schema_with = wire::execution_kind)]
    kind: &'static str,
    /// The consumer whose run it is.
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f708")]
    consumer_id: Option<Uuid>,
    /// The developer whose test run it is.
    #[schema(example = json!(null))]
    tester_id: Option<Uuid>,
    #[schema(schema_with = wire::execution_status)]
    status: &'static str,
    #[schema(schema_with = wire::end_reason)]
    status_reason: Option<&'static str>,
    tars_model: RunTarsModelOut,
    /// The number of its failure.
    #[schema(value_type = Option<String>, example = json!(null))]
    error_code: Option<&'static str>,
    /// What its requester is told about its failure.
    #[schema(example = json!(null))]
    error_message: Option<String>,
    #[schema(example = 25)]
    price_credits: i64,
    #[schema(example = 25)]
    charged_credits: i64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:01.000Z")]
    started_at: Option<Moment>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:09.000Z")]
    completed_at: Option<Moment>,
    #[schema(example = 8_000)]
    execution_time_ms: Option<i64>,
    #[schema(example = 640)]
    queue_time_ms: Option<i64>,
}

impl From<ExecutionSummary> for ExecutionItemOut {
    fn from(summary: ExecutionSummary) -> Self {
        let (kind, consumer_id, tester_id) = (summary.kind, summary.consumer_id, summary.tester_id);
        let RunItemOut {
            id,
            status,
            status_reason,
            tars_model,
            error_code,
            error_message,
            price_credits,
            charged_credits,
            created_at,
            started_at,
            completed_at,
            execution_time_ms,
            queue_time_ms,
        } = summary.into();
        Self {
            id,
            kind: kind.as_str(),
            consumer_id: consumer_id.map(ConsumerId::uuid),
            tester_id: tester_id.map(DeveloperId::uuid),
            status,
            status_reason,
            tars_model,
            error_code,
            error_message,
            price_credits,
            charged_credits,
            created_at,
            started_at,
            completed_at,
            execution_time_ms,
            queue_time_ms,
        }
    }
}

/// One question to the provider and its answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExchangeOut {
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:09.000Z")]
    at: Option<Moment>,
    #[schema(schema_with = wire::operation)]
    operation: String,
    /// None when there was no answer.
    #[schema(example = 200)]
    http_status: Option<u64>,
    #[schema(example = 84)]
    took_ms: Option<u64>,
    /// What was said, without what went in and came out.
    #[schema(example = "COMPLETED")]
    said: String,
}

impl From<Value> for ExchangeOut {
    fn from(exchange: Value) -> Self {
        let part = |name: &str| exchange.get(name);
        let text = |name: &str| part(name).and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| part(name).and_then(Value::as_u64);
        Self {
            at: Timestamp::parse(text("at"), &Rfc3339).ok().map(Moment),
            operation: text("operation").to_owned(),
            http_status: number("httpStatus"),
            took_ms: number("tookMs"),
            said: text("said").to_owned(),
        }
    }
}

/// One attempt to have the provider do the work.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptOut {
    #[schema(example = 1)]
    number: u32,
    #[schema(schema_with = wire::attempt_state)]
    state: &'static str,
    /// The job's id at the provider, once we know it.
    #[schema(example = "3f1c2a9e-5b0d-4c37-9a57-0f4f6a2f8f11-e1")]
    job_id: Option<String>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    called_at: Moment,
    /// Since when the provider has said that it does not know the job.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    missing_since: Option<Moment>,
    /// The last things said, oldest first.
    exchanges: Vec<ExchangeOut>,
}

impl From<AttemptReport> for AttemptOut {
    fn from(report: AttemptReport) -> Self {
        let AttemptReport { attempt, exchanges } = report;
        let Attempt {
            number,
            state,
            job,
            called_at,
            missing_since,
            unreadable: _,
        } = attempt;
        Self {
            number,
            state: state.as_str(),
            job_id: job.map(|job| job.as_str().to_owned()),
            called_at: Moment(called_at),
            missing_since: missing_since.map(Moment),
            exchanges: exchanges.into_iter().map(ExchangeOut::from).collect(),
        }
    }
}

/// An execution with everything that its workers know.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExecutionReportOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    id: Uuid,
    #[schema(schema_with = wire::execution_kind)]
    kind: &'static str,
    /// The consumer whose run it is.
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f708")]
    consumer_id: Option<Uuid>,
    /// The developer whose test run it is.
    #[schema(example = json!(null))]
    tester_id: Option<Uuid>,
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70a")]
    endpoint_id: Uuid,
    #[schema(schema_with = wire::execution_status)]
    status: &'static str,
    #[schema(schema_with = wire::end_reason)]
    status_reason: Option<&'static str>,
    #[schema(schema_with = wire::stage)]
    stage: &'static str,
    tars_model: RunTarsModelOut,
    #[schema(schema_with = wire::inputs)]
    input_payload: Map<String, Value>,
    #[schema(schema_with = wire::output)]
    output_payload: Option<Value>,
    /// When what went in and came out, and what the provider was asked, was removed, because it
    /// ended long ago.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    payloads_removed_at: Option<Moment>,
    /// The number of its failure.
    #[schema(value_type = Option<String>, example = json!(null))]
    error_code: Option<&'static str>,
    /// What its requester is told about its failure.
    #[schema(example = json!(null))]
    error_message: Option<String>,
    #[schema(example = 25)]
    price_credits: i64,
    #[schema(example = 25)]
    charged_credits: i64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:01.000Z")]
    started_at: Option<Moment>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:09.000Z")]
    completed_at: Option<Moment>,
    #[schema(example = 8_000)]
    execution_time_ms: Option<i64>,
    #[schema(example = 640)]
    queue_time_ms: Option<i64>,
    /// When it has to have ended.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:50:00.000Z")]
    deadline_at: Moment,
    /// When it is to be looked at again; none when nothing is left to be done.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    next_action_at: Option<Moment>,
    /// Until when a worker has it.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    lease_until: Option<Moment>,
    /// When somebody asked to cancel it.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    cancel_requested_at: Option<Moment>,
    attempts: Vec<AttemptOut>,
}

impl From<ExecutionReport> for ExecutionReportOut {
    fn from(report: ExecutionReport) -> Self {
        let ExecutionReport {
            execution,
            stage,
            endpoint_id,
            deadline_at,
            next_action_at,
            lease_until,
            cancel_requested_at,
            attempts,
        } = report;
        let whose = ExecutionItemOut::from(execution.summary.clone());
        let run = RunOut::from(execution);
        Self {
            id: run.id,
            kind: whose.kind,
            consumer_id: whose.consumer_id,
            tester_id: whose.tester_id,
            endpoint_id: endpoint_id.uuid(),
            status: run.status,
            status_reason: run.status_reason,
            stage: stage.as_str(),
            tars_model: run.tars_model,
            input_payload: run.input_payload,
            output_payload: run.output_payload,
            payloads_removed_at: run.payloads_removed_at,
            error_code: run.error_code,
            error_message: run.error_message,
            price_credits: run.price_credits,
            charged_credits: run.charged_credits,
            created_at: run.created_at,
            started_at: run.started_at,
            completed_at: run.completed_at,
            execution_time_ms: run.execution_time_ms,
            queue_time_ms: run.queue_time_ms,
            deadline_at: Moment(deadline_at),
            next_action_at: next_action_at.map(Moment),
            lease_until: lease_until.map(Moment),
            cancel_requested_at: cancel_requested_at.map(Moment),
            attempts: attempts.into_iter().map(AttemptOut::from).collect(),
        }
    }
}
