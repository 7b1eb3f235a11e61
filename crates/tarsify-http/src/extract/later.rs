//! Judging a part of the request only when the handler asks for it.

use std::convert::Infallible;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::FutureExt;
use futures_util::future::Map;

use crate::error::ApiError;

/// Something whose faults are told when the handler asks for it: the extractors of a handler
/// run side by side, and what is wrong with a body is told before what is wrong with a query
/// or a header.
pub(crate) struct Later<T>(Result<T, ApiError>);

impl<T> Later<T> {
    /// What was extracted.
    pub(crate) fn now(self) -> Result<T, ApiError> {
        self.0
    }
}

type Extracted<T> = Result<T, ApiError>;

impl<T: FromRequest<Error = ApiError> + 'static> FromRequest for Later<T> {
    type Error = Infallible;
    type Future = Map<T::Future, fn(Extracted<T>) -> Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        T::from_request(request, payload).map(|extracted| Ok(Self(extracted)))
    }
}
