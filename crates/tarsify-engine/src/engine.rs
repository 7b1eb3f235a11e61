//! The engine as its users know it: submit, status, wait, cancel, test run. What it is built on
//! is handed in, so the same engine runs beside a database or with none.

mod builder;
mod ended;
mod errors;
mod forecast;
mod live;
mod models;
mod requests;
mod settings;
mod watch;
mod weight;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tarsify_domain::catalog::Provider;
use tarsify_domain::execution::{
    CancelAnswer, Crew, Ending, EventLog, Execution, ExecutionFilter, ExecutionQueue,
    ExecutionReport, ExecutionRepository, ExecutionSummary, Found, Known, ProviderJobId, TokenHash,
};
use tarsify_domain::id::{ExecutionId, WorkerId};
use tarsify_domain::{Clock, Page, PageRequest, RepoError, Scope};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::bus::EventBus;
use crate::machine::Policy;
use crate::observer::{Observer, RunEnded, between};
use crate::provider::{Circuits, GpuProvider};
use crate::trace::Tracing;
use crate::validator::InputValidator;

pub use builder::{BuildError, EngineBuilder};
pub use errors::{CancelError, ReadError, RunError};
pub use live::{FollowError, Followed, Following, FollowingAll, StreamToken, Told};
pub use requests::{Quote, RunRequest, TestRunRequest};
pub use settings::EngineSettings;

use ended::Ended;
use live::{Hub, Watched};
use models::ModelShelf;
use watch::Watch;

/// How soon after a look a caller's impatience is worth another.
const REST: Duration = Duration::from_secs(1);
/// How long a cancel waits for the run to end before it answers that it will.
const CANCEL_PATIENCE: Duration = Duration::from_secs(3);

/// Runs models. Clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    executions: Arc<dyn ExecutionRepository>,
    /// For callbacks, which come as requests do.
    callbacks: Arc<dyn ExecutionQueue>,
    /// For the workers.
    queue: Arc<dyn ExecutionQueue>,
    crew: Arc<dyn Crew>,
    /// Who we are among those who work on the store.
    worker: WorkerId,
    models: ModelShelf,
    ended: Ended,
    validator: InputValidator,
    providers: Vec<Arc<dyn GpuProvider>>,
    clock: Arc<dyn Clock>,
    settings: EngineSettings,
    policy: Policy,
    log: Arc<dyn EventLog>,
    bus: Arc<dyn EventBus>,
    hub: Hub,
    watched: Watched,
    watch: Watch,
    /// Somebody follows or waits who did not before.
    came: Notify,
    /// Something may want to be submitted.
    submissions: Notify,
    /// Something may want to be looked at.
    looks: Notify,
    observer: Arc<dyn Observer>,
    tracing: Arc<dyn Tracing>,
}

impl Engine {
    /// Begins to build an engine.
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// How the execution stands.
    ///
    /// # Errors
    /// When there is none, it is somebody else's, or the store fails.
    pub async fn status(&self, scope: Scope, id: ExecutionId) -> Result<Execution, ReadError> {
        let Shared {
            ended, executions, ..
        } = self.shared.as_ref();
        let now = Instant::now();
        let found = match ended.find(scope, id, now) {
            Some(found) => found,
            None => {
                let found = executions.find(scope, id).await?;
                if let Found::Here(execution) = &found {
                    ended.keep(execution, now);
                }
                found
            }
        };
        match found {
            Found::Here(execution) => Ok(execution),
            Found::Foreign => Err(ReadError::NotOwned),
            Found::Nowhere => Err(ReadError::NotFound),
        }
    }

    /// The same once it has ended, or as it is when `patience` is over. It is woken by the end
    /// and asks the store no more than that.
    ///
    /// # Errors
    /// As [`Engine::status`].
    pub async fn wait(
        &self,
        scope: Scope,
        id: ExecutionId,
        patience: Duration,
    ) -> Result<Execution, ReadError> {
        let until = Instant::now() + patience;
        // Registered first: an end between the read and the wait would be missed.
        let watcher = self.shared.watch.register(id);
        self.shared.came.notify_one();
        loop {
            let woken = watcher.woken();
            let execution = self.status(scope, id).await?;
            if execution.summary.status.is_terminal() {
                return Ok(execution);
            }
            if timeout_at(until, woken).await.is_err() {
                return self.status(scope, id).await;
            }
        }
    }

    /// Has the provider asked about the execution at once, at most once a second, whoever asks
    /// and however often.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn refresh(&self, id: ExecutionId) -> Result<(), RepoError> {
        if self.shared.executions.nudge(id, REST).await? {
            self.shared.looks.notify_one();
        }
        Ok(())
    }

    /// Calls the execution off. One that no provider knows of ends at once; for another this
    /// waits a moment, and answers it as it then is.
    ///
    /// # Errors
    /// When there is none, it is somebody else's, it had ended, or the store fails.
    pub async fn cancel(&self, scope: Scope, id: ExecutionId) -> Result<Execution, CancelError> {
        match self.shared.executions.request_cancel(scope, id).await? {
            Found::Here(CancelAnswer::Ended(execution)) => {
                self.shared.called_off(&execution.summary);
                Ok(execution)
            }
            Found::Here(CancelAnswer::Requested(_)) => {
                self.shared.looks.notify_one();
                let execution = self.wait(scope, id, CANCEL_PATIENCE).await?;
                if execution.summary.status.is_terminal() {
                    return Ok(execution);
                }
                self.insist(scope, id).await
            }
            Found::Here(CancelAnswer::TooLate(execution)) => {
                Err(CancelError::TooLate(Box::new(execution)))
            }
            Found::Foreign => Err(CancelError::NotOwned),
            Found::Nowhere => Err(CancelError::NotFound),
        }
    }

    /// A submission that was on its way may have come to nothing meanwhile. Then no provider
    /// knows of the execution any more, and it need not wait until one takes work again.
    async fn insist(&self, scope: Scope, id: ExecutionId) -> Result<Execution, CancelError> {
        match self.shared.executions.request_cancel(scope, id).await? {
            Found::Here(CancelAnswer::Ended(execution)) => {
                self.shared.called_off(&execution.summary);
                Ok(execution)
            }
            Found::Here(CancelAnswer::Requested(execution) | CancelAnswer::TooLate(execution)) => {
                Ok(execution)
            }
            Found::Foreign => Err(CancelError::NotOwned),
            Found::Nowhere => Err(CancelError::NotFound),
        }
    }

    /// A page of the scope's executions, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        scope: Scope,
        filter: &ExecutionFilter,
        page: &PageRequest,
    ) -> Result<Page<ExecutionSummary>, RepoError> {
        self.shared.executions.list(scope, filter, page).await
    }

    /// The execution with its attempts and what was said to the provider, for administrators.
    ///
    /// # Errors
    /// When there is none or the store fails.
    pub async fn report(&self, id: ExecutionId) -> Result<ExecutionReport, ReadError> {
        let report = self.shared.executions.find_report(id).await?;
        report.ok_or(ReadError::NotFound)
    }

    /// Has an execution that has not ended tried again at once, whatever it waits for.
    ///
    /// # Errors
    /// When there is none, it had ended, or the store fails.
    pub async fn expedite(&self, id: ExecutionId) -> Result<Execution, CancelError> {
        match self.shared.executions.expedite(id).await? {
            None => Err(CancelError::NotFound),
            Some(has_not_ended) => {
                let execution = self.status(Scope::System, id).await?;
                if !has_not_ended {
                    return Err(CancelError::TooLate(Box::new(execution)));
                }
                self.shared.submissions.notify_one();
                self.shared.looks.notify_one();
                Ok(execution)
            }
        }
    }

    /// The attempt that a provider's callback names by its token, if the token is good.
    ///
    /// Only the token's hash is compared, so how long this takes says nothing about a token.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_callback(
        &self,
        id: ExecutionId,
        token: &str,
    ) -> Result<Option<Known>, RepoError> {
        let queue = &self.shared.callbacks;
        queue.find_callback(id, &hash(token)).await
    }

    /// Has the provider asked about the execution at once, because a callback came in. What the
    /// callback says is not believed: `job`, the id that it gives, only tells where to look
    /// when we do not know.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hint(
        &self,
        id: ExecutionId,
        known: Known,
        job: Option<&str>,
    ) -> Result<(), RepoError> {
        let job = job.and_then(|job| ProviderJobId::parse(job).ok());
        let queue = &self.shared.callbacks;
        queue.hint(id, known.attempt, job.as_ref()).await?;
        self.shared.looks.notify_one();
        Ok(())
    }

    /// What takes traces from requests to the work for them, for whoever takes requests.
    #[must_use]
    pub fn tracing(&self) -> Arc<dyn Tracing> {
        Arc::clone(&self.shared.tracing)
    }

    /// How many endpoints each provider leaves alone right now, and why.
    #[must_use]
    pub fn circuits(&self) -> Vec<(Provider, Circuits)> {
        let providers = self.shared.providers.iter();
        let circuits = providers.map(|provider| (provider.kind(), provider.circuits()));
        circuits.collect()
    }
}

impl Shared {
    fn provider(&self, kind: Provider) -> Option<&Arc<dyn GpuProvider>> {
        let mut providers = self.providers.iter();
        providers.find(|provider| provider.kind() == kind)
    }

    /// An execution that no provider knew of has ended because somebody called it off.
    fn called_off(&self, summary: &ExecutionSummary) {
        let ended_at = summary.completed_at.unwrap_or(summary.created_at);
        let started_at = summary.started_at;
        self.observer.run_ended(&RunEnded {
            category: summary.model.category,
            ending: Ending::Cancelled,
            took: between(summary.created_at, ended_at),
            waited: started_at.map(|moment| between(summary.created_at, moment)),
        });
        self.watch.wake(summary.id);
        self.bus.announce();
    }
}

fn hash(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token.as_bytes()).into())
}
