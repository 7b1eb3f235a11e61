//! How jobs end: by their worker, by a client, by their deadlines. One that ends as COMPLETED or
//! FAILED sends its webhook.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::outcome::spoil;
use super::{Endpoint, State};
use crate::courier::Letter;
use crate::demo::{Worker, work};
use crate::faults::{FaultKind, Fired};
use crate::job::{Ending, Entrance, Job, JobStatus};

impl Endpoint {
    /// Ends a job as its worker says, unless it has ended or, for an attempt, started anew.
    pub(crate) fn finish(self: &Arc<Self>, id: &str, attempt: Option<u32>, ending: Ending) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        let current = state.jobs.get(id).map(|job| job.attempt);
        if current.is_none() || attempt.is_some_and(|attempt| current != Some(attempt)) {
            return false;
        }
        let ending = state.jobs.change(id, |job| spoil(job, ending));
        let letter = ending.and_then(|ending| self.end(&mut state, id, ending, now));
        drop(state);
        self.tell();
        let ended = letter.is_some();
        if let Some(Some(letter)) = letter {
            self.send(letter);
        }
        ended
    }

    /// Cancels a job, if it is there, as the faults will have it; gives the status to answer with.
    pub(crate) fn cancel(self: &Arc<Self>, id: &str, faults: &Fired) -> Option<JobStatus> {
        let (status, input) = self.with_job(id, |job| (job.status, job.made_of.input.clone()))?;
        if status.is_final() {
            return Some(status);
        }
        if faults.has(FaultKind::Ignored) {
            return Some(JobStatus::Cancelled);
        }
        if faults.has(FaultKind::CompletesFirst) {
            let ending = match self.worker {
                Worker::Official => {
                    Ending::Completed(Some(json!({ "ended": "just before it was cancelled" })))
                }
                own => match work(own, &input).result {
                    Ok(output) => Ending::Completed(Some(output)),
                    Err(error) => Ending::Failed(json!(error)),
                },
            };
            self.finish(id, None, ending);
        }
        let mut state = self.state();
        self.end(&mut state, id, Ending::Cancelled, Instant::now());
        let status = state.jobs.get(id)?.status;
        drop(state);
        self.tell();
        Some(status)
    }

    /// Cancels all that wait, and tells how many those were.
    pub(crate) fn purge(&self) -> usize {
        let now = Instant::now();
        let mut state = self.state();
        let waits = |job: &&Job| job.status == JobStatus::InQueue;
        let waiting: Vec<String> = state
            .jobs
            .iter()
            .filter(waits)
            .map(|job| job.made_of.id.clone())
            .collect();
        for id in &waiting {
            self.end(&mut state, id, Ending::Cancelled, now);
        }
        drop(state);
        self.tell();
        waiting.len()
    }

    /// Ends what is overdue, forgets what has expired, and takes jobs back from silent workers.
    pub(crate) fn sweep(self: &Arc<Self>, now: Instant) {
        let mut letters = Vec::new();
        let mut state = self.state();
        let (mut expired, mut overdue) = (Vec::new(), Vec::new());
        for job in state.jobs.iter() {
            if job.has_expired(now) {
                expired.push(job.made_of.id.clone());
            } else if job.is_overdue(now) {
                overdue.push((job.made_of.id.clone(), job.made_of.policy.execution_timeout));
            }
        }
        let mut changed = !expired.is_empty() || !overdue.is_empty();
        for id in expired {
            state.ask_to_stop(&id);
            state.jobs.remove(&id);
        }
        for (id, timeout) in overdue {
            let why = format!(
                "the job exceeded its execution timeout of {} ms",
                timeout.as_millis()
            );
            self.end(&mut state, &id, Ending::TimedOut(why), now);
        }
        for (id, ending) in state.take_back_lost(&self.around.settings, now) {
            changed = true;
            if let Some(ending) = ending {
                letters.extend(self.end(&mut state, &id, ending, now).flatten());
            }
        }
        drop(state);
        if changed {
            self.tell();
        }
        for letter in letters {
            self.send(letter);
        }
    }

    /// Ends a job: `Some` when this ended it, with the webhook that is due then.
    fn end(
        &self,
        state: &mut State,
        id: &str,
        ending: Ending,
        now: Instant,
    ) -> Option<Option<Letter>> {
        let was_running = state.jobs.get(id)?.status == JobStatus::InProgress;
        let stops_worker = matches!(ending, Ending::TimedOut(_) | Ending::Cancelled);
        let ended = state.jobs.change(id, |job| {
            let kept = self.retention(job.made_of.entrance);
            job.end(ending, kept, now)
                .then(|| (job.status, letter(job)))
        });
        let (status, letter) = ended??;
        match status {
            JobStatus::Completed => state.totals.completed += 1,
            JobStatus::Failed | JobStatus::TimedOut => state.totals.failed += 1,
            _ => {}
        }
        state.last_busy = Some(now);
        if was_running && stops_worker {
            state.ask_to_stop(id);
        }
        Some(letter)
    }

    fn retention(&self, entrance: Entrance) -> Duration {
        match entrance {
            Entrance::Run => self.around.settings.run_retention,
            Entrance::Runsync => self.around.settings.runsync_retention,
        }
    }
}

fn letter(job: &Job) -> Option<Letter> {
    if !matches!(job.status, JobStatus::Completed | JobStatus::Failed) {
        return None;
    }
    Some(Letter {
        job: job.made_of.id.clone(),
        address: job.made_of.webhook.clone()?,
        body: job.webhook_text(),
        faults: job.made_of.webhook_faults.clone(),
    })
}
