//! Executions of everybody, for administrators.

mod wire;

use actix_web::web::Data;
use tarsify_domain::Scope;
use tarsify_domain::id::ExecutionId;
use tarsify_engine::Engine;

pub(crate) use wire::{ExecutionItemOut, ExecutionReportOut, ExecutionsQueryIn, NudgeExecutionIn};

use crate::envelope::{Listed, Success, Tagged};
use crate::error::{ApiError, retry_error};
use crate::extract::{Administrator, PathId, Query, Valid};

/// Lists executions, newest first.
pub(crate) async fn list_executions(
    engine: Data<Engine>,
    _admin: Administrator,
    Query(ExecutionsQueryIn { filter, page }): Query<ExecutionsQueryIn>,
) -> Result<Listed<ExecutionItemOut>, ApiError> {
    let executions = engine.list(Scope::System, &filter, &page).await?;
    Ok(Listed::new(executions, &page))
}

/// Shows an execution with everything that its workers know.
pub(crate) async fn show_execution(
    engine: Data<Engine>,
    _admin: Administrator,
    path: PathId<ExecutionId>,
) -> Result<Tagged<ExecutionReportOut>, ApiError> {
    Ok(Tagged(engine.report(path.id()?).await?.into()))
}

/// Has an execution tried again at once, whatever it waits for.
pub(crate) async fn retry_execution(
    engine: Data<Engine>,
    _admin: Administrator,
    path: PathId<ExecutionId>,
    Valid(NudgeExecutionIn {}): Valid<NudgeExecutionIn>,
) -> Result<Success<ExecutionItemOut>, ApiError> {
    let execution = engine.expedite(path.id()?).await.map_err(retry_error)?;
    Ok(Success(execution.summary.into()))
}

/// Cancels an execution, whosever it is.
pub(crate) async fn cancel_execution(
    engine: Data<Engine>,
    _admin: Administrator,
    path: PathId<ExecutionId>,
    Valid(NudgeExecutionIn {}): Valid<NudgeExecutionIn>,
) -> Result<Success<ExecutionItemOut>, ApiError> {
    let execution = engine.cancel(Scope::System, path.id()?).await?;
    Ok(Success(execution.summary.into()))
}
