//! What a request to run a model is remembered by: who sends it, for what, and a hash of what
//! it would do. How long the caller waits for the answer is no part of it.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tarsify_domain::id::{ConsumerId, DeveloperId, TarsModelId};
use tarsify_domain::idempotency::{IdempotencyClaim, IdempotencyKey};
use tarsify_domain::text::Slug;

/// The claim of a consumer's run.
pub(crate) fn of_run(
    consumer: ConsumerId,
    slug: &Slug,
    inputs: &Map<String, Value>,
    key: IdempotencyKey,
) -> IdempotencyClaim {
    IdempotencyClaim {
        principal: format!("consumer:{consumer}"),
        route: format!("POST /api/marketplace/models/{slug}/run"),
        key,
        fingerprint: fingerprint(slug.as_str(), inputs),
    }
}

/// The claim of a developer's test run.
pub(crate) fn of_test_run(
    developer: DeveloperId,
    model: TarsModelId,
    inputs: &Map<String, Value>,
    key: IdempotencyKey,
) -> IdempotencyClaim {
    IdempotencyClaim {
        principal: format!("developer:{developer}"),
        route: format!("POST /api/studio/tars-models/{model}/test-run"),
        key,
        fingerprint: fingerprint(&model.to_string(), inputs),
    }
}

fn fingerprint(model: &str, inputs: &Map<String, Value>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(model.as_bytes());
    hash.update(b"\n");
    feed_object(&mut hash, inputs);
    hash.finalize().into()
}

/// The same value has the same hash, in whatever order its fields stand.
fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(fields) => feed_object(hash, fields),
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                feed(hash, item);
                hash.update(b",");
            }
            hash.update(b"]");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            hash.update(value.to_string().as_bytes());
        }
    }
}

fn feed_object(hash: &mut Sha256, fields: &Map<String, Value>) {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_by_key(|(key, _)| *key);
    hash.update(b"{");
    for (key, value) in sorted {
        hash.update(Value::from(key.as_str()).to_string().as_bytes());
        hash.update(b":");
        feed(hash, value);
        hash.update(b",");
    }
    hash.update(b"}");
}

#[cfg(test)]
mod tests;
