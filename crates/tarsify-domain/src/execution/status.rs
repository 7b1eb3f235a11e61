//! The words for where an execution is and how it ended.

use crate::code::ErrorCode;
use crate::words::words;

words!(
    /// Why an execution was made.
    ExecutionKind {
        /// A consumer's run, which costs credits.
        Run = "RUN",
        /// A developer's trial of his own model, which costs nothing.
        TestRun = "TEST_RUN",
    }
);
words!(
    /// Where an execution is, as everybody is told.
    ExecutionStatus {
        /// Accepted, and not yet at the provider.
        Pending = "PENDING",
        /// Waiting at the provider.
        Queued = "QUEUED",
        /// Being worked on.
        Running = "RUNNING",
        /// Ended with a result.
        Completed = "COMPLETED",
        /// Ended without a result.
        Failed = "FAILED",
        /// Ended because time ran out.
        TimedOut = "TIMED_OUT",
        /// Ended because somebody called it off.
        Cancelled = "CANCELLED",
    }
);
words!(
    /// Where an execution is, as its workers know it. Within one attempt it only goes forward.
    Stage {
        /// Waiting for its first attempt, or for another after one that surely had no effect or
        /// whose answer was lost for good.
        Created = "created",
        /// An attempt is recorded and may be on its way to the provider.
        Submitting = "submitting",
        /// The answer to an attempt was lost: there may be a job or not.
        Unknown = "unknown",
        /// The provider has accepted a job.
        Queued = "queued",
        /// The provider is at work.
        Running = "running",
        /// It has ended; a job of it may still have to be called off.
        Ended = "ended",
    }
);
words!(
    /// How an execution ended.
    Ending {
        /// With a result.
        Completed = "COMPLETED",
        /// Without one.
        Failed = "FAILED",
        /// Time ran out.
        TimedOut = "TIMED_OUT",
        /// Somebody called it off.
        Cancelled = "CANCELLED",
    }
);
words!(
    /// Why an execution ended without a result.
    EndReason {
        /// The model reported an error.
        ProviderError = "provider_error",
        /// The provider refused the job.
        Refused = "refused",
        /// The provider knows the job no more.
        Lost = "lost",
        /// The job was done and there was no output.
        OutputMissing = "output_missing",
        /// The output is larger than a result may be.
        OutputTooLarge = "output_too_large",
        /// The output cannot be read.
        OutputUnreadable = "output_unreadable",
        /// The provider stopped the job because it took too long.
        ProviderTimeout = "provider_timeout",
        /// The execution was past its deadline.
        Deadline = "deadline",
        /// Whoever asked for it called it off.
        CancelledByCaller = "cancelled_by_caller",
        /// The job was called off at the provider.
        CancelledByProvider = "cancelled_by_provider",
        /// Again and again a worker stopped in the middle of it.
        Quarantined = "quarantined",
    }
);

impl ExecutionStatus {
    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Pending | Self::Queued | Self::Running => false,
            Self::Completed | Self::Failed | Self::TimedOut | Self::Cancelled => true,
        }
    }
}

impl From<Ending> for ExecutionStatus {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Completed => Self::Completed,
            Ending::Failed => Self::Failed,
            Ending::TimedOut => Self::TimedOut,
            Ending::Cancelled => Self::Cancelled,
        }
    }
}

impl Stage {
    /// What everybody is told of a stage that is not the end.
    #[must_use]
    pub const fn status(self) -> Option<ExecutionStatus> {
        match self {
            Self::Created | Self::Submitting | Self::Unknown => Some(ExecutionStatus::Pending),
            Self::Queued => Some(ExecutionStatus::Queued),
            Self::Running => Some(ExecutionStatus::Running),
            Self::Ended => None,
        }
    }

    /// Whether a worker may move an execution from here to `next`. Staying is no move.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Created => matches!(next, Self::Submitting | Self::Ended),
            Self::Submitting => !matches!(next, Self::Submitting),
            Self::Unknown => {
                matches!(
                    next,
                    Self::Created | Self::Queued | Self::Running | Self::Ended
                )
            }
            Self::Queued => matches!(next, Self::Running | Self::Ended),
            Self::Running => matches!(next, Self::Ended),
            Self::Ended => false,
        }
    }
}

impl EndReason {
    /// The code that the run carries; none when it was called off.
    #[must_use]
    pub const fn error_code(self) -> Option<ErrorCode> {
        match self {
            Self::ProviderError
            | Self::Refused
            | Self::Lost
            | Self::OutputMissing
            | Self::OutputTooLarge
            | Self::OutputUnreadable => Some(ErrorCode::ProviderFailed),
            Self::ProviderTimeout | Self::Deadline => Some(ErrorCode::ProviderTimeout),
            Self::Quarantined => Some(ErrorCode::Internal),
            Self::CancelledByCaller | Self::CancelledByProvider => None,
        }
    }

    /// What a consumer is told when the model itself said nothing that he may read.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ProviderError => "The model reported an error.",
            Self::Refused => "The model's machine refused the inputs.",
            Self::Lost => "The model's machine lost the run. Nothing was charged; try again.",
            Self::OutputMissing => "The model ended without a result. Nothing was charged.",
            Self::OutputTooLarge => {
                "The result is larger than a result may be. Nothing was charged; ask for less."
            }
            Self::OutputUnreadable => "The result cannot be read. Nothing was charged.",
            Self::ProviderTimeout => "The model took longer than it may. Nothing was charged.",
            Self::Deadline => "The run did not end in time. Nothing was charged; try again.",
            Self::CancelledByCaller => "The run was cancelled. Nothing was charged.",
            Self::CancelledByProvider => {
                "The run was called off where the model runs. Nothing was charged."
            }
            Self::Quarantined => "The run failed on our side. Nothing was charged.",
        }
    }
}

#[cfg(test)]
mod tests;
