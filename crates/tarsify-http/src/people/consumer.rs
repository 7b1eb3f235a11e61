//! A consumer's own profile.

mod wire;

use actix_web::web::Data;
use tarsify_domain::people::{Consumers, Gate, Realm};

pub(crate) use wire::{ConsumerOut, RegisterConsumerIn, UpdateConsumerIn};

use crate::envelope::{Created, Resource};
use crate::error::{ApiError, profile_error};
use crate::extract::{IfMatch, Valid, VerifiedCaller};

/// Makes a profile for the caller's identity.
pub(crate) async fn register_consumer(
    consumers: Data<Consumers>,
    VerifiedCaller(identity): VerifiedCaller,
    Valid(body): Valid<RegisterConsumerIn>,
) -> Result<Created<ConsumerOut>, ApiError> {
    let registered = consumers
        .register(&identity, body.email.as_ref(), body.name)
        .await;
    let consumer = registered.map_err(profile_error(Realm::Consumers))?;
    Ok(Created {
        version: consumer.version,
        location: "/api/marketplace/auth/me".to_owned(),
        body: consumer.into(),
    })
}

/// Shows the caller's own profile.
pub(crate) async fn show_consumer(
    gate: Data<Gate>,
    VerifiedCaller(identity): VerifiedCaller,
) -> Result<Resource<ConsumerOut>, ApiError> {
    let consumer = gate.profile(&identity).await?;
    Ok(Resource {
        version: consumer.version,
        body: consumer.into(),
    })
}

/// Changes the caller's own profile.
pub(crate) async fn update_consumer(
    gate: Data<Gate>,
    consumers: Data<Consumers>,
    VerifiedCaller(identity): VerifiedCaller,
    IfMatch(expected): IfMatch,
    Valid(body): Valid<UpdateConsumerIn>,
) -> Result<Resource<ConsumerOut>, ApiError> {
    let consumer = gate.profile(&identity).await?;
    let revised = consumers.revise(consumer, &expected, body.into()).await;
    let consumer = revised.map_err(profile_error(Realm::Consumers))?;
    Ok(Resource {
        version: consumer.version,
        body: consumer.into(),
    })
}
