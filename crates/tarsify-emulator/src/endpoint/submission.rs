//! How jobs come in: by a submission, or again by a retry.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{Endpoint, State, StoreFull};
use crate::TimeScale;
use crate::demo::Worker;
use crate::faults::{FaultKind, Fired, JobPlan, When};
use crate::job::{Entrance, Job, JobStatus, NewJob};
use crate::policy::Policy;
use crate::randomness::unique_name;
use crate::simulation::{PlannedRun, simulate};

/// After so long with nothing to do a worker is cold again.
const REST: Duration = Duration::from_secs(5);
const DEFAULT_MS: u64 = 1_000;

/// What a client asked for.
pub(crate) struct Request {
    pub(crate) entrance: Entrance,
    pub(crate) input: Value,
    pub(crate) webhook: Option<String>,
    pub(crate) policy: Policy,
    pub(crate) bytes: usize,
    /// What strikes now.
    pub(crate) fired: Fired,
    /// What the header asked for later.
    pub(crate) plan: JobPlan,
}

impl Endpoint {
    /// Takes a job in and gives its id.
    pub(crate) fn submit(
        self: &Arc<Self>,
        request: Request,
        now: Instant,
    ) -> Result<String, StoreFull> {
        let Request {
            entrance,
            input,
            webhook,
            policy,
            bytes,
            fired,
            mut plan,
        } = request;
        self.keep_deadlines();
        let mut state = self.state();
        let id = match entrance {
            Entrance::Run => format!("{}-u1", unique_name(&mut state.names)),
            Entrance::Runsync => format!("sync-{}-u1", unique_name(&mut state.names)),
        };
        if fired.has(FaultKind::Lost) {
            return Ok(id);
        }
        if let Some(webhook) = &webhook {
            state.notice_repetition(webhook);
        }
        let webhook_faults = match webhook {
            Some(_) => state.draw(When::Webhook, &mut plan),
            None => Fired::default(),
        };
        let output_faults = state.draw(When::Output, &mut plan);
        let claim = webhook
            .clone()
            .filter(|_| webhook_faults.has(FaultKind::ForgedBody));
        let cold = state.is_cold(now);
        let job = NewJob {
            id: id.clone(),
            entrance,
            input,
            webhook,
            policy,
            bytes,
            plan,
            webhook_faults,
            output_faults,
        };
        let job = Job::new(job, now);
        let lie = job.false_status_text("COMPLETED", Some(serde_json::json!({ "forged": true })));
        state.jobs.insert(job)?;
        state.last_busy = Some(now);
        let mut run = self.planned_run(&state, &id, 0);
        if cold {
            run.queue += self.time(state.behaviour.cold_start_ms, 200);
        }
        if let Some(fault) = fired.find(FaultKind::ColdStart) {
            run.queue += fault.duration(DEFAULT_MS);
        }
        run.never_ends = fired.has(FaultKind::Stuck);
        drop(state);
        if let Some(address) = claim {
            self.claim(address, lie);
        }
        self.let_work(run, policy);
        Ok(id)
    }

    /// Lets a job that failed or took too long run again; otherwise its status, if it is there.
    pub(crate) fn retry(self: &Arc<Self>, id: &str, now: Instant) -> Option<Result<(), JobStatus>> {
        let mut state = self.state();
        let mut plan = state.jobs.change(id, |job| job.made_of.plan.clone())?;
        let faults = state.draw(When::Output, &mut plan);
        let (retried, status) = state.jobs.change(id, |job| {
            job.made_of.plan = plan;
            (job.retry(faults, now), job.status)
        })?;
        if !retried {
            return Some(Err(status));
        }
        state.totals.retried += 1;
        let job = state.jobs.get(id)?;
        let (attempt, policy) = (job.attempt, job.made_of.policy);
        let run = self.planned_run(&state, id, attempt);
        drop(state);
        self.let_work(run, policy);
        Some(Ok(()))
    }

    fn let_work(self: &Arc<Self>, run: PlannedRun, policy: Policy) {
        if self.worker != Worker::Official {
            let endpoint = Arc::clone(self);
            self.around
                .background
                .spawn(async move { simulate(endpoint, run).await });
        } else if !run.never_ends {
            self.state().queue.push(run.job, policy.priority);
        }
        self.tell();
    }

    fn planned_run(&self, state: &State, id: &str, attempt: u32) -> PlannedRun {
        PlannedRun {
            job: id.to_owned(),
            attempt,
            queue: self.time(state.behaviour.queue_ms, 50),
            run: self.time(state.behaviour.run_ms, 300),
            progress_steps: state.behaviour.progress_steps.unwrap_or(0).min(1_000),
            never_ends: false,
        }
    }

    fn time(&self, set: Option<u64>, simulated: u64) -> Duration {
        let default = match self.around.settings.time {
            TimeScale::Simulated => simulated,
            TimeScale::Zero => 0,
        };
        Duration::from_millis(set.unwrap_or(default))
    }

    /// Sends a webhook that claims what is not true.
    fn claim(self: &Arc<Self>, address: String, lie: String) {
        let (courier, endpoint) = (self.around.courier.clone(), Arc::clone(self));
        self.around.background.spawn(async move {
            courier.try_once(&endpoint, &address, &lie).await;
        });
    }
}

impl State {
    fn notice_repetition(&mut self, webhook: &str) {
        let mut hasher = DefaultHasher::new();
        webhook.hash(&mut hasher);
        if !self.webhooks.insert(hasher.finish()) {
            self.counts.count("repeated");
        }
    }

    fn draw(&mut self, when: When, plan: &mut JobPlan) -> Fired {
        let fired = self
            .plan
            .fire(when, |_| true)
            .and(plan.fire(when, |_| true));
        for _ in 0..fired.len() {
            self.counts.count("faults");
        }
        fired
    }

    fn is_cold(&self, now: Instant) -> bool {
        let busy = self.jobs.waiting() + self.jobs.running() > 0;
        let rested = |last| now.saturating_duration_since(last) >= REST;
        !busy && self.last_busy.is_none_or(rested)
    }
}
