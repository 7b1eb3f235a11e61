//! Parameters in the path.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use tarsify_domain::Misfit;
use tarsify_domain::text::Slug;

use crate::error::ApiError;

/// The id in the path.
pub(crate) struct PathId<T>(pub(crate) T);

impl<T: FromStr> FromRequest for PathId<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let text = request.match_info().get("id").unwrap_or_default();
        ready(text.parse().map(Self).map_err(|_ignored| {
            let example = "must be a UUID, such as 0198b2c4-d5e6-7f80-91a2-b3c4d5e6f708";
            ApiError::fault(Misfit::new("format", example).at("/id"))
        }))
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
