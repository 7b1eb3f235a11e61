//! Whoever comes on a new connection when the process has long said that it is about to stop: he
//! is sent elsewhere. Requests on older connections are served.

use actix_web::Error;
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::error::ApiError;
use crate::lifecycle::{Connection, Lifecycle};

/// Who asks here looks at the process and wants nothing of it.
const OBSERVERS: [&str; 4] = ["/health", "/health/live", "/livez", "/metrics"];

/// Refuses requests on connections that were made after [`Lifecycle::turn_away`].
///
/// # Errors
/// Never by itself.
pub async fn turn_away<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let connection = request.conn_data::<Connection>();
    let is_late = connection.is_some_and(Connection::came_late);
    if is_late && !OBSERVERS.contains(&request.path()) {
        let refusal = ApiError::unavailable().saying(
            "This process is about to stop: send the request again, on another connection.",
        );
        return Ok(request.error_response(refusal).map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

/// Has the connection of an answer end with it when the process is about to stop: whoever sends the
/// next request then has to look for who serves him.
pub(crate) fn part(response: &mut ServiceResponse<BoxBody>) {
    let lifecycle = response.request().app_data::<Data<Lifecycle>>();
    if lifecycle.is_some_and(|lifecycle| lifecycle.is_draining()) {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
}
