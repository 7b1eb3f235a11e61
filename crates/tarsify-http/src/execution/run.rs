//! Runs, for the consumers who start and own them.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderValue;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde_json::{Map, Value};
use tarsify_domain::execution::{
    Admitted, Execution, ExecutionFilter, ExecutionKind, ExecutionStatus,
};
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::idempotency::IdempotencyKey;
use tarsify_domain::text::Slug;
use tarsify_domain::{ErrorCode, Misfit, PageRequest, Scope};
use tarsify_engine::{Engine, RunRequest};
use utoipa::ToSchema;

pub(crate) use super::inputs::RunModelIn;
pub(crate) use super::wire::{
    AcceptedRunOut, CancelledRunOut, QuotedRunOut, RunItemOut, RunOut, RunStatusOut,
};

use super::claim;
use super::runs::Runs;
use crate::envelope::{Listed, Success, Tagged, accepted, success};
use crate::error::ApiError;
use crate::extract::prefer::{self, PREFERENCE_APPLIED};
use crate::extract::query::{self, true_or_false, whole_number};
use crate::extract::{
    Body, Fields, Later, PathId, PathSlug, Query, QueryFields, QueryIn, RegisteredConsumer, Valid,
    key,
};
use crate::limits::TaskBudget;
use crate::middleware::repetition::IDEMPOTENCY_REPLAYED;

/// How long whoever wants the provider asked waits for what it says, unless he says so.
const SYNC_PATIENCE: Duration = Duration::from_secs(1);
/// The longest wait for the end of a run, in milliseconds.
const MOST_WAIT_MS: i64 = 60_000;

/// How a run is asked for.
pub(crate) enum RunHow {
    /// It is only judged.
    Dry,
    /// It is run.
    Real {
        /// For how many seconds the caller would wait for its end.
        wait: Option<u64>,
        /// What the caller calls this request.
        key: Option<IdempotencyKey>,
    },
}

impl FromRequest for RunHow {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(how(request))
    }
}

fn how(request: &HttpRequest) -> Result<RunHow, ApiError> {
    let mut issues = Vec::new();
    let mut is_dry = false;
    match query::read::<RunQueryIn>(request.query_string()) {
        Ok(query) => is_dry = query.is_dry,
        Err(faults) => issues.extend(faults),
    }
    let wait = prefer::wait(request.headers());
    // Without an effect there is nothing to repeat.
    let key = if is_dry {
        Ok(None)
    } else {
        key::read(request.headers())
    };
    match (wait, key) {
        (Ok(_), Ok(_)) if issues.is_empty() && is_dry => Ok(RunHow::Dry),
        (Ok(wait), Ok(key)) if issues.is_empty() => Ok(RunHow::Real { wait, key }),
        (wait, key) => {
            issues.extend(wait.err());
            issues.extend(key.err());
            Err(ApiError::faults(ErrorCode::Validation, issues))
        }
    }
}

struct RunQueryIn {
    is_dry: bool,
}

impl QueryIn for RunQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let is_dry = query.optional("dryRun", true_or_false);
        Some(Self {
            is_dry: is_dry.unwrap_or(false),
        })
    }
}

/// Runs a model of the market, or says what a run would be.
pub(crate) async fn run_model(
    (runs, budget): (Runs, TaskBudget),
    RegisteredConsumer(consumer): RegisteredConsumer,
    PathSlug(slug): PathSlug,
    how: Later<RunHow>,
    Valid(body): Valid<RunModelIn>,
) -> Result<HttpResponse, ApiError> {
    let inputs = body.inputs()?;
    let how = how.now()?;
    let slug = slug.ok_or_else(|| ApiError::new(ErrorCode::ModelNotFound))?;
    match how {
        RunHow::Dry => quote(&runs, consumer, &slug, &inputs).await,
        RunHow::Real { wait, key } => {
            let idempotency = key.map(|key| claim::of_run(consumer, &slug, &inputs, key));
            let counted = budget.take_for_run(&runs.engine, idempotency.as_ref());
            counted.await?;
            let request = RunRequest {
                consumer,
                slug,
                inputs,
                max_concurrent_runs: budget.concurrent_runs(),
                idempotency,
            };
            run(&runs, request, wait).await
        }
    }
}

async fn quote(
    runs: &Runs,
    consumer: ConsumerId,
    slug: &Slug,
    inputs: &Map<String, Value>,
) -> Result<HttpResponse, ApiError> {
    let quoted = runs.engine.quote(consumer, slug, inputs).await;
    let quote = quoted.map_err(runs.refusal(ExecutionKind::Run))?;
    success(&QuotedRunOut {
        valid: true,
        price_credits: quote.price.credits().get(),
        available_credits: quote.available.get(),
        estimated_seconds: quote.estimated_seconds,
    })
}

async fn run(
    runs: &Runs,
    request: RunRequest,
    wait: Option<u64>,
) -> Result<HttpResponse, ApiError> {
    let scope = Scope::Consumer(request.consumer);
    let admitted = runs.engine.submit(request).await;
    let mut admitted = admitted.map_err(runs.refusal(ExecutionKind::Run))?;
    if let Some(seconds) = wait {
        let patience = Duration::from_secs(seconds);
        admitted = runs.wait_for(scope, admitted, patience).await;
    }
    let Admitted {
        mut execution,
        is_replay,
    } = admitted;
    if wait.is_none() {
        // A repeated request is answered as it was the first time, when nothing had happened yet.
        execution.summary.status = ExecutionStatus::Pending;
    }
    let has_waited_for_the_end = wait.is_some() && execution.summary.status.is_terminal();
    let mut response = if has_waited_for_the_end {
        success(&RunOut::from(execution))?
    } else {
        let run = AcceptedRunOut::from(execution.summary);
        accepted(&run, run.location())?
    };
    if let Some(seconds) = wait {
        let applied = HeaderValue::from_str(&format!("wait={seconds}"));
        let applied = applied.map_err(ApiError::internal)?;
        response.headers_mut().insert(PREFERENCE_APPLIED, applied);
    }
    if is_replay {
        mark_as_replay(&mut response);
    }
    Ok(response)
}

/// Says that the request was accepted before.
pub(super) fn mark_as_replay(response: &mut HttpResponse) {
    let headers = response.headers_mut();
    headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
}

/// Which of his runs a consumer wants to see.
pub(crate) struct RunsQueryIn {
    filter: ExecutionFilter,
    page: PageRequest,
}

impl QueryIn for RunsQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let status = query.optional("status", ExecutionStatus::parse);
        let page = query.page(Execution::ORDER);
        Some(Self {
            filter: ExecutionFilter {
                status,
                ..ExecutionFilter::default()
            },
            page,
        })
    }
}

/// Lists the caller's runs, newest first.
pub(crate) async fn list_runs(
    engine: Data<Engine>,
    RegisteredConsumer(consumer): RegisteredConsumer,
    Query(RunsQueryIn { filter, page }): Query<RunsQueryIn>,
) -> Result<Listed<RunItemOut>, ApiError> {
    let scope = Scope::Consumer(consumer);
    Ok(Listed::new(
        engine.list(scope, &filter, &page).await?,
        &page,
    ))
}

/// Shows one of the caller's runs.
pub(crate) async fn show_run(
    engine: Data<Engine>,
    RegisteredConsumer(consumer): RegisteredConsumer,
    path: PathId<ExecutionId>,
) -> Result<Tagged<RunOut>, ApiError> {
    let scope = Scope::Consumer(consumer);
    let execution = engine.status(scope, path.id()?).await?;
    let forecast = engine.forecast(&execution.summary).await?;
    Ok(Tagged((execution, forecast).into()))
}

/// How patient the caller is with a run.
pub(crate) struct RunStatusQueryIn {
    /// Whether the provider is to be asked first.
    is_sync: bool,
    patience: Option<Duration>,
}

impl QueryIn for RunStatusQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let is_sync = query.optional("sync", true_or_false);
        let patience = query.optional("waitMs", milliseconds);
        Some(Self {
            is_sync: is_sync.unwrap_or(false),
            patience,
        })
    }
}

fn milliseconds(text: &str) -> Result<Duration, Misfit> {
    let number = whole_number(text)?;
    let fits = number <= MOST_WAIT_MS;
    match u64::try_from(number) {
        Ok(milliseconds) if fits => Ok(Duration::from_millis(milliseconds)),
        _ => {
            let message = format!("must be between 0 and {MOST_WAIT_MS} milliseconds");
            Err(Misfit::new("range", message))
        }
    }
}

/// Shows how one of the caller's runs stands; when he waits, as soon as it has ended.
pub(crate) async fn show_run_status(
    runs: Runs,
    RegisteredConsumer(consumer): RegisteredConsumer,
    path: PathId<ExecutionId>,
    Query(RunStatusQueryIn { is_sync, patience }): Query<RunStatusQueryIn>,
) -> Result<Tagged<RunStatusOut>, ApiError> {
    let (scope, id) = (Scope::Consumer(consumer), path.id()?);
    // Whose it is is asked before the provider is bothered for it.
    let mut execution = runs.engine.status(scope, id).await?;
    if is_sync && !execution.summary.status.is_terminal() {
        runs.engine.refresh(id).await?;
    }
    let patience = patience.or(is_sync.then_some(SYNC_PATIENCE));
    if let Some(patience) = patience
        && !execution.summary.status.is_terminal()
    {
        execution = runs.wait(scope, id, patience).await?;
    }
    let forecast = runs.engine.forecast(&execution.summary).await?;
    Ok(Tagged((execution, forecast).into()))
}

/// Cancelling takes no word; a body is refused only when it could not be one.
#[derive(ToSchema)]
pub(crate) struct CancelRunIn {}

impl Body for CancelRunIn {
    const MAY_BE_ABSENT: bool = true;

    fn read(_fields: &mut Fields) -> Option<Self> {
        Some(Self {})
    }
}

/// Cancels one of the caller's runs.
pub(crate) async fn cancel_run(
    engine: Data<Engine>,
    RegisteredConsumer(consumer): RegisteredConsumer,
    path: PathId<ExecutionId>,
    Valid(CancelRunIn {}): Valid<CancelRunIn>,
) -> Result<Success<CancelledRunOut>, ApiError> {
    let scope = Scope::Consumer(consumer);
    let execution = engine.cancel(scope, path.id()?).await?;
    Ok(Success(execution.into()))
}
