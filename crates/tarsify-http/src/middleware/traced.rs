//! The span of a request: what it was and how it was answered, and nothing of its address, headers
//! or body. Where a trace comes in with it, it goes on.

use actix_web::HttpMessage;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use tarsify_domain::TraceParent;
use tarsify_domain::trace::TRACES;
use tracing::Span;

use crate::app::Tools;
use crate::metrics::method_label;
use crate::middleware::access::Caller;

const TRACE_PARENT: &str = "traceparent";

/// The span of the request, which goes on from where the caller says that it comes from. Whoever
/// asks whether we are well, or for metrics, asks for nothing that anybody follows.
pub(super) fn begin(request: &ServiceRequest, tools: Option<&Tools>) -> Span {
    if !request.path().starts_with("/api/") {
        return Span::none();
    }
    let span = tracing::trace_span!(
        target: TRACES,
        parent: None,
        "request",
        otel.name = name(request),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = method_label(request.method()),
        http.route = request.match_pattern().as_deref().unwrap_or("unknown"),
        http.response.status_code = tracing::field::Empty,
        principal = tracing::field::Empty,
    );
    if let Some(tools) = tools
        && !span.is_disabled()
        && let Some(parent) = parent(request.headers())
    {
        tools.tracing.continue_from(&span, &parent);
    }
    span
}

/// Notes how it was answered.
pub(super) fn end(span: &Span, response: &ServiceResponse<BoxBody>) {
    if span.is_disabled() {
        return;
    }
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    let extensions = response.request().extensions();
    let kind = extensions.get::<Caller>().map(|caller| caller.kind);
    span.record("principal", kind.unwrap_or("anonymous"));
}

/// Such as `POST /api/marketplace/models/{slug}/run`: there are as many as there are routes.
fn name(request: &ServiceRequest) -> String {
    let route = request.match_pattern();
    let route = route.as_deref().unwrap_or("unknown");
    format!("{} {route}", method_label(request.method()))
}

/// The caller's word, where there is exactly one and it has the form.
fn parent(headers: &HeaderMap) -> Option<TraceParent> {
    let mut sent = headers.get_all(TRACE_PARENT);
    let only = sent.next().filter(|_| sent.next().is_none())?;
    TraceParent::parse(only.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests;
