//! The workers' side: taking jobs, telling of them, being told to stop, falling silent.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{Endpoint, State};
use crate::EmulatorSettings;
use crate::demo::Worker;
use crate::job::{Ending, Job, JobBody, JobStatus};

/// A worker that was silent for so long is forgotten; its jobs were taken back long before.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// What is known of a worker.
pub(super) struct WorkerState {
    pub(super) seen_at: Instant,
    /// Whether it sends heartbeats: then only those keep its jobs.
    sends_heartbeats: bool,
    to_stop: Vec<String>,
}

/// What a worker says of a job.
#[derive(Debug)]
pub(crate) enum Report {
    Progress(Value),
    Chunk(Value),
    Done(Ending),
}

impl Endpoint {
    /// Gives a worker up to so many jobs.
    pub(crate) fn take(&self, worker: &str, most: usize, now: Instant) -> Vec<JobBody> {
        let mut state = self.state();
        state.see(worker, now);
        if self.worker != Worker::Official {
            return Vec::new();
        }
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(id) = state.queue.pop() else { break };
            let begin = |job: &mut Job| job.begin(worker, now).then(|| job.for_worker());
            taken.extend(state.jobs.change(&id, begin).flatten());
        }
        // A job that comes back after a retry is not the one that was to stop.
        let came_back = |id: &String| taken.iter().any(|job: &JobBody| job.id == *id);
        state.see(worker, now).to_stop.retain(|id| !came_back(id));
        taken
    }

    /// A worker's progress, part or result; false when the job is not there or has ended.
    pub(crate) fn hear(self: &Arc<Self>, worker: &str, id: &str, report: Report) -> bool {
        let now = Instant::now();
        self.state().see(worker, now);
        let heard = match report {
            Report::Progress(value) => self.with_job(id, |job| job.progress(value, now)),
            Report::Chunk(value) => self.with_job(id, |job| job.yield_chunk(value, now)),
            Report::Done(ending) => return self.finish(id, None, ending),
        };
        self.tell();
        heard.unwrap_or(false)
    }

    /// A heartbeat with the jobs the worker has. It is told again to stop those that have ended:
    /// official workers miss that while they have a job but have not begun it.
    pub(crate) fn ping<'a>(&self, worker: &str, jobs: impl Iterator<Item = &'a str>, now: Instant) {
        let mut state = self.state();
        state.see(worker, now).sends_heartbeats = true;
        let mut over = Vec::new();
        for id in jobs {
            let goes_on = state.jobs.change(id, |job| {
                if job.worker.as_deref() == Some(worker) {
                    job.heard_at = now;
                }
                !job.status.is_final()
            });
            if goes_on != Some(true) {
                over.push(id.to_owned());
            }
        }
        if !over.is_empty() {
            let to_stop = &mut state.see(worker, now).to_stop;
            over.retain(|id| !to_stop.contains(id));
            to_stop.append(&mut over);
            drop(state);
            self.tell();
        }
    }

    /// The jobs a worker shall stop, once.
    pub(crate) fn to_stop(&self, worker: &str, now: Instant) -> Vec<String> {
        std::mem::take(&mut self.state().see(worker, now).to_stop)
    }
}

impl State {
    fn see(&mut self, worker: &str, now: Instant) -> &mut WorkerState {
        let known = self
            .workers
            .entry(worker.to_owned())
            .or_insert_with(|| WorkerState {
                seen_at: now,
                sends_heartbeats: false,
                to_stop: Vec::new(),
            });
        known.seen_at = now;
        known
    }

    /// Tells the worker of a job to stop it, if it has one.
    pub(super) fn ask_to_stop(&mut self, id: &str) {
        let worker = self.jobs.get(id).and_then(|job| job.worker.as_deref());
        if let Some(known) = worker.and_then(|worker| self.workers.get_mut(worker)) {
            known.to_stop.push(id.to_owned());
        }
    }

    /// Puts the jobs of silent workers back into the queue, or tells how those end that were there often enough.
    pub(super) fn take_back_lost(
        &mut self,
        settings: &EmulatorSettings,
        now: Instant,
    ) -> Vec<(String, Option<Ending>)> {
        let forgotten = FORGOTTEN.max(settings.worker_silence.saturating_mul(2));
        self.workers
            .retain(|_, known| now.saturating_duration_since(known.seen_at) < forgotten);
        let lost: Vec<(String, u32)> = self
            .jobs
            .iter()
            .filter(|job| self.is_lost(job, settings.worker_silence, now))
            .map(|job| (job.made_of.id.clone(), job.retries))
            .collect();
        let mut taken_back = Vec::new();
        for (id, retries) in lost {
            if retries < settings.worker_retries {
                self.jobs.change(&id, |job| job.requeue(now));
                self.totals.retried += 1;
                self.queue.push_first(id.clone());
                taken_back.push((id, None));
            } else {
                let why = Value::String(format!("job timed out after {retries} retries"));
                taken_back.push((id, Some(Ending::Failed(why))));
            }
        }
        taken_back
    }

    /// Own workers are no state here, so theirs are never lost.
    fn is_lost(&self, job: &Job, silence: Duration, now: Instant) -> bool {
        let known = job
            .worker
            .as_deref()
            .and_then(|worker| self.workers.get(worker));
        let Some(known) = known.filter(|_| job.status == JobStatus::InProgress) else {
            return false;
        };
        let heard_at = if known.sends_heartbeats {
            job.heard_at
        } else {
            job.heard_at.max(known.seen_at)
        };
        now.saturating_duration_since(heard_at) >= silence
    }

    /// How many workers were heard of lately, and how many of those have a job.
    pub(super) fn workers_alive(&self, silence: Duration, now: Instant) -> (usize, usize) {
        let alive = |known: &WorkerState| now.saturating_duration_since(known.seen_at) < silence;
        let busy: HashSet<&str> = self
            .jobs
            .iter()
            .filter(|job| job.status == JobStatus::InProgress)
            .filter_map(|job| job.worker.as_deref())
            .collect();
        let living = self.workers.iter().filter(|(_, known)| alive(known));
        let (mut idle, mut running) = (0, 0);
        for (name, _) in living {
            if busy.contains(name.as_str()) {
                running += 1
            } else {
                idle += 1
            }
        }
        (idle, running)
    }
}
