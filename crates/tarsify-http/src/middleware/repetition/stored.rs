//! An answer as it is kept: one line of JSON with its status and headers, then its body.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tarsify_domain::idempotency::StoredAnswer;

use super::IDEMPOTENCY_REPLAYED;
use crate::error::ApiError;

/// The headers that belong to an answer; all others are made anew for each request.
const KEPT: [HeaderName; 3] = [header::LOCATION, header::ETAG, header::CONTENT_TYPE];

#[derive(Serialize, Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

#[derive(Debug, thiserror::Error)]
#[error("an answer that was kept for repetitions cannot be read")]
struct Unreadable;

/// Writes an answer down.
pub(super) fn answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> StoredAnswer {
    let kept = KEPT.iter().filter_map(|name| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let head = Head {
        status: status.as_u16(),
        headers: kept.collect(),
    };
    // Texts and a number: writing them cannot fail.
    let mut written = serde_json::to_vec(&head).unwrap_or_default();
    written.push(b'\n');
    written.extend_from_slice(body);
    StoredAnswer(written)
}

/// The answer once more.
///
/// # Errors
/// When it is none that [`answer`] has written.
pub(super) fn replay(answer: &StoredAnswer) -> Result<HttpResponse, ApiError> {
    let unreadable = || ApiError::internal(Unreadable);
    let StoredAnswer(written) = answer;
    let end = written.iter().position(|byte| *byte == b'\n');
    let (head, body) = end
        .and_then(|end| written.split_at_checked(end))
        .ok_or_else(unreadable)?;
    let head: Head = serde_json::from_slice(head).map_err(ApiError::internal)?;
    let status = StatusCode::from_u16(head.status).map_err(ApiError::internal)?;
    let mut response = HttpResponse::build(status);
    for (name, value) in &head.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response.insert_header((IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true")));
    let body = body.get(1..).unwrap_or_default();
    Ok(response.body(Bytes::copy_from_slice(body)))
}

#[cfg(test)]
mod tests;
