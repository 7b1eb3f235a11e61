//! The one table where domain errors, codes and HTTP statuses meet. Every match is
//! exhaustive: a new error does not compile until it has its place here.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use tarsify_domain::catalog::base_model::BaseModelError;
use tarsify_domain::catalog::endpoint::EndpointError;
use tarsify_domain::catalog::market::MarketError;
use tarsify_domain::catalog::tars_model::TarsModelError;
use tarsify_domain::people::{GateError, ProfileError, Realm};
use tarsify_domain::{ErrorCode, RepoError};

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

impl ApiError {
    pub(crate) fn unavailable() -> Self {
        Self::new(ErrorCode::Unavailable)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Says which scheme would have been accepted, as every 401 must.
    pub(crate) fn challenging(self) -> Self {
        self.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }
}
