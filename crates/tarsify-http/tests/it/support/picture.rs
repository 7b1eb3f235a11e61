//! What of an answer is compared with its snapshot. Whatever differs from run to run is
//! hidden, after its form was checked.

use serde_json::{Map, Value, json};

use super::Reply;

const TELLING: [&str; 10] = [
    "location",
    "etag",
    "cache-control",
    "allow",
    "www-authenticate",
    "retry-after",
    "link",
    "content-type",
    "preference-applied",
    "idempotency-replayed",
];

/// Status, telling headers and body.
pub(crate) fn shown(reply: &Reply) -> Value {
    let mut headers = Map::new();
    for name in TELLING {
        let value = reply.header(name);
        if !value.is_empty() {
            headers.insert(name.to_owned(), header(name, value));
        }
    }
    let body = if reply.body.is_empty() {
        Value::Null
    } else {
        hidden("", reply.json())
    };
    if reply.status >= 400 {
        let id = reply.header("x-request-id");
        let body = reply.json();
        let told = &body["error"]["requestId"];
        assert_eq!(told, id, "the body names another request");
    }
    json!({ "status": reply.status, "headers": headers, "body": body })
}

fn header(name: &str, value: &str) -> Value {
    match name {
        "location" => match value.rsplit_once('/') {
            Some((place, id)) if is_uuid(id) => json!(format!("{place}/[id]")),
            _ => json!(value),
        },
        "etag" => {
            let opaque = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            let (version, digest) = opaque.split_once('-').map_or(("", opaque), |parts| parts);
            assert!(digest.len() == 24 && digest.bytes().all(|b| b.is_ascii_hexdigit()));
            let version = if version.is_empty() {
                String::new()
            } else {
                format!("{version}-")
            };
            json!(format!("\"{version}[digest]\""))
        }
        _ => json!(value),
    }
}

fn hidden(key: &str, value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| {
                let value = hidden(&key, value);
                (key, value)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(|item| hidden(key, item)).collect(),
        Value::String(text) => match key {
            // A place in the ledger.
            "id" if text.bytes().all(|byte| byte.is_ascii_digit()) => json!("[number]"),
            "id" | "developerId" | "baseModelId" | "executionId" | "consumerId" | "testerId"
            | "endpointId" | "packageId" | "grantId" | "referenceId" => {
                assert!(is_uuid(&text), "{key} is {text:?}");
                json!("[id]")
            }
            // Ours, or the provider's.
            "jobId" if is_uuid(&text) => json!("[id]"),
            "self" | "status" | "events" | "cancel" if text.starts_with("/api/") => {
                let parts = text.split('/');
                let parts: Vec<_> = parts
                    .map(|part| if is_uuid(part) { "[id]" } else { part })
                    .collect();
                json!(parts.join("/"))
            }
            // The end of it is an id.
            "checkoutUrl" | "onboardingUrl" => {
                let (place, id) = text.split_at(text.len() - 36);
                assert!(is_uuid(id), "{key} is {text:?}");
                json!(format!("{place}[id]"))
            }
            "requestId" => {
                let plain = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
                assert!(plain, "{key} is {text:?}");
                json!("[request id]")
            }
            "createdAt" | "updatedAt" | "publishedAt" | "startedAt" | "completedAt"
            | "deadlineAt" | "nextActionAt" | "leaseUntil" | "cancelRequestedAt" | "calledAt"
            | "missingSince" | "at" | "paidAt" | "requestedAt" | "expiresAt" => {
                assert!(is_moment(&text), "{key} is {text:?}");
                json!("[moment]")
            }
            _ => Value::String(text),
        },
        Value::Number(number) if key == "tookMs" => {
            assert!(number.is_u64(), "{key} is {number}");
            json!("[duration]")
        }
        other => other,
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::parse_str(text).is_ok_and(|id| id.get_version_num() == 7)
}

/// RFC 3339 in UTC with milliseconds: the form, digit by digit.
fn is_moment(text: &str) -> bool {
    let form = "dddd-dd-ddTdd:dd:dd.dddZ";
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, wanted)| {
            if wanted == b'd' {
                byte.is_ascii_digit()
            } else {
                byte == wanted
            }
        })
}
