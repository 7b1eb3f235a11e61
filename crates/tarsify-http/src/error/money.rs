//! The part of the error table that is about money.

use serde::Serialize;
use tarsify_domain::earnings::PayoutError;
use tarsify_domain::ledger::{AdjustmentError, RefundError};
use tarsify_domain::payments::{
    EventError, PackageError, PaymentError, PurchaseError, ReceiveError,
};
use tarsify_domain::{Credits, ErrorCode, RepoError};

use super::ApiError;

/// How much is missing.
#[derive(Serialize)]
struct Shortfall {
    required: i64,
    available: i64,
    shortfall: i64,
}

/// How much would have been enough.
#[derive(Serialize)]
struct Minimum {
    minimum: i64,
}

/// How much would not have been too much.
#[derive(Serialize)]
struct Refundable {
    refundable: i64,
}

impl ApiError {
    /// Less is there than is needed.
    pub(crate) fn insufficient(required: Credits, available: Credits) -> Self {
        let (required, available) = (required.get(), available.get());
        Self::new(ErrorCode::InsufficientCredits)
            .saying(format!(
                "{required} credits are needed and {available} are there."
            ))
            .detailed(&Shortfall {
                required,
                available,
                shortfall: required.saturating_sub(available),
            })
    }
}

impl From<PackageError> for ApiError {
    fn from(error: PackageError) -> Self {
        match error {
            PackageError::NotFound => {
                Self::new(ErrorCode::PaymentNotFound).saying("There is no such package.")
            }
            PackageError::PreconditionFailed => Self::new(ErrorCode::PreconditionFailed),
            PackageError::Repo(error) => error.into(),
        }
    }
}

impl From<PurchaseError> for ApiError {
    fn from(error: PurchaseError) -> Self {
        match error {
            PurchaseError::NoPackage => Self::new(ErrorCode::PaymentNotFound).saying(
                "There is no such package on offer; \
                 GET /api/marketplace/credits/packages lists those that are.",
            ),
            PurchaseError::NotFound => Self::new(ErrorCode::PaymentNotFound),
            PurchaseError::Payment(error) => error.into(),
            PurchaseError::Repo(error) => error.into(),
        }
    }
}

impl From<PaymentError> for ApiError {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::NotConfigured => Self::unconfigured(),
            // What the provider says is for the operator, and goes to the log.
            PaymentError::Refused(_) => Self::new(ErrorCode::PaymentFailed)
                .saying("The payment provider refused it, and nothing was charged or paid. Try it once more; when it is refused again, tell the operator.")
                .caused_by(error),
            PaymentError::Unavailable(_) => Self::unavailable()
                .saying("The payment provider cannot be reached right now, and nothing was charged or paid. Try it again later.")
                .caused_by(error),
        }
    }
}

impl From<ReceiveError> for ApiError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Event(EventError::NotConfigured) => Self::unconfigured(),
            ReceiveError::Event(EventError::Forged(why)) => {
                Self::new(ErrorCode::Validation).saying(format!(
                    "The Stripe-Signature is not acceptable: {why}. Whoever operates this server compares the signing secret of the webhook at Stripe with the one configured here, and the clock with the true time."
                ))
            }
            ReceiveError::Event(EventError::Unreadable(why)) => Self::new(ErrorCode::Validation)
                .saying(format!(
                    "The message is signed and cannot be understood: {why}."
                )),
            // The provider tells it again, and by then the other has finished.
            ReceiveError::Repo(error @ (RepoError::Conflict | RepoError::Stale)) => {
                Self::unavailable().caused_by(error)
            }
            ReceiveError::Repo(error) => error.into(),
        }
    }
}

impl From<PayoutError> for ApiError {
    fn from(error: PayoutError) -> Self {
        match error {
            PayoutError::NotVerified => Self::new(ErrorCode::DeveloperNotVerified).saying(
                "The payment provider does not know you well enough to pay you; \
                 POST /api/studio/payouts/connect-stripe answers where to complete your account.",
            ),
            PayoutError::BelowMinimum(minimum) => {
                let minimum = minimum.get();
                Self::new(ErrorCode::PayoutMinimumNotMet)
                    .saying(format!("The smallest payout is {minimum} credits."))
                    .detailed(&Minimum { minimum })
            }
            PayoutError::Insufficient {
                required,
                available,
            } => Self::insufficient(required, available),
            PayoutError::Payment(error) => error.into(),
            PayoutError::Repo(error) => error.into(),
        }
    }
}

impl From<AdjustmentError> for ApiError {
    fn from(error: AdjustmentError) -> Self {
        match error {
            AdjustmentError::NoConsumer => {
                Self::new(ErrorCode::ConsumerNotRegistered).saying("There is no such consumer.")
            }
            AdjustmentError::Insufficient {
                required,
                available,
            } => Self::insufficient(required, available),
            AdjustmentError::Repo(error) => error.into(),
        }
    }
}

impl From<RefundError> for ApiError {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::NoRun => Self::new(ErrorCode::ExecutionNotFound),
            RefundError::TooMuch(left) => {
                let refundable = left.get();
                Self::new(ErrorCode::Conflict)
                    .saying(format!(
                        "{refundable} credits of the run's price can still be given back."
                    ))
                    .detailed(&Refundable { refundable })
            }
            RefundError::Repo(error) => error.into(),
        }
    }
}

impl ApiError {
    fn unconfigured() -> Self {
        Self::new(ErrorCode::Unavailable).saying(
            "No payment provider is configured on this server; whoever operates it has to set one up.",
        )
    }
}
