//! Around the whole application: the request id, the form of every failure, the headers that
//! every answer carries, and the request's line in the log.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use tarsify_domain::{Clock, ErrorCode};
use tracing::Instrument;
use uuid::Uuid;

use crate::app::{HttpSettings, Tools};
use crate::error::{Failure, render, wants_problem};
use crate::etag::ETag;
use crate::middleware::access::Caller;
use crate::middleware::{late, traced};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Marks an answer as a page for people: it says by itself what failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page;

/// Answers every request of the application in the same manner.
///
/// # Errors
/// Never by itself: an error of the framework is passed on and answered by the framework.
pub async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let tools = request
        .app_data::<Data<Tools>>()
        .map(|tools| Arc::clone(tools));
    let request_id = request_id(request.headers(), tools.as_deref());
    let as_problem = wants_problem(request.headers());

    let span = traced::begin(&request, tools.as_deref());
    let answering = next.call(request).instrument(span.clone());
    let mut response = answering.await?.map_into_boxed_body();
    let fails = response.status().is_client_error() || response.status().is_server_error();
    let is_page = response.response().extensions().contains::<Page>();
    let causes = if fails && !is_page {
        let failure = failure_of(&mut response);
        let causes = failure.causes.clone();
        response = write_failure(response, &failure, &request_id, as_problem);
        causes
    } else {
        None
    };
    finish_headers(
        response.headers_mut(),
        &request_id,
        tools.as_deref().map(|tools| &tools.settings),
    );
    late::part(&mut response);
    let route = response.request().match_pattern();
    if let Some(tools) = &tools {
        let (asked, status) = (response.request().method(), response.status().as_u16());
        let http = &tools.metrics.http;
        http.answered((asked, route.as_deref()), status, started.elapsed());
    }
    let line = Line {
        route: route.as_deref().unwrap_or("unknown"),
        request_id: &request_id,
        started,
        causes: causes.as_deref(),
    };
    traced::end(&span, &response);
    span.in_scope(|| line.log(&response));
    Ok(response)
}

/// The caller's own id when it is harmless, otherwise a new one.
fn request_id(headers: &HeaderMap, tools: Option<&Tools>) -> String {
    let harmless = |id: &&str| {
        (1..=128).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    let sent = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(harmless);
    sent.map_or_else(
        || new_request_id(tools.map(|tools| tools.clock.as_ref())),
        str::to_owned,
    )
}

fn new_request_id(clock: Option<&dyn Clock>) -> String {
    let moment = clock.map_or((0, 0), |clock| {
        let now = clock.now();
        (
            u64::try_from(now.unix_timestamp()).unwrap_or(0),
            now.nanosecond(),
        )
    });
    let stamp = uuid::Timestamp::from_unix(uuid::NoContext, moment.0, moment.1);
    Uuid::new_v7(stamp).simple().to_string()
}

/// What failed: the handler said so, or the framework answered by itself.
fn failure_of(response: &mut ServiceResponse<BoxBody>) -> Failure {
    if let Some(failure) = response.response_mut().extensions_mut().remove::<Failure>() {
        return failure;
    }
    let code = match response.status() {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::PayloadTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedMediaType,
        status if status.is_client_error() => ErrorCode::Validation,
        _ => ErrorCode::Internal,
    };
    // What a framework says of a bad request may hold parts of it.
    let causes = response
        .response()
        .error()
        .filter(|_| response.status().is_server_error())
        .map(ToString::to_string);
    Failure {
        code,
        class: code.class(),
        message: Cow::Borrowed(code.meaning()),
        details: None,
        causes,
    }
}

fn write_failure(
    response: ServiceResponse<BoxBody>,
    failure: &Failure,
    request_id: &str,
    as_problem: bool,
) -> ServiceResponse<BoxBody> {
    let (body, content_type) = render(failure, request_id, as_problem);
    let mut response = response.map_body(|_head, _body| BoxBody::new(body));
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_ENCODING);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.append(header::VARY, HeaderValue::from_static("accept"));
    response
}

fn finish_headers(headers: &mut HeaderMap, request_id: &str, settings: Option<&HttpSettings>) {
    let coded = match (
        headers.get(header::ETAG),
        headers.get(header::CONTENT_ENCODING),
    ) {
        (Some(tag), Some(coding)) => coding
            .to_str()
            .ok()
            .and_then(|coding| ETag::coded(tag, coding)),
        _ => None,
    };
    if let Some(tag) = coded {
        headers.insert(header::ETAG, tag);
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value))
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(
        PERMISSIONS_POLICY,
        "camera=(), geolocation=(), microphone=()",
    );
    if settings.is_some_and(|settings| settings.hsts) {
        set(
            header::STRICT_TRANSPORT_SECURITY,
            "max-age=31536000; includeSubDomains",
        );
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// One line for each request; never a body, a token, a query or an address of a person.
struct Line<'a> {
    route: &'a str,
    request_id: &'a str,
    started: Instant,
    causes: Option<&'a str>,
}

impl Line<'_> {
    fn log(self, response: &ServiceResponse<BoxBody>) {
        let Self {
            route,
            request_id,
            started,
            causes,
        } = self;
        let request = response.request();
        let extensions = request.extensions();
        let caller = extensions.get::<Caller>();
        let kind = caller.map_or("anonymous", |caller| caller.kind);
        let id = caller.map_or("", |caller| caller.id.as_str());
        let method = request.method().as_str();
        let status = response.status().as_u16();
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        macro_rules! line {
            ($level:ident, $message:literal) => {
                tracing::event!(
                    tracing::Level::$level,
                    method,
                    route,
                    status,
                    duration_ms,
                    request_id,
                    principal = kind,
                    principal_id = id,
                    causes,
                    $message
                )
            };
        }
        if status >= 500 {
            line!(ERROR, "request failed");
        } else if causes.is_some() {
            line!(WARN, "request refused");
        } else {
            line!(INFO, "request");
        }
    }
}
