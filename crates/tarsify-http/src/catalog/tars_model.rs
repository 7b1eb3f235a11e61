//! Tars models, for the developers who own them.

mod wire;

use actix_web::web::Data;
use tarsify_domain::catalog::{TarsModel, TarsModels};
use tarsify_domain::id::TarsModelId;

pub(crate) use wire::{
    ArchiveTarsModelIn, CreateTarsModelIn, PublishAction, PublishTarsModelIn, TarsModelOut,
    TarsModelsQueryIn, UpdateTarsModelIn,
};

use crate::envelope::{Created, Listed, NoContent, Resource};
use crate::error::ApiError;
use crate::extract::{IfMatch, PathId, Query, RegisteredDeveloper, Valid};

/// Makes a draft of a tars model.
pub(crate) async fn create_tars_model(
    models: Data<TarsModels>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    Valid(body): Valid<CreateTarsModelIn>,
) -> Result<Created<TarsModelOut>, ApiError> {
    let model = models.create(developer.id, body.into()).await?;
    let location = format!("/api/studio/tars-models/{}", model.id);
    Ok(Created {
        version: model.version,
        location,
        body: model.into(),
    })
}

/// Lists the caller's tars models, newest first.
pub(crate) async fn list_tars_models(
    models: Data<TarsModels>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    Query(TarsModelsQueryIn { filter, page }): Query<TarsModelsQueryIn>,
) -> Result<Listed<TarsModelOut>, ApiError> {
    Ok(Listed::new(
        models.list(developer.id, filter, &page).await?,
        &page,
    ))
}

/// Shows one of the caller's tars models.
pub(crate) async fn show_tars_model(
    models: Data<TarsModels>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    path: PathId<TarsModelId>,
) -> Result<Resource<TarsModelOut>, ApiError> {
    Ok(resource(models.find(developer.id, path.id()?).await?))
}

/// Changes one of the caller's tars models: absent keeps, null clears.
pub(crate) async fn update_tars_model(
    models: Data<TarsModels>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    Valid(body): Valid<UpdateTarsModelIn>,
    path: PathId<TarsModelId>,
    IfMatch(expected): IfMatch,
) -> Result<Resource<TarsModelOut>, ApiError> {
    Ok(resource(
        models
            .revise(developer.id, path.id()?, &expected, body.into())
            .await?,
    ))
}

/// Removes one of the caller's tars models, or archives it when it was ever run.
pub(crate) async fn delete_tars_model(
    models: Data<TarsModels>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    path: PathId<TarsModelId>,
    IfMatch(expected): IfMatch,
) -> Result<NoContent, ApiError> {
    models.remove(developer.id, path.id()?, &expected).await?;
    Ok(NoContent)
}

/// Puts one of the caller's tars models into the market, or archives it when `action` says so.
pub(crate) async fn publish_tars_model(
    models: Data<TarsModels>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    Valid(body): Valid<PublishTarsModelIn>,
    path: PathId<TarsModelId>,
    IfMatch(expected): IfMatch,
) -> Result<Resource<TarsModelOut>, ApiError> {
    let model = match body.action {
        PublishAction::Publish => models.publish(developer.id, path.id()?, &expected).await?,
        PublishAction::Archive => models.archive(developer.id, path.id()?, &expected).await?,
    };
    Ok(resource(model))
}

/// Takes one of the caller's tars models out of the market.
pub(crate) async fn archive_tars_model(
    models: Data<TarsModels>,
    RegisteredDeveloper(developer): RegisteredDeveloper,
    path: PathId<TarsModelId>,
    IfMatch(expected): IfMatch,
    Valid(ArchiveTarsModelIn {}): Valid<ArchiveTarsModelIn>,
) -> Result<Resource<TarsModelOut>, ApiError> {
    Ok(resource(
        models.archive(developer.id, path.id()?, &expected).await?,
    ))
}

fn resource(model: TarsModel) -> Resource<TarsModelOut> {
    Resource {
        version: model.version,
        body: model.into(),
    }
}
