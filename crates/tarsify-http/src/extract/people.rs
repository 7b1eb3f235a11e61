//! Who calls. The route's access rule has let him in already; these hand him to the handler.
//! A handler that asks for somebody whom its route does not let in fails for every caller.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use tarsify_domain::id::ConsumerId;
use tarsify_domain::people::{Admin, Developer, VerifiedIdentity};

use crate::error::ApiError;

#[derive(Debug, thiserror::Error)]
#[error("the route's access rule lets in somebody other than its handler expects")]
struct AccessMismatch;

macro_rules! caller {
    ($(#[$doc:meta])* $name:ident($person:ty)) => {
        $(#[$doc])*
        pub(crate) struct $name(pub(crate) $person);

        impl FromRequest for $name {
            type Error = ApiError;
            type Future = Ready<Result<Self, ApiError>>;

            fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
                let person = request.extensions_mut().remove::<$person>();
                ready(person.map(Self).ok_or_else(|| ApiError::internal(AccessMismatch)))
            }
        }
    };
}

caller!(
    /// Anybody with a good token of the route's realm, or a consumer with a profile.
    VerifiedCaller(VerifiedIdentity)
);
caller!(
    /// A consumer with a profile; what stands in it is read by whoever wants to know.
    RegisteredConsumer(ConsumerId)
);
caller!(
    /// A developer with a profile.
    RegisteredDeveloper(Developer)
);
caller!(
    /// An administrator.
    Administrator(Admin)
);
