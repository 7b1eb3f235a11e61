//! The durable queue: the executions that want attention are their own rows. Every method is
//! one atomic step, timed by the store's own clock.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;

use crate::catalog::Category;
use crate::clock::Timestamp;
use crate::error::RepoError;
use crate::execution::{
    Advance, Audience, JobPlace, Lease, Material, ProviderJobId, Settlement, State, TokenHash,
};
use crate::id::{EndpointId, ExecutionId};
use crate::trace::TraceParent;

/// What kind of attention an execution wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// To be submitted: those that are created, due and not past their deadline. Claiming one
    /// records its next attempt with one of these tokens, so at most as many are claimed.
    Submit(Vec<TokenHash>),
    /// To be looked after: those that are due at any other stage, jobs to be called off
    /// included.
    Look,
    /// To be ended: those past their deadline, at any stage that is not the end, due or not.
    Sweep,
}

/// Which executions a worker wants to lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// For which kind of attention.
    pub work: Work,
    /// How many at the most.
    pub limit: u32,
    /// For how long.
    pub lease: Duration,
    /// How many at the most of each endpoint that is not named below.
    pub allowance: u32,
    /// How many at the most of these endpoints.
    pub allowances: HashMap<EndpointId, u32>,
}

/// A leased execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The right to write about it.
    pub lease: Lease,
    /// What time it is at the store.
    pub now: Timestamp,
    /// What decides about it. Its newest attempt is the recorded one after a claim to submit.
    pub state: State,
    /// Where its jobs are.
    pub place: JobPlace,
    /// What its base model makes or works on.
    pub category: Category,
    /// When the provider was first seen at work on it.
    pub started_at: Option<Timestamp>,
    /// After a claim to submit: the token of the recorded attempt, and what is to be sent.
    pub submission: Option<(TokenHash, Material)>,
    /// Who watches its output, once anybody did.
    pub audience: Option<Audience>,
    /// What of a trace asked for it, if anything did.
    pub trace_parent: Option<TraceParent>,
}

/// Whether a write took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It did.
    Applied {
        /// Whether the execution wants attention again at once.
        is_due: bool,
    },
    /// The lease was given back or is another's by now, or the execution is elsewhere.
    /// Nothing was written.
    Refused,
}

/// What is known of the attempt that a callback names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its number.
    pub attempt: u32,
    /// Whether its job's id is known.
    pub has_job: bool,
}

/// Keeps the executions that want attention.
#[async_trait]
pub trait ExecutionQueue: Send + Sync {
    /// Leases executions that no valid lease covers, in the order in which they should be
    /// served: submissions fairly between requesters, everything else by how long it is due.
    async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>, RepoError>;

    /// What was frozen of an execution.
    async fn find_material(&self, id: ExecutionId) -> Result<Option<Material>, RepoError>;

    /// Writes a worker's move.
    async fn advance(&self, advance: &Advance) -> Result<Written, RepoError>;

    /// Writes the end: status, result, terminal event and what becomes of the price, together,
    /// once. It is captured and divided when there is a result, and given back otherwise.
    async fn settle(&self, settlement: &Settlement) -> Result<Written, RepoError>;

    /// The attempt of the execution that has this token.
    async fn find_callback(
        &self,
        id: ExecutionId,
        token: &TokenHash,
    ) -> Result<Option<Known>, RepoError>;

    /// Makes the execution due at once. When `job` is given and the attempt has none, and no
    /// other attempt anywhere has this one, it becomes the attempt's. Does nothing to what has
    /// ended.
    async fn hint(
        &self,
        id: ExecutionId,
        attempt: u32,
        job: Option<&ProviderJobId>,
    ) -> Result<(), RepoError>;

    /// Adds at most `limit` runs that have ended, and refunds, to the counts and sums of their
    /// models, days and consumers, each once, and answers how many these were.
    async fn tally(&self, limit: u32) -> Result<u64, RepoError>;
}
