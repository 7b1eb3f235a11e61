//! How a run looks to whoever started it. These types hold his own inputs and never what the
//! provider got, its job's id or the endpoint's.

use serde::Serialize;
use serde_json::{Map, Value};
use tarsify_domain::execution::{
    EndReason, Execution, ExecutionStatus, ExecutionSummary, Forecast, ModelRef,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::wire::{self, Moment};

/// The base model of a run's model.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunBaseModelOut {
    #[schema(example = "Image Generator")]
    pub(super) name: String,
    #[schema(schema_with = wire::category)]
    pub(super) category: &'static str,
    #[schema(schema_with = wire::output_type)]
    pub(super) output_type: &'static str,
}

/// The model of a run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunTarsModelOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70c")]
    pub(super) id: Uuid,
    #[schema(example = "anime-generator")]
    pub(super) slug: String,
    #[schema(example = "Anime Generator")]
    pub(super) title: String,
    pub(super) base_model: RunBaseModelOut,
}

impl From<ModelRef> for RunTarsModelOut {
    fn from(model: ModelRef) -> Self {
        let ModelRef {
            id,
            slug,
            title,
            base_model_name,
            category,
            output_type,
            estimated_seconds: _,
        } = model;
        Self {
            id: id.uuid(),
            slug: slug.to_string(),
            title: title.to_string(),
            base_model: RunBaseModelOut {
                name: base_model_name.to_string(),
                category: category.as_str(),
                output_type: output_type.as_str(),
            },
        }
    }
}

/// A run in a list: everything but what went in and came out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunItemOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    pub(super) id: Uuid,
    #[schema(schema_with = wire::execution_status)]
    pub(super) status: &'static str,
    #[schema(schema_with = wire::end_reason)]
    pub(super) status_reason: Option<&'static str>,
    pub(super) tars_model: RunTarsModelOut,
    /// The number of its failure.
    #[schema(value_type = Option<String>, example = json!(null))]
    pub(super) error_code: Option<&'static str>,
    /// What is told about its failure.
    #[schema(example = json!(null))]
    pub(super) error_message: Option<String>,
    /// What it costs when it completes.
    #[schema(example = 25)]
    pub(super) price_credits: i64,
    /// What was paid for it.
    #[schema(example = 25)]
    pub(super) charged_credits: i64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    pub(super) created_at: Moment,
    /// When the model was first seen at work.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:01.000Z")]
    pub(super) started_at: Option<Moment>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:09.000Z")]
    pub(super) completed_at: Option<Moment>,
    /// How long the model worked.
    #[schema(example = 8_000)]
    pub(super) execution_time_ms: Option<i64>,
    /// How long it waited where the model runs.
    #[schema(example = 640)]
    pub(super) queue_time_ms: Option<i64>,
}

impl From<ExecutionSummary> for RunItemOut {
    fn from(summary: ExecutionSummary) -> Self {
        let ExecutionSummary {
            id,
            kind: _,
            consumer_id: _,
            tester_id: _,
            model,
            status,
            reason,
            message,
            price,
            charged,
            created_at,
            started_at,
            completed_at,
            queue_time_ms,
            execution_time_ms,
        } = summary;
        let code = reason.and_then(EndReason::error_code);
        Self {
            id: id.uuid(),
            status: status.as_str(),
            status_reason: reason.map(|reason| reason.as_str()),
            tars_model: model.into(),
            error_code: code.map(|code| code.as_str()),
            error_message: message,
            price_credits: price.credits().get(),
            charged_credits: charged.get(),
            created_at: Moment(created_at),
            started_at: started_at.map(Moment),
            completed_at: completed_at.map(Moment),
            execution_time_ms,
            queue_time_ms,
        }
    }
}

/// A run with what went in and came out.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    pub(super) id: Uuid,
    #[schema(schema_with = wire::execution_status)]
    pub(super) status: &'static str,
    #[schema(schema_with = wire::end_reason)]
    pub(super) status_reason: Option<&'static str>,
    pub(super) tars_model: RunTarsModelOut,
    #[schema(schema_with = wire::inputs)]
    pub(super) input_payload: Map<String, Value>,
    #[schema(schema_with = wire::output)]
    pub(super) output_payload: Option<Value>,
    /// When what went in and came out was removed, because the run ended long ago.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    pub(super) payloads_removed_at: Option<Moment>,
    /// The number of its failure.
    #[schema(value_type = Option<String>, example = json!(null))]
    pub(super) error_code: Option<&'static str>,
    /// What is told about its failure.
    #[schema(example = json!(null))]
    pub(super) error_message: Option<String>,
    /// What it costs when it completes.
    #[schema(example = 25)]
    pub(super) price_credits: i64,
    /// What was paid for it.
    #[schema(example = 25)]
    pub(super) charged_credits: i64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    pub(super) created_at: Moment,
    /// When the model was first seen at work.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:01.000Z")]
    pub(super) started_at: Option<Moment>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:09.000Z")]
    pub(super) completed_at: Option<Moment>,
    /// How long the model worked.
    #[schema(example = 8_000)]
    pub(super) execution_time_ms: Option<i64>,
    /// How long it waited where the model runs.
    #[schema(example = 640)]
    pub(super) queue_time_ms: Option<i64>,
    /// Its place among those that wait for the same GPUs: 1 is next, 1001 that or later. Null once
    /// it was sent there.
    #[schema(example = 3)]
    pub(super) queue_position: Option<u32>,
    /// In how many seconds such a run is done as a rule (half are sooner). Null when it has ended.
    #[schema(example = 20)]
    pub(super) eta_seconds: Option<u64>,
    /// In how many seconds nine of ten such runs are done. Null when it has ended.
    #[schema(example = 45)]
    pub(super) eta_seconds_p90: Option<u64>,
}

impl From<Execution> for RunOut {
    fn from(execution: Execution) -> Self {
        let Execution {
            summary,
            inputs,
            output,
            payloads_removed_at,
        } = execution;
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
            status,
            status_reason,
            tars_model,
            input_payload: inputs,
            output_payload: output,
            payloads_removed_at: payloads_removed_at.map(Moment),
            error_code,
            error_message,
            price_credits,
            charged_credits,
            created_at,
            started_at,
            completed_at,
            execution_time_ms,
            queue_time_ms,
            queue_position: None,
            eta_seconds: None,
            eta_seconds_p90: None,
        }
    }
}

impl From<(Execution, Forecast)> for RunOut {
    fn from((execution, forecast): (Execution, Forecast)) -> Self {
        let Forecast {
            queue_position,
            eta_seconds,
            eta_seconds_p90,
        } = forecast;
        Self {
            queue_position,
            eta_seconds,
            eta_seconds_p90,
            ..execution.into()
        }
    }
}

/// How a run stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunStatusOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    id: Uuid,
    #[schema(schema_with = wire::execution_status)]
    status: &'static str,
    #[schema(schema_with = wire::output)]
    output_payload: Option<Value>,
    /// When what came out was removed, because the run ended long ago.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    payloads_removed_at: Option<Moment>,
    /// The number of its failure.
    #[schema(value_type = Option<String>, example = json!(null))]
    error_code: Option<&'static str>,
    /// What is told about its failure.
    #[schema(example = json!(null))]
    error_message: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:09.000Z")]
    completed_at: Option<Moment>,
    /// How long the model worked.
    #[schema(example = 8_000)]
    execution_time_ms: Option<i64>,
    /// Its place among those that wait for the same GPUs: 1 is next, 1001 that or later. Null once
    /// it was sent there.
    #[schema(example = 3)]
    queue_position: Option<u32>,
    /// In how many seconds such a run is done as a rule (half are sooner). Null when it has ended.
    #[schema(example = 20)]
    eta_seconds: Option<u64>,
    /// In how many seconds nine of ten such runs are done. Null when it has ended.
    #[schema(example = 45)]
    eta_seconds_p90: Option<u64>,
}

impl From<(Execution, Forecast)> for RunStatusOut {
    fn from(foreseen: (Execution, Forecast)) -> Self {
        let run = RunOut::from(foreseen);
        Self {
            id: run.id,
            status: run.status,
            output_payload: run.output_payload,
            payloads_removed_at: run.payloads_removed_at,
            error_code: run.error_code,
            error_message: run.error_message,
            completed_at: run.completed_at,
            execution_time_ms: run.execution_time_ms,
            queue_position: run.queue_position,
            eta_seconds: run.eta_seconds,
            eta_seconds_p90: run.eta_seconds_p90,
        }
    }
}

/// How a run stands that was to be cancelled.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CancelledRunOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    id: Uuid,
    #[schema(schema_with = wire::execution_status)]
    status: &'static str,
    #[schema(schema_with = wire::output)]
    output_payload: Option<Value>,
    /// The number of its failure.
    #[schema(value_type = Option<String>, example = json!(null))]
    error_code: Option<&'static str>,
    /// What is told about its failure.
    #[schema(example = json!(null))]
    error_message: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:09.000Z")]
    completed_at: Option<Moment>,
    /// How long the model worked.
    #[schema(example = 8_000)]
    execution_time_ms: Option<i64>,
    /// What became of the wish to cancel it, for people.
    #[schema(example = "The run was cancelled. Nothing was charged.")]
    message: &'static str,
}

impl From<Execution> for CancelledRunOut {
    fn from(execution: Execution) -> Self {
        let message = match execution.summary.status {
            ExecutionStatus::Cancelled => "The run was cancelled. Nothing was charged.",
            ExecutionStatus::Completed | ExecutionStatus::Failed | ExecutionStatus::TimedOut => {
                "The run ended by itself before it could be cancelled."
            }
            ExecutionStatus::Pending | ExecutionStatus::Queued | ExecutionStatus::Running => {
                "The run is being cancelled; its status tells when that is done."
            }
        };
        let run = RunOut::from(execution);
        Self {
            id: run.id,
            status: run.status,
            output_payload: run.output_payload,
            error_code: run.error_code,
            error_message: run.error_message,
            completed_at: run.completed_at,
            execution_time_ms: run.execution_time_ms,
            message,
        }
    }
}

/// Where a run is followed.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunLinksOut {
    /// The run with its result.
    #[serde(rename = "self")]
    #[schema(example = "/api/marketplace/runs/0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    itself: String,
    /// How it stands.
    #[schema(example = "/api/marketplace/runs/0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d/status")]
    status: String,
    /// What happens to it, as it happens.
    #[schema(example = "/api/marketplace/runs/0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d/events")]
    events: String,
    /// Where it is cancelled.
    #[schema(example = "/api/marketplace/runs/0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d/cancel")]
    cancel: String,
}

/// A run that was accepted: it will be run, whatever happens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AcceptedRunOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    execution_id: Uuid,
    #[schema(schema_with = wire::execution_status)]
    status: &'static str,
    /// How long a run of this model usually takes.
    #[schema(example = 12)]
    estimated_seconds: u32,
    /// What it costs when it completes.
    #[schema(example = 25)]
    price_credits: i64,
    /// What to do next, for people.
    #[schema(example = "The run was accepted; its status tells when it has ended.")]
    message: &'static str,
    links: RunLinksOut,
}

impl From<ExecutionSummary> for AcceptedRunOut {
    fn from(summary: ExecutionSummary) -> Self {
        let itself = format!("/api/marketplace/runs/{}", summary.id);
        let message = if summary.status.is_terminal() {
            "The run has ended; its result is there."
        } else {
            "The run was accepted; its status tells when it has ended."
        };
        Self {
            execution_id: summary.id.uuid(),
            status: summary.status.as_str(),
            estimated_seconds: summary.model.estimated_seconds,
            price_credits: summary.price.credits().get(),
            message,
            links: RunLinksOut {
                status: format!("{itself}/status"),
                events: format!("{itself}/events"),
                cancel: format!("{itself}/cancel"),
                itself,
            },
        }
    }
}

impl AcceptedRunOut {
    /// Where the run is.
    pub(crate) fn location(&self) -> &str {
        &self.links.itself
    }
}

/// What a run would be.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuotedRunOut {
    /// Always true: what would be refused is refused.
    #[schema(example = true)]
    pub(super) valid: bool,
    /// What it would cost.
    #[schema(example = 25)]
    pub(super) price_credits: i64,
    /// What the caller has.
    #[schema(example = 500)]
    pub(super) available_credits: i64,
    /// How long it would usually take.
    #[schema(example = 12)]
    pub(super) estimated_seconds: u32,
}
