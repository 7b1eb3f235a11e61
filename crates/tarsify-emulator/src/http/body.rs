//! Reads bodies: up to their limit, and as JSON whatever their content type says.

use actix_web::web::{Bytes, Payload};
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The whole body, unless it is larger.
pub(super) async fn bytes(payload: Payload, limit: usize) -> Result<Bytes, Refusal> {
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Refusal::Unreadable(error.to_string())),
        Err(_) => Err(Refusal::TooLarge(limit)),
    }
}

pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Refusal::Bad(
            "the body is JSON but not an object: send {\"input\": {…}}".to_owned(),
        )),
        Err(error) => Err(Refusal::Unreadable(format!("it is not JSON ({error})"))),
    }
}
