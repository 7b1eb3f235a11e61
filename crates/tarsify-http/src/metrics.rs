//! What `/metrics` tells, and to whom. What is counted of requests and streams is here as well;
//! everything else is put into the registry by whoever builds the application.

mod requests;
mod token;

use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tarsify_domain::ErrorCode;

use crate::app::Tools;
use crate::error::ApiError;
use crate::middleware::access::bearer;

pub(crate) use requests::{HttpMetrics, OpenStream, StreamKind, method_label};
use token::TokenHash;

/// As the OpenMetrics text format wants it to be called.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What whoever is not let in has to do.
const HOW: &str = "Send exactly one header of the form: Authorization: Bearer <token>, with the \
    operator's token of /metrics (METRICS_AUTH_TOKEN).";

/// What is measured, and who may read it; shared by all of the server's threads.
pub struct Metrics {
    pub(crate) http: HttpMetrics,
    registry: Registry,
    token: Option<TokenHash>,
}

impl Metrics {
    /// Tells what stands in `registry`, and what is measured of requests besides, to whoever has
    /// `token`; to everybody when there is none.
    #[must_use]
    pub fn new(mut registry: Registry, token: Option<&str>) -> Self {
        let http = HttpMetrics::new();
        http.register(&mut registry);
        Self {
            http,
            registry,
            token: token.map(TokenHash::of),
        }
    }

    fn admit(&self, request: &HttpRequest) -> Result<(), ApiError> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let shown = bearer(request).map_err(|refusal| refusal.saying(HOW))?;
        if token.is_of(&shown) {
            return Ok(());
        }
        let refusal = ApiError::new(ErrorCode::InvalidToken);
        Err(refusal.saying(HOW).challenging())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(Registry::default(), None)
    }
}

/// Tells what was measured, in the text format that Prometheus reads.
pub(crate) async fn show_metrics(
    request: HttpRequest,
    tools: Data<Tools>,
) -> Result<HttpResponse, ApiError> {
    let metrics = &tools.metrics;
    metrics.admit(&request)?;
    let mut page = String::new();
    encode(&mut page, &metrics.registry).map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, OPEN_METRICS))
        .body(page))
}
