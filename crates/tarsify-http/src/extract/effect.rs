//! What a request makes, when it has a name that it keeps when it is sent again.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use uuid::Uuid;

use crate::error::ApiError;

/// The id of what a request with an idempotency key makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effect(pub(crate) Uuid);

/// The same for a handler; none when the request has no key.
pub(crate) struct Named(pub(crate) Option<Uuid>);

impl FromRequest for Named {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let effect = request.extensions().get::<Effect>().copied();
        ready(Ok(Self(effect.map(|Effect(id)| id))))
    }
}
