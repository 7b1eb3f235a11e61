//! How an execution begins: the model as it is at that moment, and everything that is then
//! frozen.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::catalog::endpoint::ProviderEndpointId;
use crate::catalog::{
    Category, ConfigOverrides, InputSchema, OutputType, Provider, TarsModelStatus,
};
use crate::error::RepoError;
use crate::execution::{Concealed, Execution, ExecutionKind};
use crate::id::{BaseModelId, ConsumerId, DeveloperId, EndpointId, ExecutionId, TarsModelId};
use crate::idempotency::IdempotencyClaim;
use crate::money::{Credits, Price, Share};
use crate::text::{Name, Slug, Title};
use crate::trace::TraceParent;
use crate::version::Version;

/// A tars model with everything under it that a run needs. It holds secrets of the developer.
#[derive(Debug, Clone, PartialEq)]
pub struct RunnableModel {
    /// Its id.
    pub id: TarsModelId,
    /// Its revision.
    pub version: Version,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its title.
    pub title: Title,
    /// Whose it is.
    pub developer_id: DeveloperId,
    /// Where it is in its life.
    pub status: TarsModelStatus,
    /// What a run costs.
    pub price: Price,
    /// What is fixed, preset and hidden.
    pub overrides: ConfigOverrides,
    /// What it is made of.
    pub base_model: RunnableBase,
    /// Where that runs.
    pub endpoint: RunnableEndpoint,
}

/// The base model under a [`RunnableModel`].
#[derive(Debug, Clone, PartialEq)]
pub struct RunnableBase {
    /// Its id.
    pub id: BaseModelId,
    /// Its revision.
    pub version: Version,
    /// Its name for people.
    pub name: Name,
    /// What it makes or works on.
    pub category: Category,
    /// The kind of thing it returns.
    pub output_type: OutputType,
    /// What it takes.
    pub input_schema: InputSchema,
    /// How long a run usually takes.
    pub estimated_seconds: u32,
    /// How long the provider may work on one run.
    pub timeout_seconds: u32,
    /// Whether it says parts of its output while it works.
    pub streams_output: bool,
    /// Whether it is switched on.
    pub is_active: bool,
}

/// The endpoint under a [`RunnableModel`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnableEndpoint {
    /// Its id with us.
    pub id: EndpointId,
    /// Its revision.
    pub version: Version,
    /// Whose protocol it speaks.
    pub provider: Provider,
    /// Its id at the provider.
    pub provider_endpoint_id: ProviderEndpointId,
    /// Whether it is switched on.
    pub is_active: bool,
}

/// The revisions of a model and of what stands under it. While these hold, nothing that was
/// decided from the model is out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelStamp {
    /// Of the tars model.
    pub tars_model: (TarsModelId, Version),
    /// Of its base model.
    pub base_model: (BaseModelId, Version),
    /// Of that one's endpoint.
    pub endpoint: (EndpointId, Version),
}

impl RunnableModel {
    /// Its revisions.
    #[must_use]
    pub const fn stamp(&self) -> ModelStamp {
        ModelStamp {
            tars_model: (self.id, self.version),
            base_model: (self.base_model.id, self.base_model.version),
            endpoint: (self.endpoint.id, self.endpoint.version),
        }
    }
}

/// Finds models to run.
#[async_trait]
pub trait RunnableModels: Send + Sync {
    /// The model with this slug, in whichever status it is.
    async fn find_by_slug(&self, slug: &Slug) -> Result<Option<RunnableModel>, RepoError>;

    /// The model with this id, if it belongs to the developer.
    async fn find_own(
        &self,
        developer: DeveloperId,
        id: TarsModelId,
    ) -> Result<Option<RunnableModel>, RepoError>;
}

/// Who asks for an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Requester {
    /// A consumer, who runs a model.
    Consumer(ConsumerId),
    /// A developer, who tries his own; so many times a day.
    Developer {
        /// Who.
        id: DeveloperId,
        /// How many test runs he has on one day (UTC).
        daily_quota: u32,
    },
}

impl Requester {
    /// What kind of execution he asks for.
    #[must_use]
    pub const fn kind(self) -> ExecutionKind {
        match self {
            Self::Consumer(_) => ExecutionKind::Run,
            Self::Developer { .. } => ExecutionKind::TestRun,
        }
    }
}

/// An execution that is to be accepted. Everything in it is frozen from here on.
#[derive(Debug, Clone)]
pub struct NewExecution {
    /// Its id.
    pub id: ExecutionId,
    /// Who asks.
    pub requester: Requester,
    /// What is run; the store accepts it only while the model's revisions still hold.
    pub model: Arc<RunnableModel>,
    /// What the requester sent.
    pub inputs: Map<String, Value>,
    /// What the provider will get. Private.
    pub payload: Map<String, Value>,
    /// What he must never read back.
    pub concealed: Concealed,
    /// How long from now until it has failed.
    pub deadline_in: Duration,
    /// What of the price the developer earns; nothing when it turns out that he runs his own
    /// model.
    pub developer_share: Share,
    /// How many runs of the consumer may be unfinished at once, this one among them; as many as he
    /// likes when nothing is said.
    pub max_concurrent_runs: Option<u32>,
    /// The key that makes repetitions of the request harmless.
    pub idempotency: Option<IdempotencyClaim>,
    /// What of a trace asked for it, so that the trace goes on where it is worked on.
    pub trace_parent: Option<TraceParent>,
}

/// An accepted execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted {
    /// The execution.
    pub execution: Execution,
    /// Whether it had been accepted before, under the same idempotency key.
    pub is_replay: bool,
}

/// Why an execution was not accepted. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// The idempotency key was used with another body.
    #[error("the idempotency key was used with another body")]
    KeyReused,
    /// The model, or something under it, was changed meanwhile: decide again.
    #[error("the model was changed meanwhile")]
    ModelChanged,
    /// The developer has used up his test runs for today.
    #[error("the {0} test runs of today are used up")]
    QuotaUsedUp(u32),
    /// The consumer has as many unfinished runs as he may have at once.
    #[error("the consumer has {0} unfinished runs, as many as he may have at once")]
    TooManyAtOnce(u32),
    /// The consumer cannot spend as much as it costs.
    #[error("the consumer cannot spend as much as it costs")]
    InsufficientCredits {
        /// What it costs.
        required: Credits,
        /// What he can spend.
        available: Credits,
    },
    /// The store failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}
