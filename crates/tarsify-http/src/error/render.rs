//! How a failure is written: in the envelope, or as an RFC 9457 problem document for callers
//! who ask for one.

use actix_web::http::header::{self, HeaderMap};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Failure;
use super::table::status_of;

/// The answer to a failed request.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorEnvelope<'a> {
    /// Always false.
    #[schema(example = false)]
    success: bool,
    /// What failed.
    error: ErrorOut<'a>,
}

/// What failed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorOut<'a> {
    /// The number of the failure; it never changes.
    #[schema(example = "ERR_1001")]
    code: &'a str,
    /// The class of the failure in words.
    #[serde(rename = "type")]
    #[schema(example = "validation_error")]
    class: &'a str,
    /// What failed and how to mend it, for people.
    message: &'a str,
    /// Finds the request in the log.
    #[schema(example = "0198b2c4d5e67f8091a2b3c4d5e6f708")]
    request_id: &'a str,
    /// Whether the same request may succeed later without any change.
    #[schema(example = false)]
    retryable: bool,
    /// More about the failure, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    details: Option<&'a Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: String,
    code: &'a str,
    request_id: &'a str,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a Value>,
}

/// Whether the caller would rather have a problem document than the envelope: he names it, and
/// does not like plain JSON better.
pub(crate) fn wants_problem(headers: &HeaderMap) -> bool {
    let problem = weight(headers, "application/problem+json");
    problem > 0.0 && problem >= weight(headers, "application/json")
}

/// How much the caller likes a media type that he names; 0 when he does not.
fn weight(headers: &HeaderMap, media_type: &str) -> f32 {
    let values = headers.get_all(header::ACCEPT);
    let ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    ranges
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            parts
                .next()
                .filter(|name| name.eq_ignore_ascii_case(media_type))?;
            let quality = parts.find_map(|part| part.strip_prefix("q="));
            Some(quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0)))
        })
        .fold(0.0, f32::max)
}

/// Writes the failure; gives the body and its content type.
pub(crate) fn render(
    failure: &Failure,
    request_id: &str,
    as_problem: bool,
) -> (Vec<u8>, &'static str) {
    let Failure {
        code,
        class,
        message,
        details,
        causes: _,
    } = failure;
    let details = details.as_deref();
    let written = if as_problem {
        serde_json::to_vec(&Problem {
            kind: format!("urn:tarsify:error:{class}"),
            title: code.meaning(),
            status: status_of(*code).as_u16(),
            detail: message,
            instance: format!("urn:tarsify:request:{request_id}"),
            code: code.as_str(),
            request_id,
            retryable: code.is_retryable(),
            details,
        })
    } else {
        serde_json::to_vec(&ErrorEnvelope {
            success: false,
            error: ErrorOut {
                code: code.as_str(),
                class,
                message,
                request_id,
                retryable: code.is_retryable(),
                details,
            },
        })
    };
    let content_type = if as_problem {
        "application/problem+json"
    } else {
        "application/json"
    };
    // Every part is text or JSON already, so writing it cannot fail.
    (written.unwrap_or_default(), content_type)
}
