//! Finds the words in an error, whatever its shape, and the names of machines that come with it.

use std::borrow::Cow;

use serde_json::Value;

/// Where errors keep their words, the best first.
const WORDS: [&str; 8] = [
    "error_message",
    "errorMessage",
    "message",
    "error",
    "detail",
    "title",
    "msg",
    "reason",
];
/// Where they name machines.
const NAMES: [&str; 10] = [
    "hostname",
    "host",
    "worker_id",
    "workerId",
    "pod_id",
    "podId",
    "machine_id",
    "machineId",
    "container_id",
    "ip",
];
/// What only reports of workers hold.
const REPORT: [&str; 5] = [
    "error_traceback",
    "runpod_version",
    "worker_id",
    "hostname",
    "error_type",
];
/// How deep errors are looked into.
const DEEPEST: u32 = 4;
/// The longest text that is read as JSON.
const LONGEST_JSON: usize = 1024 * 1024;

/// The words in an error.
pub(super) fn text(error: &Value) -> Option<Cow<'_, str>> {
    text_within(error, DEEPEST)
}

fn text_within(error: &Value, depth: u32) -> Option<Cow<'_, str>> {
    let depth = depth.checked_sub(1)?;
    match error {
        Value::Null | Value::Bool(_) => None,
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::String(text) => match parsed(text) {
            Some(inner) => text_within(&inner, depth).map(|text| Cow::Owned(text.into_owned())),
            None => Some(Cow::Borrowed(text.as_str())).filter(|text| !text.trim().is_empty()),
        },
        Value::Array(items) => items.iter().find_map(|item| text_within(item, depth)),
        Value::Object(fields) => WORDS
            .iter()
            .find_map(|key| text_within(fields.get(*key)?, depth)),
    }
}

/// The names of machines in an error.
pub(super) fn names(error: &Value, found: &mut Vec<String>) {
    names_within(error, DEEPEST, found);
}

fn names_within(error: &Value, depth: u32, found: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    match error {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(name) if NAMES.contains(&key.as_str()) => {
                        found.push(name.clone());
                    }
                    other => names_within(other, depth, found),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                names_within(item, depth, found);
            }
        }
        Value::String(text) => {
            if let Some(inner) = parsed(text) {
                names_within(&inner, depth, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a text holds when it is JSON, as the reports of official workers are.
fn parsed(text: &str) -> Option<Value> {
    let text = text.trim();
    if !text.starts_with(['{', '[', '"']) || text.len() > LONGEST_JSON {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// A text up to where a worker's report begins that could not be read as one.
pub(super) fn before_report(text: &str) -> &str {
    let marks = REPORT.iter().flat_map(|key| {
        let found = text.match_indices(key);
        found.filter_map(|(at, key)| is_quoted(text, at, key.len()).then_some(at))
    });
    let Some(mark) = marks.min() else {
        return text;
    };
    let (before, _) = text.split_at(mark);
    let (before, _) = before.split_at(before.rfind('{').unwrap_or(mark));
    before
}

fn is_quoted(text: &str, at: usize, length: usize) -> bool {
    let bytes = text.as_bytes();
    let is_quote = |at: usize| matches!(bytes.get(at), Some(b'"' | b'\'' | b'\\'));
    at.checked_sub(1).is_some_and(is_quote) && is_quote(at + length)
}
