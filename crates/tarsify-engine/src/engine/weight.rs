//! What JSON takes in memory, for caches that are bounded in bytes.

use serde_json::{Map, Value};

/// What a value takes in memory, about.
pub(super) fn size(value: &Value) -> usize {
    let beside = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(object) => members(object),
    };
    size_of::<Value>() + beside
}

/// The same of the members of an object.
pub(super) fn members(object: &Map<String, Value>) -> usize {
    let members = object.iter();
    let members = members.map(|(name, value)| 2 * size_of::<String>() + name.len() + size(value));
    members.sum()
}
