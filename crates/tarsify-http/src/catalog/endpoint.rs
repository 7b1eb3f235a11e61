//! Endpoints, for administrators.

mod wire;

use actix_web::web::Data;
use tarsify_domain::catalog::{Endpoint, Endpoints};
use tarsify_domain::id::EndpointId;

pub(crate) use wire::{
    CreateEndpointIn, EndpointLimitsOut, EndpointOut, EndpointsQueryIn, UpdateEndpointIn,
};

use crate::envelope::{Created, Listed, NoContent, Resource};
use crate::error::ApiError;
use crate::extract::{Administrator, IfMatch, PathId, Query, Valid};

/// Registers an endpoint.
pub(crate) async fn create_endpoint(
    endpoints: Data<Endpoints>,
    _admin: Administrator,
    Valid(body): Valid<CreateEndpointIn>,
) -> Result<Created<EndpointOut>, ApiError> {
    let endpoint = endpoints.register(body.into()).await?;
    let location = format!("/api/admin/endpoints/{}", endpoint.id);
    Ok(Created {
        version: endpoint.version,
        location,
        body: endpoint.into(),
    })
}

/// Lists endpoints, newest first.
pub(crate) async fn list_endpoints(
    endpoints: Data<Endpoints>,
    _admin: Administrator,
    Query(EndpointsQueryIn { page }): Query<EndpointsQueryIn>,
) -> Result<Listed<EndpointOut>, ApiError> {
    Ok(Listed::new(endpoints.list(&page).await?, &page))
}

/// Shows an endpoint.
pub(crate) async fn show_endpoint(
    endpoints: Data<Endpoints>,
    _admin: Administrator,
    path: PathId<EndpointId>,
) -> Result<Resource<EndpointOut>, ApiError> {
    Ok(resource(endpoints.find(path.id()?).await?))
}

/// Changes an endpoint: absent keeps, null clears.
pub(crate) async fn update_endpoint(
    endpoints: Data<Endpoints>,
    _admin: Administrator,
    Valid(body): Valid<UpdateEndpointIn>,
    path: PathId<EndpointId>,
    IfMatch(expected): IfMatch,
) -> Result<Resource<EndpointOut>, ApiError> {
    Ok(resource(
        endpoints.revise(path.id()?, &expected, body.into()).await?,
    ))
}

/// Switches an endpoint off.
pub(crate) async fn delete_endpoint(
    endpoints: Data<Endpoints>,
    _admin: Administrator,
    path: PathId<EndpointId>,
    IfMatch(expected): IfMatch,
) -> Result<NoContent, ApiError> {
    endpoints.retire(path.id()?, &expected).await?;
    Ok(NoContent)
}

fn resource(endpoint: Endpoint) -> Resource<EndpointOut> {
    Resource {
        version: endpoint.version,
        body: endpoint.into(),
    }
}
