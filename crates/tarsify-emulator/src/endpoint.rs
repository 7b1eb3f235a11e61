//! One endpoint: its jobs, its queue, its workers, its behaviour and its counts, behind one lock
//! that is never held across a wait.

mod ending;
mod outcome;
mod queue;
mod store;
mod submission;
mod view;
mod workers;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::counts::CallCounts;
use crate::courier::{Background, Courier, Letter};
use crate::demo::Worker;
use crate::faults::{FaultKind, FaultPlan, Fired, When};
use crate::job::{Job, JobStatus};
use crate::limits::Limits;
use crate::randomness::{Draws, entropy, fingerprint};
use crate::{Behaviour, EmulatorSettings};

pub(crate) use store::StoreFull;
pub(crate) use submission::Request;
pub(crate) use workers::Report;

use queue::Queue;
use store::JobStore;
use workers::WorkerState;

/// How often deadlines are looked at.
const SWEEP: Duration = Duration::from_millis(100);

/// What endpoints share.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) settings: Arc<EmulatorSettings>,
    pub(crate) courier: Courier,
    pub(crate) background: Background,
}

/// One endpoint.
pub(crate) struct Endpoint {
    id: String,
    pub(crate) worker: Worker,
    pub(crate) limits: Limits,
    around: Surroundings,
    changed: watch::Sender<u64>,
    watched: OnceLock<()>,
    state: Mutex<State>,
}

struct State {
    behaviour: Behaviour,
    plan: FaultPlan,
    counts: CallCounts,
    jobs: JobStore,
    queue: Queue,
    workers: HashMap<String, WorkerState>,
    names: Draws,
    /// The webhooks of all jobs there ever were, hashed: whoever gives each attempt its own sends none twice.
    webhooks: HashSet<u64>,
    totals: Totals,
    /// When there was last something to do.
    last_busy: Option<Instant>,
}

/// What `/health` counts since the start.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    completed: u64,
    failed: u64,
    retried: u64,
}

impl Endpoint {
    /// An endpoint with nothing to do.
    pub(crate) fn create(id: &str, around: Surroundings) -> Arc<Self> {
        Arc::new(Self::new(id, around))
    }

    /// Looks after its deadlines until it, or the emulator, is gone. Behaviours are set outside a
    /// runtime too, so this begins with the first job.
    fn keep_deadlines(self: &Arc<Self>) {
        self.watched.get_or_init(|| {
            self.around
                .background
                .spawn(keep_deadlines(Arc::downgrade(self)))
        });
    }

    fn new(id: &str, around: Surroundings) -> Self {
        let settings = &around.settings;
        let scripted = settings
            .script
            .as_ref()
            .and_then(|script| script.endpoints.get(id));
        let behaviour = scripted.cloned().unwrap_or_default();
        let state = State {
            plan: plan(&behaviour, id, settings.seed),
            behaviour,
            counts: CallCounts::default(),
            jobs: JobStore::new(settings.max_jobs, settings.max_stored_bytes),
            queue: Queue::default(),
            workers: HashMap::new(),
            names: Draws::new(entropy()),
            webhooks: HashSet::new(),
            totals: Totals::default(),
            last_busy: None,
        };
        Self {
            id: id.to_owned(),
            worker: Worker::of_endpoint(id),
            limits: Limits::default(),
            changed: watch::Sender::new(0),
            around,
            watched: OnceLock::new(),
            state: Mutex::new(state),
        }
    }

    pub(crate) fn set_behaviour(&self, behaviour: Behaviour) {
        let mut state = self.state();
        state.plan = plan(&behaviour, &self.id, self.around.settings.seed);
        state.behaviour = behaviour;
    }

    pub(crate) fn behaviour(&self) -> Behaviour {
        self.state().behaviour.clone()
    }

    pub(crate) fn counts(&self) -> CallCounts {
        self.state().counts.clone()
    }

    pub(crate) fn count(&self, name: &'static str) {
        self.state().counts.count(name);
    }

    /// The jobs it keeps and where they are.
    pub(crate) fn statuses(&self) -> BTreeMap<String, JobStatus> {
        let state = self.state();
        let status = |job: &Job| (job.made_of.id.clone(), job.status);
        state.jobs.iter().map(status).collect()
    }

    /// The faults that strike now; for a job also those that its own header asked for.
    pub(crate) fn fire(&self, when: When, job: Option<&str>) -> Fired {
        let mut state = self.state();
        let State {
            plan, jobs, counts, ..
        } = &mut *state;
        let status = job.and_then(|id| jobs.get(id)).map(|job| job.status);
        let possible = |kind| match kind {
            FaultKind::Backwards => status.is_some_and(|status| status != JobStatus::InQueue),
            FaultKind::LateProgress => status.is_some_and(JobStatus::is_final),
            FaultKind::CompletesFirst => status.is_some_and(|status| !status.is_final()),
            _ => true,
        };
        let of_job =
            job.and_then(|id| jobs.change(id, |job| job.made_of.plan.fire(when, possible)));
        let fired = plan.fire(when, possible).and(of_job.unwrap_or_default());
        for _ in 0..fired.len() {
            counts.count("faults");
        }
        fired
    }

    /// Reads or changes a job, unless it is not there or its time is over.
    pub(crate) fn with_job<T>(
        self: &Arc<Self>,
        id: &str,
        change: impl FnOnce(&mut Job) -> T,
    ) -> Option<T> {
        let now = Instant::now();
        let due = {
            let state = self.state();
            state
                .jobs
                .get(id)
                .is_some_and(|job| job.has_expired(now) || job.is_overdue(now))
        };
        if due {
            self.sweep(now);
        }
        self.state().jobs.change(id, change)
    }

    /// What `look` finds, now or after a change; nothing once patience or the emulator ends.
    pub(crate) async fn wait_for<T>(
        &self,
        patience: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        let mut changes = self.changed.subscribe();
        let search = async {
            loop {
                if let Some(found) = look() {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::select! {
            found = search => found,
            () = tokio::time::sleep(patience) => None,
            () = self.around.background.stop.cancelled() => None,
        }
    }

    /// Notes that the webhook of a job was delivered or given up.
    pub(crate) fn webhook_settled(&self, job: &str) {
        self.state()
            .jobs
            .change(job, |job| job.webhook_settled = true);
        self.tell();
    }

    fn send(self: &Arc<Self>, letter: Letter) {
        let (courier, endpoint) = (self.around.courier.clone(), Arc::clone(self));
        self.around
            .background
            .spawn(async move { courier.bring(&endpoint, letter).await });
    }

    fn tell(&self) {
        self.changed
            .send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn plan(behaviour: &Behaviour, id: &str, seed: u64) -> FaultPlan {
    let seed = behaviour.seed.unwrap_or(seed ^ fingerprint(id));
    FaultPlan::new(behaviour.faults.clone(), seed)
}

async fn keep_deadlines(endpoint: Weak<Endpoint>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        match endpoint.upgrade() {
            Some(endpoint) => endpoint.sweep(Instant::now()),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests;
