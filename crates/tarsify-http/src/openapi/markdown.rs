//! The document as a page for people: `API.md`.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use tarsify_domain::ErrorCode;

use super::document;
use super::operation::failures;
use crate::error::status_of;
use crate::route::{Access, Route};
use crate::routes::routes;

/// `API.md`, whole.
#[must_use]
pub fn markdown() -> String {
    let document = document();
    let mut page = String::from(HEAD);
    let mut tag = "";
    for route in &routes() {
        if route.tag != tag {
            tag = route.tag;
            line(&mut page, &format!("## {tag}\n"));
        }
        describe(&mut page, route, &document);
    }
    line(&mut page, "## Error codes\n");
    line(
        &mut page,
        "| Code | HTTP | `type` | May succeed later | Meaning |\n|---|---|---|---|---|",
    );
    for code in ErrorCode::ALL {
        let later = if code.is_retryable() { "yes" } else { "no" };
        let (name, status, class) = (code.as_str(), status_of(*code).as_u16(), code.class());
        line(
            &mut page,
            &format!(
                "| `{name}` | {status} | `{class}` | {later} | {} |",
                code.meaning()
            ),
        );
    }
    page
}

const HEAD: &str = "# The API

<!-- Made by `tarsify openapi --markdown` from the route table. Do not edit: scripts/test compares. -->

Every answer is JSON in an envelope: `{\"success\": true, \"data\": …}` with `meta` on lists, or
`{\"success\": false, \"error\": {\"code\", \"type\", \"message\", \"requestId\", \"retryable\", \"details\"?}}`.
Ask for `application/problem+json` in `Accept` to get failures as RFC 9457 documents.

- **Who.** Send `Authorization: Bearer <ID token>`. Consumers and developers have tokens of different projects.
- **Lists.** `page` and `limit`, or `cursor` with `meta.nextCursor` of the page before; the `Link` header holds the next page.
- **Versions.** Single things carry an `ETag`: send it as `If-None-Match` to read only what is new, and as `If-Match` to change only what nobody else changed.
- **Updates.** `PUT` and `PATCH` do the same: a field that is absent is kept, `null` clears it.
- **Repetitions.** What makes something takes an `Idempotency-Key`: a request that is sent again with the same key and body is answered as before. Refusals are not remembered.
- **Faults.** A refused body names every faulty field in `error.details.issues`.
- **Tracing.** Send `X-Request-Id` to find your request in the log; otherwise one is made. It is always answered.

The machine-readable document is at `/openapi.json`, an interactive one at `/docs`.

";

fn describe(page: &mut String, route: &Route, document: &Value) {
    let method = route.method.as_str();
    line(page, &format!("### {method} `{}`\n", route.path));
    line(page, &format!("{}.\n", route.summary));
    let aliases: Vec<_> = route
        .aliases
        .iter()
        .map(|alias| format!("`{alias}`"))
        .collect();
    let also = if aliases.is_empty() {
        String::new()
    } else {
        format!(" Also at {}.", aliases.join(", "))
    };
    line(page, &format!("{}{also}\n", who(route.access)));
    let operation = document
        .get("paths")
        .and_then(|paths| paths.get(route.path))
        .and_then(|item| item.get(method.to_lowercase()))
        .and_then(Value::as_object);
    if let Some(operation) = operation {
        parameters(page, operation);
        request(page, route, operation);
        response(page, operation);
    }
    let codes: Vec<_> = failures(route)
        .iter()
        .map(|code| format!("`{}`", code.as_str()))
        .collect();
    line(page, &format!("Fails with {}.\n", codes.join(", ")));
}

const fn who(access: Access) -> &'static str {
    match access {
        Access::Public => "For everybody.",
        Access::AnyConsumer => "For anybody with a consumer token.",
        Access::Consumer => "For registered consumers.",
        Access::AnyDeveloper => "For anybody with a developer token.",
        Access::Developer => "For registered developers.",
        Access::Admin => "For administrators.",
    }
}

fn parameters(page: &mut String, operation: &Map<String, Value>) {
    let all = operation.get("parameters").and_then(Value::as_array);
    let mut has_listed = false;
    for parameter in all.into_iter().flatten() {
        let part = |key: &str| {
            parameter
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (name, place, description) = (part("name"), part("in"), part("description"));
        match place {
            "query" => line(page, &format!("- `{name}`: {description}")),
            // The others are explained once, above.
            "header" if ["Prefer", "Idempotency-Key", "Stripe-Signature"].contains(&name) => {
                line(page, &format!("- `{name}` (header): {description}"));
            }
            _ => continue,
        }
        has_listed = true;
    }
    if has_listed {
        line(page, "");
    }
}

fn request(page: &mut String, route: &Route, operation: &Map<String, Value>) {
    let mut text = format!("{} {} HTTP/1.1\n", route.method, route.path);
    if route.access != Access::Public {
        text.push_str("Authorization: Bearer <ID token>\n");
    }
    let example = operation
        .get("requestBody")
        .and_then(|body| body.pointer("/content/application~1json/example"));
    if let Some(example) = example {
        text.push_str("Content-Type: application/json\n\n");
        text.push_str(&pretty(example));
        text.push('\n');
    }
    line(page, &format!("```http\n{text}```\n"));
}

fn response(page: &mut String, operation: &Map<String, Value>) {
    let responses = operation.get("responses").and_then(Value::as_object);
    let successes = responses
        .into_iter()
        .flatten()
        .filter(|(status, _)| status.starts_with('2'));
    for (status, response) in successes {
        match response.pointer("/content/application~1json/example") {
            Some(example) => line(
                page,
                &format!("Answers {status}:\n\n```json\n{}\n```\n", pretty(example)),
            ),
            None if response.pointer("/content").is_some() => {
                let description = response.get("description").and_then(Value::as_str);
                let description = description.unwrap_or_default();
                line(page, &format!("Answers {status}: {description}\n"));
            }
            None => line(page, &format!("Answers {status} without a body.\n")),
        }
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn line(page: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{text}");
}
