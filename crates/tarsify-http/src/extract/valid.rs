//! A JSON body that has the form it needs.
//!
//! A body is parsed into domain values, not validated and parsed again: see
//! `docs/decisions`, "Bodies are parsed, not validated".

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::rt::time::timeout;
use actix_web::{FromRequest, HttpRequest};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde_json::{Map, Value};
use tarsify_domain::{ErrorCode, Misfit};

use super::fields::Fields;
use super::json;
use crate::error::ApiError;

/// Bytes that a body may have.
pub(crate) const MAX_BYTES: usize = 1_000_000;

/// Something that can be read from a JSON object.
pub(crate) trait Body: Sized + 'static {
    /// Whether no body at all means the same as `{}`.
    const MAY_BE_ABSENT: bool = false;

    /// Reads every field before giving up, so that every fault is noted.
    fn read(fields: &mut Fields) -> Option<Self>;
}

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(15);

/// A body that was read without a fault.
pub(crate) struct Valid<T>(pub(crate) T);

impl<T: Body> FromRequest for Valid<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let object = read_object(&request, payload, T::MAY_BE_ABSENT).await?;
            let mut fields = Fields::new(object);
            let read = T::read(&mut fields);
            let issues = fields.into_issues();
            match read {
                Some(body) if issues.is_empty() => Ok(Self(body)),
                _ => Err(ApiError::faults(ErrorCode::Validation, issues)),
            }
        })
    }
}

async fn read_object(
    request: &HttpRequest,
    payload: Payload,
    may_be_absent: bool,
) -> Result<Map<String, Value>, ApiError> {
    let bytes = read_body(request, payload, may_be_absent).await?;
    if bytes.is_empty() && may_be_absent {
        return Ok(Map::new());
    }
    match json::parse(&bytes).map_err(ApiError::fault)? {
        Value::Object(object) => Ok(object),
        _ => Err(ApiError::fault(
            Misfit::new("type", "must be a JSON object").at(""),
        )),
    }
}

/// The bytes of a body that says it is JSON and is not too large; none when there is no body
/// and there need not be one.
pub(crate) async fn read_body(
    request: &HttpRequest,
    payload: Payload,
    may_be_absent: bool,
) -> Result<Bytes, ApiError> {
    let media_type = request.headers().get(header::CONTENT_TYPE);
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let nothing = declared.is_none_or(|length| length == "0")
        && !request.headers().contains_key(header::TRANSFER_ENCODING);
    if nothing && may_be_absent {
        return Ok(Bytes::new());
    }
    let is_json = media_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(is_json);
    if !is_json {
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType));
    }
    refuse_coded(request)?;
    read_at_most(request, payload, MAX_BYTES).await
}

/// No coding is undone here: what a few bytes would become could not be bounded before.
fn refuse_coded(request: &HttpRequest) -> Result<(), ApiError> {
    let mut codings = request.headers().get_all(header::CONTENT_ENCODING);
    let is_plain = codings.all(|coding| {
        let coding = coding.as_bytes().trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    });
    if is_plain {
        return Ok(());
    }
    let identity = HeaderValue::from_static("identity");
    Err(ApiError::new(ErrorCode::UnsupportedMediaType)
        .saying("Send the body as it is: without Content-Encoding.")
        .with_header(header::ACCEPT_ENCODING, identity))
}

/// The bytes of a body of any kind that is not larger than `most`.
pub(crate) async fn read_at_most(
    request: &HttpRequest,
    payload: Payload,
    most: usize,
) -> Result<Bytes, ApiError> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let too_large = declared
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok())
        .is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > most));
    if too_large {
        return Err(ApiError::new(ErrorCode::PayloadTooLarge));
    }
    let bytes = timeout(PATIENCE, read_bytes(payload, most)).await;
    let bytes = bytes.map_err(|_elapsed| {
        let message = format!("did not arrive within {} seconds", PATIENCE.as_secs());
        ApiError::fault(Misfit::new("timeout", message).at(""))
    })??;
    Ok(bytes.freeze())
}

fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

async fn read_bytes(mut payload: Payload, most: usize) -> Result<BytesMut, ApiError> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            let message = format!("could not be read to its end: {error}");
            ApiError::fault(Misfit::new("syntax", message).at(""))
        })?;
        if bytes.len() + chunk.len() > most {
            return Err(ApiError::new(ErrorCode::PayloadTooLarge));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
