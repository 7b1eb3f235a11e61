//! What is removed of executions that ended long ago, and the port of what removes it. That they
//! were, what they cost and how they ended is never removed.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::RepoError;
use crate::words::words;

words!(
    /// What is removed of an execution.
    Perishable {
        /// What happened to it, in order.
        Events = "events",
        /// What went in and came out: its inputs, what the provider got and answered, its result.
        Payloads = "payloads",
    }
);

impl Perishable {
    /// The fewest days for which it may be kept: as long as the longest execution takes, a week of
    /// work and a day of waiting, so that nothing is removed of what somebody still follows.
    pub const LEAST_DAYS: u64 = 8;
}

/// One step of removing what is old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// What is removed.
    pub what: Perishable,
    /// How long ago an execution has to have ended.
    pub age: Duration,
    /// How many executions are looked at, at the most.
    pub limit: u32,
    /// How long nobody else takes the next step.
    pub rest: Duration,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Of how many executions it was removed.
    pub executions: u64,
    /// Whether nothing that is old enough is left.
    pub is_last: bool,
}

/// Removes what is old. Every method is one atomic step, timed by the store's own clock, and any
/// number of processes may take steps.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Removes it of the oldest executions that have it and ended long enough ago; of each all or
    /// nothing. Answers `None` when another process takes a step or rests after one.
    async fn remove(&self, removal: &Removal) -> Result<Option<Removed>, RepoError>;

    /// Removes what can be of no use any more, at most `limit` of each kind: tokens for streams
    /// that have expired, counts of test runs of past days, counts of calls of past minutes.
    /// Answers how many these were.
    async fn sweep(&self, limit: u32) -> Result<u64, RepoError>;
}
