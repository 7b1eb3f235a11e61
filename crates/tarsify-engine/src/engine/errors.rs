//! Why the engine did not do what it was asked for.

use tarsify_domain::execution::{AdmitError, Execution};
use tarsify_domain::{Credits, Issue, RepoError};

/// Why a model was not run. Nothing was stored, held or sent.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no such model.
    #[error("there is no such model")]
    ModelNotFound,
    /// The model is not in the market, or, for a test run, it is archived.
    #[error("the model's status does not allow it")]
    StatusForbids,
    /// The base model or its endpoint is switched off.
    #[error("the model's base model or endpoint is switched off")]
    NotActive,
    /// No provider of this engine speaks the endpoint's protocol.
    #[error("no provider of this engine speaks the protocol of the model's endpoint")]
    NoProvider,
    /// The inputs do not fit; every fault is named.
    #[error("the inputs do not fit the model's schema")]
    InputsDoNotFit(Vec<Issue>),
    /// The idempotency key was used with another body.
    #[error("the idempotency key was used with another body")]
    KeyReused,
    /// The test runs of today are used up; so many there are.
    #[error("the {0} test runs of today are used up")]
    QuotaUsedUp(u32),
    /// The consumer has as many unfinished runs as he may have at once.
    #[error("the consumer has {0} unfinished runs, as many as he may have at once")]
    TooManyAtOnce(u32),
    /// The consumer cannot spend as much as the run costs.
    #[error("the consumer cannot spend as much as the run costs")]
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

impl From<AdmitError> for RunError {
    fn from(error: AdmitError) -> Self {
        match error {
            AdmitError::KeyReused => Self::KeyReused,
            // It was changed again each time that it was read anew.
            AdmitError::ModelChanged => Self::Repo(RepoError::Stale),
            AdmitError::QuotaUsedUp(quota) => Self::QuotaUsedUp(quota),
            AdmitError::TooManyAtOnce(most) => Self::TooManyAtOnce(most),
            AdmitError::InsufficientCredits {
                required,
                available,
            } => Self::InsufficientCredits {
                required,
                available,
            },
            AdmitError::Repo(error) => Self::Repo(error),
        }
    }
}

/// Why an execution is not shown.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is none.
    #[error("there is no such execution")]
    NotFound,
    /// It is somebody else's.
    #[error("the execution belongs to somebody else")]
    NotOwned,
    /// The store failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// Why an execution was not called off, or not tried again.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// There is none.
    #[error("there is no such execution")]
    NotFound,
    /// It is somebody else's.
    #[error("the execution belongs to somebody else")]
    NotOwned,
    /// It had ended so.
    #[error("the execution has already ended")]
    TooLate(Box<Execution>),
    /// The store failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

impl From<ReadError> for CancelError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound => Self::NotFound,
            ReadError::NotOwned => Self::NotOwned,
            ReadError::Repo(error) => Self::Repo(error),
        }
    }
}
