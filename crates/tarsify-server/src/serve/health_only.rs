//! What a worker answers: whether it is well, what it measured, and nothing else.

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use tarsify_domain::ErrorCode;
use tarsify_http::ApiError;

const HEALTH: [&str; 6] = [
    "/health",
    "/health/live",
    "/health/ready",
    "/livez",
    "/readyz",
    "/metrics",
];

/// Lets questions about the health of the process through.
pub(super) async fn health_only<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if HEALTH.contains(&request.path()) {
        let answer = next.call(request).await?;
        return Ok(answer.map_into_left_body());
    }
    let refusal = ApiError::new(ErrorCode::NotFound)
        .saying("This process is a worker: it answers /health, /livez, /readyz and /metrics only.");
    Ok(request.error_response(refusal).map_into_right_body())
}
