//! Reads bodies: up to their limit, and as JSON whatever their content type says.

use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The whole body, unless it is larger. What is too large is read on for a while all the same: a
/// client that still sends when the connection closes would lose the answer.
pub(super) async fn bytes(mut payload: Payload, limit: usize) -> Result<Bytes, Refusal> {
    let mut body = BytesMut::new();
    let mut length = 0_usize;
    while let Some(part) = payload.next().await {
        let part = part.map_err(|error| Refusal::Unreadable(error.to_string()))?;
        length = length.saturating_add(part.len());
        if length <= limit {
            body.extend_from_slice(&part);
        } else if length > limit.saturating_mul(4) {
            break;
        }
    }
    if length > limit {
        return Err(Refusal::TooLarge(limit));
    }
    Ok(body.freeze())
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
