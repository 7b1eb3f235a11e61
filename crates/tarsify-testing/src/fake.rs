//! The ports of the domain in memory. They keep the same promises as PostgreSQL; the contract
//! suites of [`crate::contract`] run on both and hold them to it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tarsify_domain::catalog::{BaseModel, Endpoint, TarsModel};
use tarsify_domain::id::{BaseModelId, ConsumerId, DeveloperId, EndpointId, TarsModelId};
use tarsify_domain::people::{Consumer, Developer, IdentityKey};
use tarsify_domain::{RepoError, Version};

use crate::contract::World;

mod authenticator;
mod base_models;
mod consumers;
mod developers;
mod edits;
mod endpoints;
mod health;
mod limits;
mod market;
mod paging;
mod payments;
mod search;
mod tars_models;
mod treasury;

pub use authenticator::FakeAuthenticator;
pub use health::FakeHealth;
pub use limits::FakeLimitSettings;
pub use payments::{FakePayments, Mood};
pub use treasury::{Account, Balances, FakeAuditEntry, FakeTreasury, RunEnd};

/// Every repository port over one store in memory, so that counts, references and the market
/// agree with each other.
#[derive(Default)]
pub struct FakeStore {
    state: Mutex<State>,
    is_out_of_order: AtomicBool,
    reads: AtomicU64,
    writes: AtomicU64,
}

#[derive(Default)]
struct State {
    consumers: BTreeMap<ConsumerId, Person<Consumer>>,
    developers: BTreeMap<DeveloperId, Person<Developer>>,
    endpoints: BTreeMap<EndpointId, Endpoint>,
    base_models: BTreeMap<BaseModelId, BaseModel>,
    tars_models: BTreeMap<TarsModelId, TarsModel>,
    market_version: i64,
}

struct Person<T> {
    key: IdentityKey,
    email_is_verified: bool,
    profile: T,
}

impl FakeStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The store as the ports it implements.
    #[must_use]
    pub fn world(self: &Arc<Self>) -> World {
        World {
            consumers: Arc::<Self>::clone(self),
            developers: Arc::<Self>::clone(self),
            endpoints: Arc::<Self>::clone(self),
            base_models: Arc::<Self>::clone(self),
            tars_models: Arc::<Self>::clone(self),
            market: Arc::<Self>::clone(self),
            keep: Box::new(()),
        }
    }

    /// Every call answers `Unavailable` from now on.
    pub fn start_outage(&self) {
        self.is_out_of_order.store(true, Ordering::SeqCst);
    }

    /// The store serves again; it lost nothing.
    pub fn end_outage(&self) {
        self.is_out_of_order.store(false, Ordering::SeqCst);
    }

    /// How many reads were asked for so far, failed ones included. Looks at the market's
    /// version are not counted: they are what makes a cache trustworthy.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    /// How many writes were asked for so far, failed ones included.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    async fn reading(&self) -> Result<MutexGuard<'_, State>, RepoError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.enter().await
    }

    async fn writing(&self) -> Result<MutexGuard<'_, State>, RepoError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.enter().await
    }

    async fn enter(&self) -> Result<MutexGuard<'_, State>, RepoError> {
        // Two callers at once interleave here as they would on a connection.
        tokio::task::yield_now().await;
        if self.is_out_of_order.load(Ordering::SeqCst) {
            return Err(RepoError::Unavailable(
                "a test put the fake store out of order".into(),
            ));
        }
        Ok(self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn market_changes(&mut self) {
        self.market_version += 1;
    }
}

/// The row that stands at `version`, or `Stale`.
fn standing<T>(
    row: Option<&mut T>,
    version: Version,
    version_of: impl FnOnce(&T) -> Version,
) -> Result<&mut T, RepoError> {
    match row {
        Some(row) if version_of(row) == version => Ok(row),
        _ => Err(RepoError::Stale),
    }
}

/// What PostgreSQL says of a reference to nothing.
fn dangling(what: &'static str) -> RepoError {
    RepoError::Internal(format!("the row refers to {what} that does not exist").into())
}

fn conflict_if(taken: bool) -> Result<(), RepoError> {
    if taken {
        Err(RepoError::Conflict)
    } else {
        Ok(())
    }
}
