//! The port to whoever watches the engine at work: what ended, what the provider was asked, and
//! what is worth counting. It learns of lengths and kinds only, never of people, inputs or results.

use std::time::Duration;

use tarsify_domain::Timestamp;
use tarsify_domain::catalog::{Category, Provider};
use tarsify_domain::execution::{Ending, Operation};

use crate::machine::Counted;

/// Watches the engine at work. Every method is called in the middle of the work and must not block;
/// each does nothing unless it is written anew.
pub trait Observer: Send + Sync {
    /// An execution has ended here. Each end is told once, by the process that wrote it down; when
    /// the store's answer to that was lost, by none.
    fn run_ended(&self, ended: &RunEnded) {
        let _ = ended;
    }

    /// A provider was sent a request, whatever came of it. What was kept back because the endpoint
    /// is to be left alone was never sent.
    fn provider_asked(&self, asked: &ProviderAsked) {
        let _ = asked;
    }

    /// Something that is worth counting happened to an execution.
    fn happened(&self, incident: Incident) {
        let _ = incident;
    }
}

/// Nobody watches.
impl Observer for () {}

/// An execution that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunEnded {
    /// What its base model makes or works on.
    pub category: Category,
    /// How it ended.
    pub ending: Ending,
    /// How long that took, from the moment it was accepted.
    pub took: Duration,
    /// How much of that it waited until its model began, if it ever did.
    pub waited: Option<Duration>,
}

/// One request to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProviderAsked {
    /// Whom.
    pub provider: Provider,
    /// What for.
    pub operation: Operation,
    /// What came of it.
    pub outcome: Asked,
    /// How long it took.
    pub took: Duration,
}

/// What came of a request to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asked {
    /// It was answered, for better or worse.
    Answered,
    /// The provider will not have us, or does not know the endpoint.
    Refused,
    /// There were too many requests.
    TooMany,
    /// There was no sensible answer.
    Failed,
}

/// Something that is worth counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident {
    /// Who has the job that it is about.
    pub provider: Provider,
    /// What it was.
    pub what: Counted,
}

/// How long it is from one moment to another; nothing, when clocks do not agree.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to - from).unwrap_or(Duration::ZERO)
}
