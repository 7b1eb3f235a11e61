//! What whoever tests with the emulator calls: an endpoint's behaviour and counts.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::body;
use super::call::authorise_client;
use super::refusal::Refusal;
use crate::Behaviour;
use crate::emulator::Shared;

const LARGEST_BEHAVIOUR: usize = 1024 * 1024;

/// How an endpoint behaves, and what was asked of it.
pub(super) async fn show_endpoint(
    request: HttpRequest,
    shared: Data<Shared>,
    endpoint: Path<String>,
) -> Result<HttpResponse, Refusal> {
    authorise_client(&shared, request.headers())?;
    let endpoint = shared.endpoint(&endpoint).map_err(Refusal::Behaviour)?;
    Ok(HttpResponse::Ok().json(endpoint.view()))
}

/// Sets how an endpoint behaves from now on, as a whole.
pub(super) async fn set_endpoint(
    request: HttpRequest,
    shared: Data<Shared>,
    endpoint: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Refusal> {
    authorise_client(&shared, request.headers())?;
    let bytes = body::bytes(payload, LARGEST_BEHAVIOUR).await?;
    let behaviour: Behaviour = serde_json::from_slice(&bytes)
        .map_err(|error| Refusal::Bad(format!("this is not a behaviour: {error}")))?;
    behaviour.check().map_err(Refusal::Behaviour)?;
    shared
        .set_behaviour(&endpoint, behaviour)
        .map_err(Refusal::Behaviour)?;
    let endpoint = shared.endpoint(&endpoint).map_err(Refusal::Behaviour)?;
    Ok(HttpResponse::Ok().json(endpoint.view()))
}
