//! What happens to an execution, in the order in which it happened.

use serde_json::{Map, Value};

use crate::words::words;

words!(
    /// What happened.
    EventKind {
        /// The execution was accepted and waits its turn: always the first.
        Queued = "queued",
        /// The provider has accepted the job.
        Accepted = "accepted",
        /// The provider has begun to work.
        Started = "started",
        /// The model told how far it is.
        Progress = "progress",
        /// The model said a part of its output while it works.
        OutputDelta = "output_delta",
        /// It ended with a result.
        Completed = "completed",
        /// It ended without one.
        Failed = "failed",
        /// Time ran out.
        TimedOut = "timed_out",
        /// Somebody called it off.
        Cancelled = "cancelled",
    }
);

impl EventKind {
    /// Whether it is the last that happens.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Queued | Self::Accepted | Self::Started | Self::Progress | Self::OutputDelta => {
                false
            }
            Self::Completed | Self::Failed | Self::TimedOut | Self::Cancelled => true,
        }
    }
}

/// Something that happened, before the store gave it its place in the order.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// What there is to say about it; nothing that a consumer may not read.
    pub data: Map<String, Value>,
}

impl NewEvent {
    /// An event that says all by its kind.
    #[must_use]
    pub fn plain(kind: EventKind) -> Self {
        Self {
            kind,
            data: Map::new(),
        }
    }
}
