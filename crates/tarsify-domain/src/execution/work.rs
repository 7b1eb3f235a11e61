//! What workers know of an execution and what they write about it. All of it is private to
//! them and to administrators.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::catalog::Provider;
use crate::catalog::endpoint::{EndpointLimits, ProviderEndpointId};
use crate::clock::Timestamp;
use crate::error::Misfit;
use crate::execution::{Concealed, EndReason, Ending, NewEvent, OutputTold, Stage};
use crate::id::{EndpointId, ExecutionId};
use crate::words::words;

/// The right to write about an execution. Whoever leases it later makes this one void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Which execution.
    pub id: ExecutionId,
    /// How often it was leased, this time included.
    pub epoch: i64,
}

/// A job's id at its provider: opaque, and short enough to be one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderJobId(String);

impl ProviderJobId {
    /// Most characters.
    pub const MAX: usize = 64;

    /// Checks the id. It becomes part of an address, so it holds nothing that an address would
    /// read differently.
    ///
    /// # Errors
    /// When it is empty, too long, or holds anything but letters, digits, `-`, `_`, `.` and `:`.
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        let fits = !text.is_empty()
            && text.len() <= Self::MAX
            && text.bytes().all(plain)
            && !text.bytes().all(|byte| byte == b'.');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Misfit::new("pattern", "is no job id"))
        }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The SHA-256 of an attempt's callback token; the token itself is kept nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenHash(..)")
    }
}

words!(
    /// What became of one attempt to have the provider do the work.
    AttemptState {
        /// Recorded; the provider may or may not have been asked.
        Calling = "calling",
        /// The provider has a job for it, which may still end.
        Accepted = "accepted",
        /// The answer was lost; there may be a job, and we do not know its id.
        Lost = "lost",
        /// It surely had no effect.
        Undone = "undone",
        /// The provider refused it for good.
        Refused = "refused",
        /// Its job made the result.
        Won = "won",
        /// Its job ended otherwise, or is known no more.
        Over = "over",
        /// The execution has ended without its job, which has to be called off.
        Orphaned = "orphaned",
    }
);

/// One attempt to have the provider do the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Counted from 1.
    pub number: u32,
    /// What became of it.
    pub state: AttemptState,
    /// Its job, once we know it.
    pub job: Option<ProviderJobId>,
    /// When it was recorded.
    pub called_at: Timestamp,
    /// Since when the provider has said that it does not know the job.
    pub missing_since: Option<Timestamp>,
    /// How many answers in a row could not be read.
    pub unreadable: u32,
}

impl Attempt {
    /// The job that may still end, or that has to be called off.
    #[must_use]
    pub fn live_job(&self) -> Option<&ProviderJobId> {
        match self.state {
            AttemptState::Accepted | AttemptState::Orphaned => self.job.as_ref(),
            // The id came by a callback whose answer to the call was lost.
            AttemptState::Calling | AttemptState::Lost => self.job.as_ref(),
            AttemptState::Undone
            | AttemptState::Refused
            | AttemptState::Won
            | AttemptState::Over => None,
        }
    }
}

/// Everything that decides what is to be done next about an execution.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Where it is.
    pub stage: Stage,
    /// Its attempts, by number.
    pub attempts: Vec<Attempt>,
    /// How often the provider was asked since it accepted.
    pub looks: u32,
    /// How often it was leased since a worker last wrote about it, this time included.
    pub strikes: u32,
    /// Whether it is to be called off.
    pub is_cancel_requested: bool,
    /// The last progress that was told.
    pub progress: Option<Value>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it has to have ended.
    pub deadline_at: Timestamp,
}

/// Where an execution's jobs are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobPlace {
    /// The endpoint's id with us.
    pub endpoint_id: EndpointId,
    /// Whose protocol it speaks.
    pub provider: Provider,
    /// Its id at the provider.
    pub provider_endpoint_id: ProviderEndpointId,
    /// How long the provider may work on one job.
    pub timeout: Duration,
    /// The endpoint's limits, as they were when the execution was leased.
    pub limits: EndpointLimits,
}

/// What was frozen when the execution was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Material {
    /// What the requester sent.
    pub inputs: Map<String, Value>,
    /// What the provider gets.
    pub payload: Map<String, Value>,
    /// What the requester must never read back.
    pub concealed: Concealed,
}

words!(
    /// What a provider is asked for.
    Operation {
        /// To do a job.
        Run = "run",
        /// How a job is.
        Status = "status",
        /// To stop a job.
        Cancel = "cancel",
        /// What a job has said since it was last asked.
        Stream = "stream",
    }
);

/// One question to the provider and its answer, as administrators may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// For which attempt.
    pub attempt: u32,
    /// What was asked.
    pub operation: Operation,
    /// The status of the answer; none when there was no answer.
    pub http_status: Option<u16>,
    /// How long it took.
    pub took: Duration,
    /// What was said, without payload and output.
    pub said: String,
}

/// A worker's move: from one stage to another or to the same, while its lease holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Advance {
    /// By which right.
    pub lease: Lease,
    /// Where the execution has to be.
    pub from: Stage,
    /// Where it is then.
    pub to: Stage,
    /// The attempts that changed.
    pub attempts: Vec<Attempt>,
    /// How often the provider was asked since it accepted.
    pub looks: u32,
    /// The progress that was told, if there is something new.
    pub progress: Option<Value>,
    /// What happened.
    pub events: Vec<NewEvent>,
    /// What was said to the provider.
    pub exchanges: Vec<Exchange>,
    /// How far its output was told, when anybody has watched it.
    pub told: Option<OutputTold>,
    /// What becomes of the lease.
    pub then: Then,
}

/// What becomes of a lease after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is given back, and the execution wants attention again after this time; at once when
    /// somebody made it due while the lease held.
    After(Duration),
    /// It is given back for good: nothing more is to be done.
    Rest,
}

/// The one end of an execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// By which right.
    pub lease: Lease,
    /// Where the execution has to be.
    pub from: Stage,
    /// How it ends.
    pub ending: Ending,
    /// Why, unless it completed.
    pub reason: Option<EndReason>,
    /// What the requester is told, unless it completed.
    pub message: Option<String>,
    /// The result, scrubbed; only when it completed.
    pub output: Option<Value>,
    /// How long the job waited at the provider, in its own milliseconds.
    pub queue_ms: Option<i64>,
    /// How long the provider worked, in its own milliseconds.
    pub run_ms: Option<i64>,
    /// The attempts that changed: the winner is among them, and every job that is left over.
    pub attempts: Vec<Attempt>,
    /// What was said to the provider.
    pub exchanges: Vec<Exchange>,
    /// The last parts of its output, which come before its last event; none when nobody has ever
    /// watched it.
    pub deltas: Option<Vec<NewEvent>>,
    /// Whether jobs are left that have to be called off.
    pub has_orphans: bool,
}
