//! Base models: all of them for administrators, those on offer for developers.

mod wire;

use actix_web::web::Data;
use tarsify_domain::catalog::{BaseModel, BaseModelFilter, BaseModels};
use tarsify_domain::id::BaseModelId;

pub(crate) use wire::{
    AdminBaseModelOut, BaseModelOut, BaseModelsOut, BaseModelsQueryIn, CreateBaseModelIn,
    OfferedQueryIn, UpdateBaseModelIn,
};

use crate::envelope::{Created, Listed, NoContent, Resource, Success};
use crate::error::ApiError;
use crate::extract::{Administrator, IfMatch, PathId, Query, RegisteredDeveloper, Valid};

/// Makes a base model.
pub(crate) async fn create_base_model(
    models: Data<BaseModels>,
    _admin: Administrator,
    Valid(body): Valid<CreateBaseModelIn>,
) -> Result<Created<AdminBaseModelOut>, ApiError> {
    let model = models.create(body.into()).await?;
    let location = format!("/api/admin/base-models/{}", model.id);
    Ok(Created {
        version: model.version,
        location,
        body: model.into(),
    })
}

/// Lists base models, newest first.
pub(crate) async fn list_base_models(
    models: Data<BaseModels>,
    _admin: Administrator,
    Query(BaseModelsQueryIn { filter, page }): Query<BaseModelsQueryIn>,
) -> Result<Listed<AdminBaseModelOut>, ApiError> {
    Ok(Listed::new(models.list(filter, &page).await?, &page))
}

/// Shows a base model.
pub(crate) async fn show_base_model(
    models: Data<BaseModels>,
    _admin: Administrator,
    path: PathId<BaseModelId>,
) -> Result<Resource<AdminBaseModelOut>, ApiError> {
    Ok(resource(models.find(path.id()?).await?))
}

/// Changes a base model: absent keeps, null clears.
pub(crate) async fn update_base_model(
    models: Data<BaseModels>,
    _admin: Administrator,
    Valid(body): Valid<UpdateBaseModelIn>,
    path: PathId<BaseModelId>,
    IfMatch(expected): IfMatch,
) -> Result<Resource<AdminBaseModelOut>, ApiError> {
    Ok(resource(
        models.revise(path.id()?, &expected, body.into()).await?,
    ))
}

/// Switches a base model off.
pub(crate) async fn delete_base_model(
    models: Data<BaseModels>,
    _admin: Administrator,
    path: PathId<BaseModelId>,
    IfMatch(expected): IfMatch,
) -> Result<NoContent, ApiError> {
    models.retire(path.id()?, &expected).await?;
    Ok(NoContent)
}

/// Lists the base models that developers can build on.
pub(crate) async fn list_offered_base_models(
    models: Data<BaseModels>,
    _developer: RegisteredDeveloper,
    Query(OfferedQueryIn { filter }): Query<OfferedQueryIn>,
) -> Result<Success<Vec<BaseModelOut>>, ApiError> {
    Ok(Success(offered(&models, filter).await?))
}

/// The same list as an object, for the form that makes a tars model.
pub(crate) async fn list_base_models_for_form(
    models: Data<BaseModels>,
    _developer: RegisteredDeveloper,
    Query(OfferedQueryIn { filter }): Query<OfferedQueryIn>,
) -> Result<Success<BaseModelsOut>, ApiError> {
    Ok(Success(BaseModelsOut {
        base_models: offered(&models, filter).await?,
    }))
}

async fn offered(
    models: &BaseModels,
    filter: BaseModelFilter,
) -> Result<Vec<BaseModelOut>, ApiError> {
    Ok(models
        .list_offered(filter)
        .await?
        .into_iter()
        .map(BaseModelOut::from)
        .collect())
}

fn resource(model: BaseModel) -> Resource<AdminBaseModelOut> {
    Resource {
        version: model.version,
        body: model.into(),
    }
}
