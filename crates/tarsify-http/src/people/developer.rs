//! A developer's own profile.

mod wire;

use actix_web::web::Data;
use tarsify_domain::people::{Developers, Realm};

pub(crate) use wire::{CompleteProfileIn, DeveloperOut, RegisterDeveloperIn, UpdateDeveloperIn};

use crate::envelope::{Created, Resource};
use crate::error::{ApiError, profile_error};
use crate::extract::{IfMatch, RegisteredDeveloper, Valid, VerifiedCaller};

/// Makes a profile for the caller's identity.
pub(crate) async fn register_developer(
    developers: Data<Developers>,
    VerifiedCaller(identity): VerifiedCaller,
    Valid(body): Valid<RegisterDeveloperIn>,
) -> Result<Created<DeveloperOut>, ApiError> {
    let registered = developers
        .register(&identity, body.email.as_ref(), body.display_name)
        .await;
    let developer = registered.map_err(profile_error(Realm::Developers))?;
    Ok(Created {
        version: developer.version,
        location: "/api/studio/auth/me".to_owned(),
        body: developer.into(),
    })
}

/// Shows the caller's own profile.
pub(crate) async fn show_developer(
    RegisteredDeveloper(developer): RegisteredDeveloper,
) -> Resource<DeveloperOut> {
    Resource {
        version: developer.version,
        body: developer.into(),
    }
}

/// Changes the caller's own profile.
pub(crate) async fn update_developer(
    developers: Data<Developers>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    IfMatch(expected): IfMatch,
    Valid(body): Valid<UpdateDeveloperIn>,
) -> Result<Resource<DeveloperOut>, ApiError> {
    let revised = developers.revise(developer, &expected, body.into()).await;
    let developer = revised.map_err(profile_error(Realm::Developers))?;
    Ok(Resource {
        version: developer.version,
        body: developer.into(),
    })
}

/// Fills in the caller's own profile and marks it complete.
pub(crate) async fn complete_developer_profile(
    developers: Data<Developers>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    IfMatch(expected): IfMatch,
    Valid(body): Valid<CompleteProfileIn>,
) -> Result<Resource<DeveloperOut>, ApiError> {
    let completed = developers.complete(developer, &expected, body.into()).await;
    let developer = completed.map_err(profile_error(Realm::Developers))?;
    Ok(Resource {
        version: developer.version,
        body: developer.into(),
    })
}
