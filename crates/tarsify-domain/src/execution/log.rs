//! What happened to all executions, one after the other, to be followed.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::error::RepoError;
use crate::execution::{EventKind, Found, TokenHash};
use crate::id::{ConsumerId, DeveloperId, ExecutionId};
use crate::scope::Scope;

/// Where an event stands among those of all executions. What is written at the same time has the
/// same turn; a turn is settled when nothing can be added to it, or to one before it, any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPlace {
    /// The turn in which it was written.
    pub turn: u64,
    /// Whose event it is.
    pub execution: ExecutionId,
    /// Its number among those of its execution.
    pub seq: i64,
}

impl LogPlace {
    /// Before everything that is written in this turn.
    #[must_use]
    pub const fn before(turn: u64) -> Self {
        Self {
            turn,
            execution: ExecutionId::from_uuid(uuid::Uuid::nil()),
            seq: 0,
        }
    }

    /// Whether that is before a turn, and so the place of no event.
    #[must_use]
    pub fn is_between(self) -> bool {
        self == Self::before(self.turn)
    }
}

/// Something that happened, in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// Where it stands.
    pub place: LogPlace,
    /// What happened.
    pub kind: EventKind,
    /// What there is to say about it.
    pub data: Map<String, Value>,
    /// When.
    pub at: Timestamp,
    /// The consumer whose run it is.
    pub consumer: Option<ConsumerId>,
    /// The developer whose test run it is.
    pub tester: Option<DeveloperId>,
}

impl LoggedEvent {
    /// Whether the scope may see it.
    #[must_use]
    pub fn is_seen_by(&self, scope: Scope) -> bool {
        match scope {
            Scope::Consumer(id) => self.consumer == Some(id),
            Scope::Developer(id) => self.tester == Some(id),
            Scope::System => true,
        }
    }
}

/// A part of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPage {
    /// The events, by their places.
    pub events: Vec<LoggedEvent>,
    /// All turns before this one are settled.
    pub settled: u64,
}

/// A part of what happened to one execution.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The events, by their numbers.
    pub events: Vec<LoggedEvent>,
    /// The number of the last one that there is.
    pub last: i64,
    /// Whether that is the last one that there will be.
    pub has_ended: bool,
    /// Whether its model says parts of its output while it works.
    pub streams_output: bool,
}

/// Reads what happened, and keeps the tokens by which one run may be followed by who cannot show
/// who he is.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// The first turn that is not settled.
    async fn settled(&self) -> Result<u64, RepoError>;

    /// The first events that can be seen after this place, settled or not.
    async fn read_log(&self, after: LogPlace, limit: u32) -> Result<LogPage, RepoError>;

    /// The first events of one execution after the one with this number.
    async fn read_history(
        &self,
        scope: Scope,
        id: ExecutionId,
        after: i64,
        limit: u32,
    ) -> Result<Found<History>, RepoError>;

    /// The first events of the scope, of settled turns only, after this place; nothing when there
    /// is no event of the scope at the place, or the place is between turns that are still to
    /// come.
    async fn replay_log(
        &self,
        scope: Scope,
        after: LogPlace,
        limit: u32,
    ) -> Result<Option<Vec<LoggedEvent>>, RepoError>;

    /// Notes for so long that somebody watches these executions; of those that have ended, and of
    /// models that say nothing while they work, nothing is noted.
    async fn watch(&self, ids: &[ExecutionId], life: Duration) -> Result<(), RepoError>;

    /// Keeps a token for the execution for so long.
    async fn keep_token(
        &self,
        token: &TokenHash,
        id: ExecutionId,
        life: Duration,
    ) -> Result<(), RepoError>;

    /// Answers whether the token is kept for the execution and still good, and forgets it.
    async fn spend_token(&self, token: &TokenHash, id: ExecutionId) -> Result<bool, RepoError>;
}
