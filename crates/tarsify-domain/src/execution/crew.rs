//! Who works on executions: processes that share what providers allow know how many they are.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::RepoError;
use crate::id::WorkerId;

/// Counts those that work on one store. Every method is one atomic step, timed by the store's own
/// clock, and steps of different workers come one after another: of two that come at the same
/// time, the second knows of the first.
#[async_trait]
pub trait Crew: Send + Sync {
    /// Says that this worker is here, and answers how many are, this one included: all who have
    /// said so within [`PRESENCE`]. Who has not for much longer is forgotten.
    async fn check_in(&self, worker: WorkerId) -> Result<u32, RepoError>;

    /// Says that this worker is gone.
    async fn check_out(&self, worker: WorkerId) -> Result<(), RepoError>;
}

/// How long a worker counts after it last said that it is here. One that was killed takes its part
/// of what providers allow with it for so long.
pub const PRESENCE: Duration = Duration::from_secs(10);
