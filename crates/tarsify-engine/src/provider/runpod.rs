//! The client of RunPod Serverless, and of whatever speaks its protocol. It trusts no answer's
//! shape, and repeats a submission only where the one before surely had no effect: what may be
//! repeated depends on what exactly failed, so it is a plain loop here and no layer around HTTP.

mod judged;
mod line;
mod look;
mod message;
mod retry_after;
mod settings;
mod stop;
mod stream;
mod submit;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Request;
use tarsify_domain::catalog::Provider;
use tarsify_domain::execution::{JobPlace, Operation, ProviderJobId};
use tarsify_domain::id::EndpointId;
use tarsify_domain::trace::TRACES;
use tokio::time::{Instant, sleep};
use tracing::{Instrument, Span};

use super::gate::{Denied, Outcome};
use super::gates::{Gates, Permit};
use super::{
    Circuits, GpuProvider, LookAnswer, StopAnswer, StreamAnswer, Submission, SubmitAnswer, Told,
    jitter,
};
use crate::observer::{Asked, Observer, ProviderAsked};
use judged::{Judge, Verdict};
use line::{Line, Reply, with_json};
use message::Cleaner;

pub use message::public_message;
pub use settings::{RunPodError, RunPodSettings};

/// How long a call of the port may take, repetitions included.
const LONGEST_CALL: Duration = Duration::from_secs(19);
/// A repetition that has less time left is not worth it: it would end as lost.
const SHORTEST_TRY: Duration = Duration::from_secs(6);
/// How long the first repetition waits when nobody asked for more.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// RunPod Serverless.
pub struct RunPod {
    line: Line,
    gates: Gates,
    cleaner: Cleaner,
    request_timeout: Duration,
    observer: Arc<dyn Observer>,
}

impl fmt::Debug for RunPod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RunPod")
            .field("base_url", &self.line.base().as_str())
            .finish_non_exhaustive()
    }
}

impl RunPod {
    /// RunPod itself, for the account of this key.
    ///
    /// # Errors
    /// When the key is none, or the machine has no certificates to trust.
    pub fn new(api_key: impl Into<String>) -> Result<Self, RunPodError> {
        Self::with_settings(RunPodSettings {
            api_key: Some(api_key.into()),
            ..RunPodSettings::default()
        })
    }

    /// Whatever these settings lead to.
    ///
    /// # Errors
    /// When the address or the key is none, when the key would travel unencrypted, or when the
    /// machine has no certificates to trust.
    pub fn with_settings(mut settings: RunPodSettings) -> Result<Self, RunPodError> {
        settings.request_timeout = settings.request_timeout.min(LONGEST_CALL);
        let line = Line::new(&settings)?;
        Ok(Self {
            line,
            gates: Gates::new(settings.budgets),
            cleaner: Cleaner::hiding(settings.api_key),
            request_timeout: settings.request_timeout,
            observer: settings.observer,
        })
    }

    async fn ask<A: Judge>(&self, place: &JobPlace, request: Option<Request>) -> Told<A> {
        let begun = Instant::now();
        let mut told = Told {
            answer: A::nothing(None),
            http_status: None,
            took: Duration::ZERO,
            said: "not asked: the request cannot be written".to_owned(),
        };
        let mut tries = 0;
        let most = place.limits.repetitions(A::TRIES.saturating_sub(1));
        for request in copies(request, most.saturating_add(1)) {
            let permit = match self.admit::<A>(place, tries, begun).await {
                Ok(permit) => permit,
                Err(denied) => {
                    told.answer = A::nothing(Some(denied.wait()));
                    if tries == 0 {
                        told.said = why_not(denied).to_owned();
                    }
                    break;
                }
            };
            tries += 1;
            let asked_at = Instant::now();
            let deadline = asked_at + self.request_timeout.min(A::LONGEST_TRY);
            let span = call_span::<A>(tries);
            let reply = self.line.send(request, deadline.min(begun + LONGEST_CALL));
            let reply = reply.instrument(span.clone()).await;
            let judged = A::judge(&reply, &self.cleaner);
            self.observer.provider_asked(&ProviderAsked {
                provider: Provider::RunPod,
                operation: A::OPERATION,
                outcome: asked(judged.outcome),
                took: asked_at.elapsed(),
            });
            record(&span, &reply, judged.outcome);
            permit.report(judged.outcome);
            (told.http_status, told.said) = (reply.http_status(), judged.said);
            match judged.verdict {
                Verdict::Is(answer) => {
                    told.answer = answer;
                    break;
                }
                Verdict::Nothing => {
                    told.answer = A::nothing(self.closed_for::<A>(place));
                    break;
                }
                Verdict::NothingYet => {
                    told.answer = A::nothing(self.closed_for::<A>(place));
                    let is_too_many = matches!(judged.outcome, Outcome::TooMany(_));
                    if is_too_many && !place.limits.repeats_429() {
                        break;
                    }
                }
            }
        }
        if tries > 1 {
            told.said.push_str(&format!(" ({tries} tries)"));
        }
        told.took = begun.elapsed();
        trace(place, &told);
        told
    }

    /// Leave to ask; a repetition waits for it as long as that leaves time for a try.
    async fn admit<A: Judge>(
        &self,
        place: &JobPlace,
        tries: u32,
        begun: Instant,
    ) -> Result<Permit, Denied> {
        let first_pause = place.limits.base_backoff();
        let enter = || {
            let gates = &self.gates;
            gates.enter(place.endpoint_id, A::OPERATION, first_pause)
        };
        if tries == 0 {
            return enter();
        }
        let asked = match self.gates.closed(place.endpoint_id, A::OPERATION) {
            Some(Denied::Patience(wait)) => wait,
            Some(denied) => return Err(denied),
            None => Duration::ZERO,
        };
        let wait = asked.max(FIRST_PAUSE * tries);
        let wait = wait + jitter::up_to(wait / 5);
        if begun.elapsed() + wait + SHORTEST_TRY > LONGEST_CALL {
            return Err(Denied::Patience(wait));
        }
        sleep(wait).await;
        enter()
    }

    fn closed_for<A: Judge>(&self, place: &JobPlace) -> Option<Duration> {
        let denied = self.gates.closed(place.endpoint_id, A::OPERATION);
        denied.map(Denied::wait)
    }
}

/// What was said is for administrators and not for logs: a model may quote its input.
fn trace<A: Judge>(place: &JobPlace, told: &Told<A>) {
    tracing::debug!(
        endpoint = %place.endpoint_id,
        operation = A::OPERATION.as_str(),
        http_status = told.http_status,
        took = ?told.took,
        "the provider was asked"
    );
}

/// The span of one request: whom it goes to and what for, and never where or with what.
fn call_span<A: Judge>(attempt: u32) -> Span {
    tracing::trace_span!(
        target: TRACES,
        "provider call",
        otel.kind = "client",
        otel.status_code = tracing::field::Empty,
        provider = Provider::RunPod.as_str(),
        operation = A::OPERATION.as_str(),
        attempt,
        http.response.status_code = tracing::field::Empty,
    )
}

fn record(span: &Span, reply: &Reply, outcome: Outcome) {
    if let Some(status) = reply.http_status() {
        span.record("http.response.status_code", status);
    }
    if !matches!(outcome, Outcome::Answered) {
        span.record("otel.status_code", "ERROR");
    }
}

const fn asked(outcome: Outcome) -> Asked {
    match outcome {
        Outcome::Answered => Asked::Answered,
        Outcome::TooMany(_) => Asked::TooMany,
        Outcome::Forbidden => Asked::Refused,
        Outcome::Unavailable(_) | Outcome::Failed => Asked::Failed,
    }
}

/// The request as often as it may be sent.
fn copies(request: Option<Request>, tries: u32) -> impl Iterator<Item = Request> {
    (0..tries).map_while(move |_| request.as_ref()?.try_clone())
}

const fn why_not(denied: Denied) -> &'static str {
    match denied {
        Denied::Budget(_) => "not asked: as many calls as may be are under way",
        Denied::Patience(_) => "not asked: the endpoint wants to be left alone for a while",
        Denied::Circuit(_) => "not asked: the endpoint's circuit is open",
    }
}

#[async_trait]
impl GpuProvider for RunPod {
    fn kind(&self) -> Provider {
        Provider::RunPod
    }

    async fn submit(&self, submission: Submission<'_>) -> Told<SubmitAnswer> {
        let place = submission.place;
        let request = self.line.request(place, Operation::Run, None);
        let request = request.zip(submit::body(&submission));
        let request = request.map(|(request, body)| with_json(request, body));
        self.ask(place, request).await
    }

    async fn look(&self, place: &JobPlace, job: &ProviderJobId) -> Told<LookAnswer> {
        let request = self.line.request(place, Operation::Status, Some(job));
        self.ask(place, request).await
    }

    async fn read_stream(&self, place: &JobPlace, job: &ProviderJobId) -> Told<StreamAnswer> {
        let request = self.line.request(place, Operation::Stream, Some(job));
        self.ask(place, request).await
    }

    async fn stop(&self, place: &JobPlace, job: &ProviderJobId) -> Told<StopAnswer> {
        let request = self.line.request(place, Operation::Cancel, Some(job));
        self.ask(place, request).await
    }

    fn allowances(&self, operation: Operation) -> Vec<(EndpointId, u32)> {
        self.gates.allowances(operation)
    }

    fn burst(&self, operation: Operation) -> u32 {
        self.gates.burst(operation)
    }

    fn circuits(&self) -> Circuits {
        self.gates.circuits()
    }

    fn share(&self, among: u32, rest: Duration) {
        self.gates.share(among, rest);
    }
}

#[cfg(test)]
mod tests;
