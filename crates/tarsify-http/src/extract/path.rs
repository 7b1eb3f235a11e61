//! Parameters in the path.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use tarsify_domain::Misfit;
use tarsify_domain::text::Slug;

use crate::error::ApiError;

/// The id in the path. It is judged when the handler asks for it: the extractors of a handler
/// run side by side, and what is wrong with a body is told before what is wrong with an id.
pub(crate) struct PathId<T>(Result<T, ApiError>);

impl<T> PathId<T> {
    /// The id.
    pub(crate) fn id(self) -> Result<T, ApiError> {
        self.0
    }
}

impl<T: FromStr> FromRequest for PathId<T> {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let text = request.match_info().get("id").unwrap_or_default();
        let id = text.parse().map_err(|_ignored| {
            let example = "must be a UUID, such as 0198b2c4-d5e6-7f80-91a2-b3c4d5e6f708";
            ApiError::fault(Misfit::new("format", example).at("/id"))
        });
        ready(Ok(Self(id)))
    }
}

/// The slug in the path; none when no slug can look like that.
pub(crate) struct PathSlug(pub(crate) Option<Slug>);

impl FromRequest for PathSlug {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let text = request.match_info().get("slug").unwrap_or_default();
        ready(Ok(Self(Slug::parse(text).ok())))
    }
}
