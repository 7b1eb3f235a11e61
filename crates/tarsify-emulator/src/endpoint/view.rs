//! An endpoint as it is shown: to clients as its health, to whoever tests with it in full.

use serde::Serialize;
use tokio::time::Instant;

use super::{Endpoint, State};
use crate::demo::Worker;
use crate::faults::PlannedFault;
use crate::{Behaviour, CallCounts};

/// What `/health` answers.
#[derive(Debug, Serialize)]
pub(crate) struct HealthBody {
    jobs: JobCounts,
    workers: WorkerCounts,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JobCounts {
    completed: u64,
    failed: u64,
    in_progress: usize,
    in_queue: usize,
    retried: u64,
}

#[derive(Debug, Serialize)]
struct WorkerCounts {
    idle: usize,
    initializing: usize,
    ready: usize,
    running: usize,
    throttled: usize,
    unhealthy: usize,
}

/// What `GET /emulator/endpoints/{id}` answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointView {
    id: String,
    worker: &'static str,
    behaviour: Behaviour,
    /// The faults with how often they struck.
    faults: Vec<PlannedFault>,
    counts: CallCounts,
    jobs: JobCounts,
    stored_bytes: usize,
}

impl Endpoint {
    pub(crate) fn health(&self, now: Instant) -> HealthBody {
        let state = self.state();
        let (idle, running) = match self.worker {
            Worker::Official => state.workers_alive(self.around.settings.worker_silence, now),
            _ => (usize::from(state.jobs.running() == 0), state.jobs.running()),
        };
        HealthBody {
            jobs: state.job_counts(),
            workers: WorkerCounts {
                idle,
                initializing: 0,
                ready: idle.saturating_add(running),
                running,
                throttled: 0,
                unhealthy: 0,
            },
        }
    }

    pub(crate) fn view(&self) -> EndpointView {
        let state = self.state();
        EndpointView {
            id: self.id.clone(),
            worker: self.worker.name(),
            behaviour: state.behaviour.clone(),
            faults: state.plan.planned().to_vec(),
            counts: state.counts.clone(),
            jobs: state.job_counts(),
            stored_bytes: state.jobs.bytes(),
        }
    }
}

impl State {
    fn job_counts(&self) -> JobCounts {
        JobCounts {
            completed: self.totals.completed,
            failed: self.totals.failed,
            in_progress: self.jobs.running(),
            in_queue: self.jobs.waiting(),
            retried: self.totals.retried,
        }
    }
}
