//! The name that a caller gives to one request of his, so that sending it again is harmless.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest};
use tarsify_domain::idempotency::IdempotencyKey;
use tarsify_domain::{Issue, Misfit};

use crate::error::ApiError;

/// The header that holds the key.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The key of the request, if it has one.
pub(crate) struct RepetitionKey(pub(crate) Option<IdempotencyKey>);

impl FromRequest for RepetitionKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let key = read(request.headers());
        ready(key.map(Self).map_err(ApiError::fault))
    }
}

/// Reads the key, bare or quoted.
///
/// # Errors
/// When there is more than one, or what there is can be none.
pub(crate) fn read(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Issue> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let read = if values.next().is_some() {
        Err(Misfit::new("duplicateKey", "must be sent at most once"))
    } else {
        match value.to_str() {
            Ok(text) => IdempotencyKey::parse(text),
            Err(_) => Err(Misfit::new(
                "pattern",
                "may hold only printable ASCII characters",
            )),
        }
    };
    read.map(Some)
        .map_err(|misfit| misfit.at("/Idempotency-Key"))
}
