//! An execution as people see it, and the store of executions.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::catalog::{Category, OutputType};
use crate::clock::Timestamp;
use crate::error::RepoError;
use crate::execution::{
    AdmitError, Admitted, Attempt, EndReason, ExecutionKind, ExecutionStatus, NewExecution,
    Outlook, Stage,
};
use crate::id::{ConsumerId, DeveloperId, EndpointId, ExecutionId, TarsModelId};
use crate::idempotency::IdempotencyClaim;
use crate::money::{Credits, Price};
use crate::page::{KeyKind, Order, Page, PageRequest};
use crate::scope::Scope;
use crate::text::{Name, Slug, Title};

/// The model of an execution, as far as its requester is told.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRef {
    /// Its id.
    pub id: TarsModelId,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its title.
    pub title: Title,
    /// The name of its base model.
    pub base_model_name: Name,
    /// What it makes or works on.
    pub category: Category,
    /// The kind of thing it returns.
    pub output_type: OutputType,
    /// How long a run usually takes.
    pub estimated_seconds: u32,
}

/// An execution in a list. Its requester may read all of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionSummary {
    /// Its id.
    pub id: ExecutionId,
    /// Why it was made.
    pub kind: ExecutionKind,
    /// The consumer whose it is; none for a test run.
    pub consumer_id: Option<ConsumerId>,
    /// The developer whose test run it is.
    pub tester_id: Option<DeveloperId>,
    /// What is run.
    pub model: ModelRef,
    /// Where it is.
    pub status: ExecutionStatus,
    /// Why it ended without a result.
    pub reason: Option<EndReason>,
    /// What its requester is told about that.
    pub message: Option<String>,
    /// What it costs when it completes.
    pub price: Price,
    /// What was paid for it.
    pub charged: Credits,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When the provider was first seen at work.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// How long it waited at the provider, in milliseconds.
    pub queue_time_ms: Option<i64>,
    /// How long the provider worked, in milliseconds.
    pub execution_time_ms: Option<i64>,
}

/// An execution. It never holds what the provider got.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// What stands in lists too.
    pub summary: ExecutionSummary,
    /// What the requester sent.
    pub inputs: Map<String, Value>,
    /// The result.
    pub output: Option<Value>,
    /// When inputs and result were removed, because it ended long ago.
    pub payloads_removed_at: Option<Timestamp>,
}

impl Execution {
    /// The order of every list of executions: newest first.
    pub const ORDER: Order = Order {
        name: "newest",
        key: KeyKind::Integer,
    };
}

/// Which executions a list holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// Only those in this status.
    pub status: Option<ExecutionStatus>,
    /// Only those of this consumer.
    pub consumer: Option<ConsumerId>,
    /// Only those of this tars model.
    pub model: Option<TarsModelId>,
    /// Only those of this kind.
    pub kind: Option<ExecutionKind>,
}

/// An execution as administrators see it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionReport {
    /// As its requester sees it.
    pub execution: Execution,
    /// Where it is, as workers know it.
    pub stage: Stage,
    /// Where its jobs are.
    pub endpoint_id: EndpointId,
    /// When it has to have ended.
    pub deadline_at: Timestamp,
    /// When it is to be looked at again.
    pub next_action_at: Option<Timestamp>,
    /// Until when a worker has it.
    pub lease_until: Option<Timestamp>,
    /// When somebody asked to call it off.
    pub cancel_requested_at: Option<Timestamp>,
    /// Its attempts, by number.
    pub attempts: Vec<AttemptReport>,
}

/// An attempt as administrators see it.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptReport {
    /// The attempt.
    pub attempt: Attempt,
    /// The last things said between us and the provider, oldest first, as JSON objects of
    /// `at`, `operation`, `httpStatus`, `tookMs` and `said`.
    pub exchanges: Vec<Value>,
}

/// What a scope sees of an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<T> {
    /// This.
    Here(T),
    /// There is one, and it is somebody else's.
    Foreign,
    /// There is none.
    Nowhere,
}

impl<T> Found<T> {
    /// The same with what was found turned into something else.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Self::Here(found) => Found::Here(turn(found)),
            Self::Foreign => Found::Foreign,
            Self::Nowhere => Found::Nowhere,
        }
    }
}

/// What became of the wish to call an execution off.
#[derive(Debug, Clone, PartialEq)]
pub enum CancelAnswer {
    /// It had not been sent to the provider and has ended.
    Ended(Execution),
    /// A worker will call its job off; asking again changes nothing.
    Requested(Execution),
    /// It had ended before.
    TooLate(Execution),
}

/// Stores executions. Every method is one atomic step: all of it happens, or none.
///
/// A consumer's scope sees his runs, a developer's scope sees his own test runs.
#[async_trait]
pub trait ExecutionRepository: Send + Sync {
    /// The execution with this id.
    async fn find(&self, scope: Scope, id: ExecutionId) -> Result<Found<Execution>, RepoError>;

    /// A page of the scope's executions, newest first.
    async fn list(
        &self,
        scope: Scope,
        filter: &ExecutionFilter,
        page: &PageRequest,
    ) -> Result<Page<ExecutionSummary>, RepoError>;

    /// Accepts an execution: idempotency key, quota, hold, row and first event, together. The
    /// same key with the same body answers the execution that was accepted under it. A run that
    /// costs something is accepted only with its price set aside; who runs a model of his own,
    /// by the same verified e-mail address, pays and earns nothing by it.
    async fn admit(&self, new: &NewExecution) -> Result<Admitted, AdmitError>;

    /// The execution that was accepted under this key, if there is one.
    ///
    /// # Errors
    /// `KeyReused` when it was accepted with another body.
    async fn find_replay(&self, claim: &IdempotencyClaim) -> Result<Option<Admitted>, AdmitError>;

    /// What the consumer can spend, rounded down to whole credits.
    async fn find_funds(&self, consumer: ConsumerId) -> Result<Credits, RepoError>;

    /// Calls an execution off: at once while no provider can know of it, otherwise by leaving
    /// word for its workers.
    async fn request_cancel(
        &self,
        scope: Scope,
        id: ExecutionId,
    ) -> Result<Found<CancelAnswer>, RepoError>;

    /// Makes an execution that is at the provider due at once, unless it was looked at within
    /// `rest`. Answers whether it did.
    async fn nudge(&self, id: ExecutionId, rest: Duration) -> Result<bool, RepoError>;

    /// The execution with everything that its workers know.
    async fn find_report(&self, id: ExecutionId) -> Result<Option<ExecutionReport>, RepoError>;

    /// What is known about when an execution may be done. One bounded question, for one run at
    /// a time.
    async fn find_outlook(&self, id: ExecutionId) -> Result<Option<Outlook>, RepoError>;

    /// Makes an execution that has not ended due at once, whatever it was waiting for, and
    /// forgives its strikes. Answers `None` when there is none, and whether it had not ended.
    async fn expedite(&self, id: ExecutionId) -> Result<Option<bool>, RepoError>;
}
