//! Test runs: developers trying their own models.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::Value;
use tarsify_domain::Scope;
use tarsify_domain::execution::{
    Admitted, Execution, ExecutionKind, ExecutionStatus, ExecutionSummary,
};
use tarsify_domain::id::{ExecutionId, TarsModelId};
use tarsify_engine::{Engine, TestRunRequest};
use utoipa::ToSchema;
use uuid::Uuid;

use super::claim;
use super::inputs::RunModelIn;
use super::run::mark_as_replay;
use super::runs::Runs;
use crate::envelope::{Tagged, accepted, success};
use crate::error::ApiError;
use crate::extract::{Later, PathId, RegisteredDeveloper, RepetitionKey, Valid};
use crate::limits::TaskBudget;
use crate::wire::{self, Moment};

/// A test run, in the words that older clients know from the provider.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestRunOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    job_id: Uuid,
    /// `IN_QUEUE` and `IN_PROGRESS` may change; all others are for good.
    #[schema(
        pattern = "^(IN_QUEUE|IN_PROGRESS|COMPLETED|FAILED|TIMED_OUT|CANCELLED)$",
        example = "COMPLETED"
    )]
    status: &'static str,
    #[schema(schema_with = wire::output)]
    output: Option<Value>,
    /// When it was removed, because the run ended long ago.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    payloads_removed_at: Option<Moment>,
    /// What is told about its failure.
    #[schema(example = json!(null))]
    error: Option<String>,
    /// How long the model worked.
    #[schema(example = 8_000)]
    execution_time_ms: Option<i64>,
}

impl From<Execution> for TestRunOut {
    fn from(execution: Execution) -> Self {
        let Execution {
            summary,
            inputs: _,
            output,
            payloads_removed_at,
        } = execution;
        let ExecutionSummary {
            id,
            status,
            message,
            execution_time_ms,
            ..
        } = summary;
        Self {
            job_id: id.uuid(),
            status: match status {
                ExecutionStatus::Pending | ExecutionStatus::Queued => "IN_QUEUE",
                ExecutionStatus::Running => "IN_PROGRESS",
                ExecutionStatus::Completed
                | ExecutionStatus::Failed
                | ExecutionStatus::TimedOut
                | ExecutionStatus::Cancelled => status.as_str(),
            },
            output,
            payloads_removed_at: payloads_removed_at.map(Moment),
            error: message,
            execution_time_ms,
        }
    }
}

/// Runs one of the caller's own models for him, and waits a while for the result.
pub(crate) async fn test_run_tars_model(
    (runs, budget): (Runs, TaskBudget),
    RegisteredDeveloper(developer): RegisteredDeveloper,
    path: PathId<TarsModelId>,
    key: Later<RepetitionKey>,
    Valid(body): Valid<RunModelIn>,
) -> Result<HttpResponse, ApiError> {
    let inputs = body.inputs()?;
    let RepetitionKey(key) = key.now()?;
    let model = path.id()?;
    let idempotency = key.map(|key| claim::of_test_run(developer.id, model, &inputs, key));
    let counted = budget.take_for_run(&runs.engine, idempotency.as_ref());
    counted.await?;
    let request = TestRunRequest {
        developer: developer.id,
        model,
        idempotency,
        inputs,
    };
    let refusal = runs.refusal(ExecutionKind::TestRun);
    let admitted = runs
        .engine
        .submit_test_run(request)
        .await
        .map_err(refusal)?;
    let patience = runs.engine.test_run_patience();
    let scope = Scope::Developer(developer.id);
    respond(runs.wait_for(scope, admitted, patience).await)
}

fn respond(admitted: Admitted) -> Result<HttpResponse, ApiError> {
    let Admitted {
        execution,
        is_replay,
    } = admitted;
    let id = execution.summary.id;
    let has_ended = execution.summary.status.is_terminal();
    let run = TestRunOut::from(execution);
    let mut response = if has_ended {
        success(&run)?
    } else {
        accepted(&run, &format!("/api/studio/runs/{id}"))?
    };
    if is_replay {
        mark_as_replay(&mut response);
    }
    Ok(response)
}

/// Shows one of the caller's test runs.
pub(crate) async fn show_test_run(
    engine: Data<Engine>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    path: PathId<ExecutionId>,
) -> Result<Tagged<TestRunOut>, ApiError> {
    let scope = Scope::Developer(developer.id);
    let execution = engine.status(scope, path.id()?).await?;
    Ok(Tagged(execution.into()))
}
