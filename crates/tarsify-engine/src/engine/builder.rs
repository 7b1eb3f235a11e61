//! Puts an engine together.

use std::sync::Arc;

use tarsify_domain::Clock;
use tarsify_domain::execution::{
    Crew, EventLog, ExecutionQueue, ExecutionRepository, RunnableModels,
};
use tarsify_domain::id::WorkerId;

use super::ended::Ended;
use super::live::{Hub, Watched};
use super::models::ModelShelf;
use super::{Engine, EngineSettings, Shared, Watch};
use crate::bus::{EventBus, LocalBus};
use crate::clock::SystemClock;
use crate::machine::Policy;
use crate::observer::Observer;
use crate::provider::GpuProvider;
use crate::trace::Tracing;
use crate::validator::InputValidator;

/// Puts an engine together. A store and a provider are needed; everything else has a default.
#[derive(Default)]
pub struct EngineBuilder {
    store: Option<Store>,
    queue: Option<Workplace>,
    providers: Vec<Arc<dyn GpuProvider>>,
    clock: Option<Arc<dyn Clock>>,
    bus: Option<Arc<dyn EventBus>>,
    observer: Option<Arc<dyn Observer>>,
    tracing: Option<Arc<dyn Tracing>>,
    settings: EngineSettings,
}

/// How workers reach the store.
struct Workplace {
    queue: Arc<dyn ExecutionQueue>,
    crew: Arc<dyn Crew>,
}

struct Store {
    executions: Arc<dyn ExecutionRepository>,
    queue: Arc<dyn ExecutionQueue>,
    crew: Arc<dyn Crew>,
    models: Arc<dyn RunnableModels>,
    log: Arc<dyn EventLog>,
}

/// What an engine cannot be without.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No store was given.
    #[error("an engine needs a store: give it one with `store`, such as MemoryStore::new()")]
    NoStore,
    /// No provider was given.
    #[error("an engine needs a provider: give it one with `provider`, such as RunPod::new(key)")]
    NoProvider,
}

impl EngineBuilder {
    /// Keeps executions in `store` and finds models there.
    #[must_use]
    pub fn store<S>(mut self, store: S) -> Self
    where
        S: ExecutionRepository + ExecutionQueue + Crew + EventLog + RunnableModels + 'static,
    {
        let store = Arc::new(store);
        self.store = Some(Store {
            executions: Arc::<S>::clone(&store),
            queue: Arc::<S>::clone(&store),
            crew: Arc::<S>::clone(&store),
            log: Arc::<S>::clone(&store),
            models: store,
        });
        self
    }

    /// Has workers reach the store through `queue`, over connections that whoever submits, reads
    /// and calls back does not compete for. It has to be the same store.
    #[must_use]
    pub fn queue<Q: ExecutionQueue + Crew + 'static>(mut self, queue: Q) -> Self {
        let queue = Arc::new(queue);
        self.queue = Some(Workplace {
            queue: Arc::<Q>::clone(&queue),
            crew: queue,
        });
        self
    }

    /// Sends jobs to `provider` that belong to endpoints of its kind.
    #[must_use]
    pub fn provider(mut self, provider: impl GpuProvider + 'static) -> Self {
        self.providers.push(Arc::new(provider));
        self
    }

    /// Takes the time that goes into new ids from `clock`, not from the system.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Hears from other processes by `bus` that something has happened, and tells them.
    #[must_use]
    pub fn bus(mut self, bus: Arc<dyn EventBus>) -> Self {
        self.bus = Some(bus);
        self
    }

    /// Has `observer` watch the work.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Has `tracing` take traces from requests to the work for them.
    #[must_use]
    pub fn tracing(mut self, tracing: Arc<dyn Tracing>) -> Self {
        self.tracing = Some(tracing);
        self
    }

    /// Uses other times and sizes than the defaults.
    #[must_use]
    pub fn settings(mut self, settings: EngineSettings) -> Self {
        self.settings = settings;
        self
    }

    /// The engine. It does nothing by itself until somebody runs its workers.
    ///
    /// # Errors
    /// When there is no store or no provider.
    pub fn build(self) -> Result<Engine, BuildError> {
        let Self {
            store,
            queue: apart,
            providers,
            clock,
            bus,
            observer,
            tracing,
            settings,
        } = self;
        let Store {
            executions,
            queue,
            crew,
            models,
            log,
        } = store.ok_or(BuildError::NoStore)?;
        if providers.is_empty() {
            return Err(BuildError::NoProvider);
        }
        let policy = Policy {
            lost_grace: settings.lost_grace,
            // The provider may take two thirds of a lease for an answer.
            asking: settings.lease * 3 / 10,
            has_callbacks: settings.callbacks.is_some(),
            ..Policy::default()
        };
        let clock = clock.unwrap_or_else(|| Arc::new(SystemClock));
        let apart = apart.unwrap_or_else(|| Workplace {
            queue: Arc::clone(&queue),
            crew,
        });
        let shared = Shared {
            executions,
            queue: apart.queue,
            crew: apart.crew,
            worker: WorkerId::new(clock.now()),
            callbacks: queue,
            models: ModelShelf::new(models),
            ended: Ended::default(),
            validator: InputValidator::default(),
            providers,
            clock,
            settings,
            policy,
            log,
            bus: bus.unwrap_or_else(|| Arc::new(LocalBus::default())),
            hub: Hub::default(),
            watched: Watched::default(),
            watch: Watch::default(),
            came: tokio::sync::Notify::new(),
            submissions: tokio::sync::Notify::new(),
            looks: tokio::sync::Notify::new(),
            observer: observer.unwrap_or_else(|| Arc::new(())),
            tracing: tracing.unwrap_or_else(|| Arc::new(())),
        };
        Ok(Engine {
            shared: Arc::new(shared),
        })
    }
}
