//! One leased execution, from the claim to the write that gives the lease back.

mod counting;
mod listen;
mod telling;
mod traced;
mod words;

use std::sync::Arc;
use std::time::Duration;

use tarsify_domain::catalog::Category;
use tarsify_domain::execution::{
    Claimed, Exchange, JobPlace, Material, Operation, ProviderJobId, Stage, Written,
};
use tarsify_domain::id::ExecutionId;
use tarsify_domain::{RepoError, Timestamp};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument, Span};

use crate::engine::Engine;
use crate::machine::{Counted, Effect, Event, Policy, Question, Task, step};
use crate::provider::{
    GpuProvider, JobStatus, LookAnswer, StopAnswer, Submission, SubmitAnswer, Told,
};
use crate::scrub::Scrubber;

use telling::Telling;

/// The pause before a write that failed is tried again.
const PAUSE: Duration = Duration::from_millis(300);

/// What is kept of a lease for the write, unless the lease is short.
const MARGIN: Duration = Duration::from_secs(2);

/// The pause between two looks at a job whose output somebody watches.
const WATCHED: Duration = Duration::from_secs(1);

/// What a worker holds while it has an execution in hand.
struct Hand<'a> {
    engine: &'a Engine,
    id: ExecutionId,
    place: JobPlace,
    category: Category,
    created_at: Timestamp,
    /// When the provider was first seen at work.
    started_at: Option<Timestamp>,
    deadline_at: Timestamp,
    /// The store's time when the lease began, and ours.
    began: (Timestamp, Instant),
    token: Option<String>,
    material: Option<Material>,
    exchanges: Vec<Exchange>,
    /// What is to be counted, once it is known what came of it.
    counted: Vec<Counted>,
    /// What is told of the output, once anybody has watched it.
    telling: Option<Telling>,
    /// What it is in a trace.
    span: Span,
}

impl Engine {
    pub(super) async fn drive(&self, claimed: Claimed, token: Option<String>) {
        let span = self.step_span(&claimed);
        let step = self.take_in_hand(claimed, token, span.clone());
        step.instrument(span).await;
    }

    async fn take_in_hand(&self, claimed: Claimed, token: Option<String>, span: Span) {
        let Claimed {
            lease,
            now,
            state,
            place,
            category,
            started_at,
            submission,
            audience,
            trace_parent: _,
        } = claimed;
        let is_fresh_attempt = submission.is_some();
        let mut hand = Hand {
            engine: self,
            id: lease.id,
            place,
            category,
            created_at: state.created_at,
            started_at,
            deadline_at: state.deadline_at,
            began: (now, Instant::now()),
            token,
            material: submission.map(|(_, material)| material),
            exchanges: Vec::new(),
            counted: Vec::new(),
            telling: Telling::begin(audience, &state, lease.epoch),
            span,
        };
        let is_watched =
            state.stage == Stage::Running && hand.telling.as_ref().is_some_and(Telling::goes_on);
        let policy = Policy {
            first_pause: hand.place.limits.base_backoff(),
            longest_interval: if is_watched { WATCHED } else { Duration::MAX },
            ..self.shared.policy
        };
        let mut task = Task::new(lease, state, policy);
        let mut next = Some(Event::Claimed { is_fresh_attempt });
        while let Some(event) = next.take() {
            let effects;
            (task, effects) = step(task, hand.now(), event);
            for effect in effects {
                next = hand.carry_out(effect).await.or(next);
            }
            hand.count(next.as_ref());
        }
    }
}

impl Hand<'_> {
    /// What time it is at the store.
    fn now(&self) -> Timestamp {
        let (at_store, here) = self.began;
        at_store + here.elapsed()
    }

    async fn carry_out(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Count(what) => {
                self.counted.push(what);
                None
            }
            Effect::Ask(question) => Some(self.ask(question).await),
            Effect::Advance(mut advance) => {
                advance.exchanges = std::mem::take(&mut self.exchanges);
                if let Some(telling) = &mut self.telling {
                    advance.events.extend(telling.take_parts());
                    advance.told = Some(telling.told());
                }
                let queue = &self.engine.shared.queue;
                let event = self.write(|| queue.advance(&advance)).await;
                if !advance.events.is_empty() {
                    self.engine.shared.bus.announce();
                }
                if event == Event::Written(Written::Applied { is_due: true }) {
                    match advance.to {
                        Stage::Created => self.engine.shared.submissions.notify_one(),
                        _ => self.engine.shared.looks.notify_one(),
                    }
                }
                Some(event)
            }
            Effect::Settle(mut settlement) => {
                settlement.exchanges = std::mem::take(&mut self.exchanges);
                settlement.deltas = self.telling.as_mut().map(Telling::take_parts);
                let queue = &self.engine.shared.queue;
                let event = self.write(|| queue.settle(&settlement)).await;
                if let Event::Written(Written::Applied { is_due }) = event {
                    self.tell_of_end(&settlement);
                    self.span.record("ended", settlement.ending.as_str());
                    tracing::info!(
                        execution = %self.id,
                        status = settlement.ending.as_str(),
                        reason = settlement.reason.map(|reason| reason.as_str()),
                        "run ended"
                    );
                    if is_due {
                        self.engine.shared.looks.notify_one();
                    }
                    if self.place.limits.max_concurrency.is_some() {
                        // Whoever waits for a place at the endpoint may have this one.
                        self.engine.shared.submissions.notify_one();
                    }
                }
                self.engine.shared.watch.wake(self.id);
                self.engine.shared.bus.announce();
                Some(event)
            }
        }
    }

    /// Writes, again and again while the lease may hold: what was learned from the provider
    /// is worth it.
    async fn write<F>(&self, mut attempt: impl FnMut() -> F) -> Event
    where
        F: Future<Output = Result<Written, RepoError>>,
    {
        let ends = self.began.1 + self.engine.shared.settings.lease;
        let mut may_be_written = false;
        loop {
            match attempt().await {
                // Our own first try may be what stands in the way of the second.
                Ok(Written::Refused) if may_be_written => return Event::WriteLost,
                Ok(written) => return Event::Written(written),
                Err(RepoError::Unavailable(error)) => {
                    may_be_written = true;
                    tracing::warn!(execution = %self.id, %error, "a write waits for the store");
                }
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(execution = %self.id, %error, cause, "a write failed");
                    return Event::WriteLost;
                }
            }
            if Instant::now() + PAUSE >= ends {
                return Event::WriteLost;
            }
            sleep(PAUSE).await;
        }
    }

    /// When an answer has to be there, to be written down under this lease.
    fn answers_until(&self) -> Instant {
        let lease = self.engine.shared.settings.lease;
        self.began.1 + lease - MARGIN.min(lease / 8)
    }

    /// Asks, and has the answer in time to write it down under this lease.
    async fn ask(&mut self, question: Question) -> Event {
        let until = self.answers_until();
        let silence = silence_about(&question);
        let Some(provider) = self.engine.shared.provider(self.place.provider) else {
            // Another process on the same store knows the protocol and took it in.
            return without_asking(&question);
        };
        let provider = Arc::clone(provider);
        let answer = async {
            match question {
                Question::Submit { attempt } => {
                    Event::Submitted(self.submit(provider.as_ref(), attempt).await)
                }
                Question::Look { attempt, job } => {
                    Event::Looked(self.look(provider.as_ref(), attempt, &job).await)
                }
                Question::Stop { attempt, job } => {
                    Event::Stopped(self.stop(provider.as_ref(), attempt, &job).await)
                }
            }
        };
        timeout_at(until, answer).await.unwrap_or(silence)
    }

    async fn submit(&mut self, provider: &dyn GpuProvider, attempt: u32) -> SubmitAnswer {
        let left = self.deadline_at - self.now();
        let Some(material) = &self.material else {
            return SubmitAnswer::Undone { retry_after: None };
        };
        let callbacks = self.engine.shared.settings.callbacks.as_deref();
        let callback = callbacks
            .zip(self.token.as_deref())
            .map(|(base, token)| format!("{base}/{}/{token}", self.id));
        let told = provider
            .submit(Submission {
                place: &self.place,
                payload: &material.payload,
                callback: callback.as_deref(),
                time_to_live: Duration::try_from(left).unwrap_or(Duration::ZERO),
            })
            .await;
        self.note(attempt, Operation::Run, told)
    }

    async fn stop(
        &mut self,
        provider: &dyn GpuProvider,
        attempt: u32,
        job: &ProviderJobId,
    ) -> StopAnswer {
        let told = provider.stop(&self.place, job).await;
        self.note(attempt, Operation::Cancel, told)
    }

    async fn look(
        &mut self,
        provider: &dyn GpuProvider,
        attempt: u32,
        job: &ProviderJobId,
    ) -> LookAnswer {
        let told = provider.look(&self.place, job).await;
        self.listen(provider, (attempt, job), &told.answer).await;
        // What repeats every few seconds would push everything else out of the record.
        if let LookAnswer::Seen(view) = &told.answer
            && matches!(
                view.status,
                JobStatus::InQueue | JobStatus::InProgress { .. }
            )
        {
            return self.scrubbed(told.answer).await;
        }
        if says_something(&told.answer) && self.fetch_material().await.is_none() {
            return LookAnswer::Unavailable { retry_after: None };
        }
        let answer = self.note(attempt, Operation::Status, told);
        self.scrubbed(answer).await
    }

    /// The answer without what the developer keeps to himself. Without knowing what that is,
    /// nothing of it goes any further.
    async fn scrubbed(&mut self, answer: LookAnswer) -> LookAnswer {
        if !says_something(&answer) {
            return answer;
        }
        let Some(material) = self.fetch_material().await else {
            return LookAnswer::Unavailable { retry_after: None };
        };
        let scrubber = Scrubber::new(material);
        let LookAnswer::Seen(mut view) = answer else {
            return answer;
        };
        match &mut view.status {
            JobStatus::InProgress { progress: said } | JobStatus::Completed { output: said } => {
                *said = said.take().map(|said| scrubber.scrub_value(said));
            }
            JobStatus::Failed { message } => {
                *message = message.take().map(|said| scrubber.scrub_text(&said));
            }
            JobStatus::InQueue
            | JobStatus::TimedOut
            | JobStatus::Cancelled
            | JobStatus::Unknown => {}
        }
        LookAnswer::Seen(view)
    }

    async fn fetch_material(&mut self) -> Option<&Material> {
        if self.material.is_none() {
            match self.engine.shared.queue.find_material(self.id).await {
                Ok(material) => self.material = material,
                Err(error) => tracing::warn!(execution = %self.id, %error, "a look was in vain"),
            }
        }
        self.material.as_ref()
    }

    /// Keeps for administrators what was said.
    fn note<A>(&mut self, attempt: u32, operation: Operation, told: Told<A>) -> A {
        let Told {
            answer,
            http_status,
            took,
            said,
        } = told;
        let said = match &self.material {
            Some(material) => Scrubber::new(material).scrub_text(&said),
            None => said,
        };
        self.exchanges.push(Exchange {
            attempt,
            operation,
            http_status,
            took,
            said,
        });
        answer
    }
}

/// What it means that there is no answer.
fn silence_about(question: &Question) -> Event {
    match question {
        Question::Submit { .. } => Event::Submitted(SubmitAnswer::Lost),
        Question::Look { .. } | Question::Stop { .. } => without_asking(question),
    }
}

/// What it means that nobody was asked.
fn without_asking(question: &Question) -> Event {
    let retry_after = None;
    match question {
        Question::Submit { .. } => Event::Submitted(SubmitAnswer::Undone { retry_after }),
        Question::Look { .. } => Event::Looked(LookAnswer::Unavailable { retry_after }),
        Question::Stop { .. } => Event::Stopped(StopAnswer::Unavailable),
    }
}

/// Whether the answer holds words that come from the model.
fn says_something(answer: &LookAnswer) -> bool {
    let LookAnswer::Seen(view) = answer else {
        return false;
    };
    match &view.status {
        JobStatus::InProgress { progress: said } | JobStatus::Completed { output: said } => {
            said.is_some()
        }
        JobStatus::Failed { message } => message.is_some(),
        JobStatus::InQueue | JobStatus::TimedOut | JobStatus::Cancelled | JobStatus::Unknown => {
            false
        }
    }
}
