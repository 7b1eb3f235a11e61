//! The one table where domain errors, codes and HTTP statuses meet. Every match is
//! exhaustive: a new error does not compile until it has its place here.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use tarsify_domain::catalog::TarsModelStatus;
use tarsify_domain::catalog::base_model::BaseModelError;
use tarsify_domain::catalog::endpoint::EndpointError;
use tarsify_domain::catalog::market::MarketError;
use tarsify_domain::catalog::tars_model::TarsModelError;
use tarsify_domain::execution::ExecutionKind;
use tarsify_domain::limits::LimitSettingsError;
use tarsify_domain::people::{GateError, ProfileError, Realm};
use tarsify_domain::{ErrorCode, RepoError, Timestamp};
use tarsify_engine::{CancelError, ReadError, RunError};
use time::{Duration, Time, UtcOffset};

use super::ApiError;

/// The HTTP status of a code.
#[must_use]
pub const fn status_of(code: ErrorCode) -> StatusCode {
    use ErrorCode as Code;
    match code {
        Code::Validation => StatusCode::BAD_REQUEST,
        Code::NoCredential | Code::InvalidToken | Code::ExpiredToken | Code::BadCredentials => {
            StatusCode::UNAUTHORIZED
        }
        Code::InsufficientCredits | Code::PaymentFailed => StatusCode::PAYMENT_REQUIRED,
        Code::Forbidden | Code::DeveloperNotVerified | Code::ExecutionNotOwned => {
            StatusCode::FORBIDDEN
        }
        Code::NotFound
        | Code::ConsumerNotRegistered
        | Code::DeveloperNotRegistered
        | Code::TarsModelNotFound
        | Code::BaseModelNotFound
        | Code::EndpointNotFound
        | Code::ModelNotFound
        | Code::ExecutionNotFound
        | Code::PaymentNotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::Conflict
        | Code::IdempotencyKeyInProgress
        | Code::ConsumerAlreadyRegistered
        | Code::DeveloperAlreadyRegistered
        | Code::SlugTaken
        | Code::StatusForbids
        | Code::BaseModelNotActive
        | Code::EndpointIdTaken
        | Code::BaseModelSlugTaken
        | Code::ModelNotPublished
        | Code::ExecutionNotCancellable
        | Code::PayoutMinimumNotMet => StatusCode::CONFLICT,
        Code::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::IdempotencyKeyReused | Code::InputsDoNotFit => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited | Code::ProviderRateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::ProviderFailed | Code::PayoutFailed => StatusCode::BAD_GATEWAY,
        Code::Unavailable | Code::EndpointNotActive | Code::StorageUnavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Code::ProviderTimeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

impl From<RepoError> for ApiError {
    fn from(error: RepoError) -> Self {
        match error {
            RepoError::Conflict | RepoError::Stale => Self::new(ErrorCode::Conflict),
            RepoError::Unavailable(source) => Self::unavailable().caused_by(source),
            RepoError::Internal(source) => Self::internal(source),
        }
    }
}

impl From<EndpointError> for ApiError {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::NotFound => Self::new(ErrorCode::EndpointNotFound),
            EndpointError::IdTaken => Self::new(ErrorCode::EndpointIdTaken),
            EndpointError::PreconditionFailed => Self::new(ErrorCode::PreconditionFailed),
            EndpointError::Repo(error) => error.into(),
        }
    }
}

impl From<BaseModelError> for ApiError {
    fn from(error: BaseModelError) -> Self {
        match error {
            BaseModelError::NotFound => Self::new(ErrorCode::BaseModelNotFound),
            BaseModelError::EndpointNotFound => Self::new(ErrorCode::EndpointNotFound),
            BaseModelError::SlugTaken => Self::new(ErrorCode::BaseModelSlugTaken),
            BaseModelError::SchemaUnusable(issues) => Self::faults(
                ErrorCode::Validation,
                issues
                    .into_iter()
                    .map(|issue| issue.under("/inputSchema"))
                    .collect(),
            ),
            BaseModelError::PreconditionFailed => Self::new(ErrorCode::PreconditionFailed),
            BaseModelError::Repo(error) => error.into(),
        }
    }
}

impl From<TarsModelError> for ApiError {
    fn from(error: TarsModelError) -> Self {
        match error {
            TarsModelError::NotFound => Self::new(ErrorCode::TarsModelNotFound),
            TarsModelError::BaseModelNotFound => Self::new(ErrorCode::BaseModelNotFound),
            TarsModelError::BaseModelNotActive => Self::new(ErrorCode::BaseModelNotActive),
            TarsModelError::EndpointNotActive => Self::new(ErrorCode::EndpointNotActive),
            TarsModelError::SlugTaken => Self::new(ErrorCode::SlugTaken),
            TarsModelError::StatusForbids(status) => {
                Self::new(ErrorCode::StatusForbids).saying(format!(
                    "The model is {}; its status does not allow it.",
                    status.as_str()
                ))
            }
            TarsModelError::OverridesDoNotFit(issues) => Self::faults(
                ErrorCode::Validation,
                issues
                    .into_iter()
                    .map(|issue| issue.under("/configOverrides"))
                    .collect(),
            ),
            TarsModelError::PreconditionFailed => Self::new(ErrorCode::PreconditionFailed),
            TarsModelError::Repo(error) => error.into(),
        }
    }
}

impl From<MarketError> for ApiError {
    fn from(error: MarketError) -> Self {
        match error {
            MarketError::NotFound => Self::new(ErrorCode::ModelNotFound),
            MarketError::Repo(error) => error.into(),
        }
    }
}

impl From<GateError> for ApiError {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Invalid(reason) => Self::new(ErrorCode::InvalidToken)
                .saying(format!(
                    "The token is not one that this address accepts: {reason}."
                ))
                .challenging(),
            GateError::Expired => Self::new(ErrorCode::ExpiredToken).challenging(),
            GateError::Revoked => Self::new(ErrorCode::InvalidToken)
                .saying("The sign-in behind this token has been ended; sign in again.")
                .challenging(),
            GateError::Disabled => {
                Self::new(ErrorCode::Forbidden).saying("This account is disabled.")
            }
            GateError::NotAdmin => {
                Self::new(ErrorCode::Forbidden).saying("This is for administrators only.")
            }
            GateError::NotRegistered(Realm::Consumers) => {
                Self::new(ErrorCode::ConsumerNotRegistered)
            }
            GateError::NotRegistered(Realm::Developers) => {
                Self::new(ErrorCode::DeveloperNotRegistered)
            }
            GateError::Unavailable(source) => Self::unavailable().caused_by(source),
            GateError::Repo(error) => error.into(),
        }
    }
}

/// A profile error means the same in both realms but has a code in each.
pub(crate) fn profile_error(realm: Realm) -> impl Fn(ProfileError) -> ApiError {
    move |error| match error {
        ProfileError::AlreadyRegistered => ApiError::new(match realm {
            Realm::Consumers => ErrorCode::ConsumerAlreadyRegistered,
            Realm::Developers => ErrorCode::DeveloperAlreadyRegistered,
        }),
        ProfileError::Disagrees(issue) => ApiError::fault(issue),
        ProfileError::NotFound => GateError::NotRegistered(realm).into(),
        ProfileError::PreconditionFailed => ApiError::new(ErrorCode::PreconditionFailed),
        ProfileError::Repo(error) => error.into(),
    }
}

/// Why a model was not run: consumers run what is in the market, developers try what is their
/// own, so the same refusal has a code for each.
pub(crate) fn run_error(kind: ExecutionKind, now: Timestamp) -> impl Fn(RunError) -> ApiError {
    move |error| match error {
        RunError::ModelNotFound => ApiError::new(match kind {
            ExecutionKind::Run => ErrorCode::ModelNotFound,
            ExecutionKind::TestRun => ErrorCode::TarsModelNotFound,
        }),
        RunError::StatusForbids => match kind {
            ExecutionKind::Run => ApiError::new(ErrorCode::ModelNotPublished),
            // Nothing else keeps a developer from trying his own.
            ExecutionKind::TestRun => {
                TarsModelError::StatusForbids(TarsModelStatus::Archived).into()
            }
        },
        // An operator's fault, and as temporary as the other for whoever asks.
        RunError::NotActive | RunError::NoProvider => ApiError::new(ErrorCode::EndpointNotActive),
        RunError::InputsDoNotFit(issues) => ApiError::faults(ErrorCode::InputsDoNotFit, issues),
        RunError::KeyReused => ApiError::new(ErrorCode::IdempotencyKeyReused),
        RunError::TooManyAtOnce(most) => ApiError::too_many_at_once(most),
        RunError::QuotaUsedUp(quota) => ApiError::quota_used_up(quota, now),
        RunError::InsufficientCredits {
            required,
            available,
        } => ApiError::insufficient(required, available),
        RunError::Repo(error) => error.into(),
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound => Self::new(ErrorCode::ExecutionNotFound),
            ReadError::NotOwned => Self::new(ErrorCode::ExecutionNotOwned),
            ReadError::Repo(error) => error.into(),
        }
    }
}

impl From<CancelError> for ApiError {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::NotFound => Self::new(ErrorCode::ExecutionNotFound),
            CancelError::NotOwned => Self::new(ErrorCode::ExecutionNotOwned),
            CancelError::TooLate(_) => Self::new(ErrorCode::ExecutionNotCancellable),
            CancelError::Repo(error) => error.into(),
        }
    }
}

/// Why an execution was not tried again at once: it fails like a cancellation, but that it has
/// ended is another failure.
pub(crate) fn retry_error(error: CancelError) -> ApiError {
    match error {
        CancelError::TooLate(execution) => ApiError::new(ErrorCode::Conflict).saying(format!(
            "The execution has ended as {} and stays so; whoever wants another result starts a new run.",
            execution.summary.status.as_str()
        )),
        CancelError::NotFound | CancelError::NotOwned | CancelError::Repo(_) => error.into(),
    }
}

impl From<LimitSettingsError> for ApiError {
    fn from(error: LimitSettingsError) -> Self {
        match error {
            LimitSettingsError::PreconditionFailed => Self::new(ErrorCode::PreconditionFailed),
            LimitSettingsError::Repo(error) => error.into(),
        }
    }
}

impl ApiError {
    /// A consumer has as many unfinished runs as he may have; nobody knows when the next one ends.
    fn too_many_at_once(most: u32) -> Self {
        Self::new(ErrorCode::RateLimited)
            .classed("concurrency_limit")
            .saying(format!(
                "{most} of your runs have not ended yet, and there may be no more at once; wait until one has ended, or cancel one."
            ))
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// A developer's test runs of the day are used up; a new day begins at midnight UTC.
    fn quota_used_up(quota: u32, now: Timestamp) -> Self {
        let since_midnight = now.to_offset(UtcOffset::UTC).time() - Time::MIDNIGHT;
        let left = Duration::DAY - since_midnight;
        // Whoever comes a moment too early is refused again.
        let left = left.whole_seconds() + i64::from(left.subsec_nanoseconds() > 0);
        Self::new(ErrorCode::RateLimited)
            .classed("quota_exceeded")
            .saying(format!(
                "The {quota} test runs of today are used up; there are new ones from midnight UTC."
            ))
            .with_header(header::RETRY_AFTER, HeaderValue::from(left))
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(ErrorCode::Unavailable)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Says which scheme would have been accepted, as every 401 must.
    pub(crate) fn challenging(self) -> Self {
        self.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }
}
