//! A store of executions that lives in memory: for services that embed the engine without a
//! database, for tests and for simulators. It keeps the promises of the durable store and
//! refuses what that refuses, and it forgets everything with its last clone.

mod admission;
mod budget;
mod cancel;
mod claim;
mod crew;
mod keys;
mod list;
mod log;
mod moves;
mod outlook;
mod ports;
mod row;
mod schedule;
mod table;
mod views;
mod wallets;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use tarsify_domain::catalog::Provider;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::clock::to_microseconds;
use tarsify_domain::execution::{EventKind, RunnableModel};
use tarsify_domain::id::{ConsumerId, DeveloperId, EndpointId, ExecutionId, TarsModelId};
use tarsify_domain::money::Millicredits;
use tarsify_domain::{Clock, Credits, Timestamp};
use time::Duration;

use crate::clock::SystemClock;

use table::Table;

pub use wallets::Wallet;

/// Keeps models, executions, idempotency keys and credits in memory. Clones are the same store.
///
/// It implements `ExecutionRepository`, `ExecutionQueue`, `Crew`, `EventLog`, `RunnableModels` and
/// `IdempotencyRepository`. Its futures never wait: the first poll is the last.
///
/// A service that embeds the engine decides how long it keeps results: everything stays here
/// until [`MemoryStore::forget_ended`] is called.
///
/// A run costs the price of its model, which is set aside when the run is accepted, divided
/// between developer and platform when it completes, and given back when it ends otherwise. So a
/// consumer needs credits before he runs what is not free: [`MemoryStore::grant`] gives him some.
/// A host that charges in its own way gives its models the price 0. The store knows nobody's
/// e-mail address, so it cannot tell who runs a model of his own.
#[derive(Clone)]
pub struct MemoryStore {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    table: Mutex<Table>,
}

/// Something that happened to an execution, in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Its place in the order: 1, 2, 3 and so on.
    pub seq: i64,
    /// What happened.
    pub kind: EventKind,
    /// What there is to say about it.
    pub data: Map<String, Value>,
    /// When.
    pub at: Timestamp,
    /// Its turn among the events of all executions, once it is in the log.
    turn: Option<u64>,
}

impl MemoryStore {
    /// An empty store that takes the time from the system.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store that takes the time from `clock`.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                table: Mutex::default(),
            }),
        }
    }

    /// Adds a model, or puts it in the place of the one with its id. A model that replaces
    /// another must differ from it in one of its versions to count as changed.
    pub fn add_model(&self, model: RunnableModel) {
        self.table().put_model(model);
    }

    /// Takes a model away. Executions that were accepted go on.
    pub fn remove_model(&self, id: TarsModelId) {
        self.table().remove_model(id);
    }

    /// Limits how much of an endpoint is used from now on, in the place of what was said before.
    pub fn limit_endpoint(&self, id: EndpointId, limits: EndpointLimits) {
        self.table().budgets.limit(id, limits);
    }

    /// Limits how much of all endpoints of a provider together is used from now on, in the place
    /// of what was said before.
    pub fn limit_provider(&self, provider: Provider, limits: EndpointLimits) {
        self.table().budgets.limit_provider(provider, limits);
    }

    /// Removes every execution that has ended and has no job left to be called off, with its
    /// events and its idempotency key, and answers how many these were. Runs that completed are
    /// counted for their models and consumers first.
    pub fn forget_ended(&self) -> usize {
        self.table().forget_ended()
    }

    /// What happened to an execution, in order; nothing when there is none.
    #[must_use]
    pub fn events(&self, id: ExecutionId) -> Vec<StoredEvent> {
        self.table().events(id)
    }

    /// How many executions there are, ended ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table().len()
    }

    /// Whether there are no executions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many completed runs of a model were counted by now.
    #[must_use]
    pub fn runs_of_model(&self, id: TarsModelId) -> u64 {
        self.table().runs_of_model(id)
    }

    /// How many completed runs of a consumer were counted by now.
    #[must_use]
    pub fn runs_of_consumer(&self, id: ConsumerId) -> u64 {
        self.table().runs_of_consumer(id)
    }

    /// Gives a consumer credits to spend; of nothing or less, nothing.
    pub fn grant(&self, consumer: ConsumerId, given: Credits) {
        self.table().wallets.grant(consumer, given);
    }

    /// What a consumer can spend, and what is set aside for his runs.
    #[must_use]
    pub fn wallet(&self, consumer: ConsumerId) -> Wallet {
        self.table().wallets.of_consumer(consumer)
    }

    /// What a developer has earned by runs of his models.
    #[must_use]
    pub fn earned(&self, developer: DeveloperId) -> Millicredits {
        self.table().wallets.of_developer(developer)
    }

    /// What the platform has kept of the runs of all models.
    #[must_use]
    pub fn revenue(&self) -> Millicredits {
        self.table().wallets.of_the_platform()
    }

    /// No method leaves the table half changed: whoever panicked with it in his hands did so
    /// before he changed it or after.
    fn table(&self) -> MutexGuard<'_, Table> {
        let table = self.inner.table.lock();
        table.unwrap_or_else(PoisonError::into_inner)
    }

    /// The table and the time, read under its lock: later steps never see an earlier time.
    fn open(&self) -> (MutexGuard<'_, Table>, Timestamp) {
        let table = self.table();
        let now = to_microseconds(self.inner.clock.now());
        (table, now)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemoryStore")
            .finish_non_exhaustive()
    }
}

/// So long after `moment`; the end of time when there is no such moment.
fn later(moment: Timestamp, by: std::time::Duration) -> Timestamp {
    let by = Duration::try_from(by).unwrap_or(Duration::MAX);
    to_microseconds(moment.saturating_add(by))
}

#[cfg(test)]
mod tests;
