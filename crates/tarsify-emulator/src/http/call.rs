//! A client's call from its arrival to its answer: the key, the limits, the count, and what faults
//! make of it before and after it has its effect.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{HttpRequest, HttpResponse};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::refusal::Refusal;
use crate::RateLimits;
use crate::emulator::Shared;
use crate::endpoint::Endpoint;
use crate::faults::{Fault, FaultKind, FaultPlan, Fired, JobPlan, When};
use crate::limits::{Operation, Permit};
use crate::randomness::fingerprint;

const FAULT_HEADER: &str = "X-Emulator-Fault";
const DELAY_MS: u64 = 1_000;
/// A stalled call ends after so long, should the client be more patient.
const STALL: Duration = Duration::from_secs(3600);

/// A call that was let in.
pub(super) struct Call {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) fired: Fired,
    /// What the header asked for later.
    pub(super) plan: JobPlan,
    stop: CancellationToken,
    _permit: Option<Permit>,
}

/// Which call it is.
pub(super) struct Opening<'a> {
    pub(super) endpoint: &'a str,
    pub(super) operation: Operation,
    pub(super) job: Option<&'a str>,
}

impl Call {
    /// Lets a call in, unless its key, the limits or a fault forbid it.
    pub(super) async fn open(
        shared: &Shared,
        request: &HttpRequest,
        opening: Opening<'_>,
    ) -> Result<Self, Refusal> {
        authorise_client(shared, request.headers())?;
        let mut plan = planned_by_header(request.headers(), shared.around.settings.seed)?;
        let endpoint = shared
            .endpoint(opening.endpoint)
            .map_err(Refusal::Behaviour)?;
        endpoint.count(opening.operation.name());
        let permit = match shared.around.settings.rate_limits {
            RateLimits::Off => None,
            RateLimits::Enforced => {
                let entered = endpoint.limits.enter(opening.operation, Instant::now());
                entered.map_err(|wait| {
                    endpoint.count("rateLimited");
                    Refusal::TooMany(wait)
                })?
            }
        };
        let fired = match moment(opening.operation) {
            Some(when) => endpoint
                .fire(when, opening.job)
                .and(plan.fire(when, |_| true)),
            None => Fired::default(),
        };
        let call = Self {
            endpoint,
            fired,
            plan,
            stop: shared.around.background.stop.clone(),
            _permit: permit,
        };
        call.wait().await;
        call.interrupt(FaultKind::hides_the_call).await?;
        Ok(call)
    }

    /// Lets the answer out, unless a fault hides it.
    pub(super) async fn answer(self, answer: HttpResponse) -> Result<HttpResponse, Refusal> {
        self.interrupt(FaultKind::hides_the_answer).await?;
        Ok(answer)
    }

    async fn wait(&self) {
        if let Some(delay) = self.fired.find(FaultKind::Delay) {
            tokio::select! {
                () = sleep(delay.duration(DELAY_MS)) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    async fn interrupt(&self, kinds: impl Fn(FaultKind) -> bool) -> Result<(), Refusal> {
        let Some(fault) = self.fired.first(kinds) else {
            return Ok(());
        };
        if matches!(fault.kind, FaultKind::Stall | FaultKind::AcceptThenStall) {
            tokio::select! {
                () = sleep(STALL) => {}
                () = self.stop.cancelled() => {}
            }
        }
        Err(Refusal::Injected(Box::new(fault.clone())))
    }
}

fn moment(operation: Operation) -> Option<When> {
    match operation {
        Operation::Run | Operation::Runsync => Some(When::Run),
        Operation::Status => Some(When::Status),
        Operation::Stream => Some(When::Stream),
        Operation::Cancel => Some(When::Cancel),
        Operation::Retry | Operation::PurgeQueue | Operation::Health => None,
    }
}

fn planned_by_header(headers: &HeaderMap, seed: u64) -> Result<JobPlan, Refusal> {
    let text = headers
        .get(FAULT_HEADER)
        .map_or(Ok(""), |value| value.to_str());
    let text =
        text.map_err(|error| Refusal::Bad(format!("`{FAULT_HEADER}` is not a text: {error}")))?;
    let faults = Fault::parse_list(text).map_err(|source| Refusal::FaultHeader {
        header: FAULT_HEADER,
        source,
    })?;
    Ok(FaultPlan::new(faults, seed ^ fingerprint(text)))
}

/// Clients send their key as a bearer token.
pub(super) fn authorise_client(shared: &Shared, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(key) = &shared.around.settings.api_key else {
        return Ok(());
    };
    let sent = authorization(headers).and_then(|value| value.strip_prefix("Bearer "));
    if sent == Some(key.as_str()) {
        Ok(())
    } else {
        Err(Refusal::Unauthorized)
    }
}

/// Workers send their key as it is.
pub(super) fn authorise_worker(shared: &Shared, headers: &HeaderMap) -> Result<(), Refusal> {
    let bare = authorization(headers);
    if shared.around.settings.api_key.is_some() && bare == shared.around.settings.api_key.as_deref()
    {
        return Ok(());
    }
    authorise_client(shared, headers)
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()
}
