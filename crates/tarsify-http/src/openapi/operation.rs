//! One operation of the document.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tarsify_domain::ErrorCode as Code;

use super::{example, parameters};
use crate::error::{ErrorEnvelope, Failure, render, status_of};
use crate::extract::valid;
use crate::route::{Access, Described, OtherAnswer, Repetition, Route, Shape};
use utoipa::ToSchema;

/// Describes a route at one of its addresses.
pub(crate) fn describe(route: &Route, path: &str, schemas: &Map<String, Value>) -> Value {
    let mut operation = Map::new();
    operation.insert("tags".into(), json!([route.tag]));
    operation.insert("summary".into(), json!(route.summary));
    operation.insert("operationId".into(), json!(operation_id(route, path)));
    let parameters = parameters_of(route, path);
    if !parameters.is_empty() {
        operation.insert("parameters".into(), Value::Array(parameters));
    }
    if let Some(body) = &route.body {
        operation.insert("requestBody".into(), request_body(route, body, schemas));
    }
    operation.insert("responses".into(), responses(route, schemas));
    if let Some(scheme) = scheme(route.access) {
        operation.insert("security".into(), json!([{ scheme: [] }]));
    }
    if path != route.path {
        operation.insert(
            "description".into(),
            json!(format!("The same as `{}`.", route.path)),
        );
    }
    Value::Object(operation)
}

/// Ids are unique in a document, so a second address or a second method gets a suffix.
fn operation_id(route: &Route, path: &str) -> String {
    let mut id = route.operation_id.clone();
    if route.method == actix_web::http::Method::PUT {
        id.push_str("_by_put");
    }
    if path != route.path {
        let scope: String = path
            .split('/')
            .filter(|part| !part.is_empty() && *part != "api")
            .take(1)
            .collect();
        id.push_str("_at_");
        id.push_str(&scope);
    }
    id
}

const fn scheme(access: Access) -> Option<&'static str> {
    match access {
        Access::Public => None,
        Access::AnyConsumer | Access::Consumer => Some("consumer"),
        Access::AnyDeveloper | Access::Developer => Some("developer"),
        Access::Admin => Some("admin"),
    }
}

fn parameters_of(route: &Route, path: &str) -> Vec<Value> {
    let mut parameters: Vec<Value> = Vec::new();
    if path.contains("{id}") {
        let schema = json!({ "type": "string", "format": "uuid" });
        parameters.push(json!({ "name": "id", "in": "path", "required": true, "schema": schema }));
    }
    if path.contains("{slug}") {
        let schema = json!({ "type": "string", "maxLength": 200, "examples": ["anime-generator"] });
        parameters
            .push(json!({ "name": "slug", "in": "path", "required": true, "schema": schema }));
    }
    for (name, description) in [
        ("executionId", "The run that the job belongs to."),
        ("token", "What we gave to the provider with the job."),
    ] {
        if path.contains(&format!("{{{name}}}")) {
            let schema = json!({ "type": "string" });
            parameters.push(json!({
                "name": name, "in": "path", "required": true, "description": description,
                "schema": schema,
            }));
        }
    }
    let key = (route.repetition != Repetition::Unkeyed).then(parameters::idempotency_key);
    parameters.extend(
        route
            .parameters
            .iter()
            .chain(&key)
            .filter_map(|parameter| serde_json::to_value(parameter).ok()),
    );
    if is_tagged(route) && route.method == actix_web::http::Method::GET {
        parameters.push(json!({
            "name": "If-None-Match", "in": "header", "required": false,
            "description": "The ETag of what the caller has; 304 when it is still the same.",
            "schema": { "type": "string" },
        }));
    }
    if route.is_revision {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "required": false,
            "description": "The ETag of what is to be changed; anything newer is answered with 412.",
            "schema": { "type": "string" },
        }));
    }
    parameters
}

fn request_body(route: &Route, body: &Described, schemas: &Map<String, Value>) -> Value {
    let schema = serde_json::to_value((body.schema)()).unwrap_or_default();
    let example = example::of(&schema, schemas);
    json!({
        "required": !route.body_may_be_absent,
        "description": format!("At most {} bytes.", valid::MAX_BYTES),
        "content": { "application/json": { "schema": schema, "example": example } },
    })
}

fn responses(route: &Route, schemas: &Map<String, Value>) -> Value {
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    let (status, response) = success(route, schemas);
    responses.insert(status.to_owned(), response);
    for answer in &route.other_answers {
        let data = serde_json::to_value((answer.data.schema)()).unwrap_or_default();
        let other = enveloped(&data);
        match responses.get_mut(answer.status) {
            Some(response) => add_answer(response, answer, other),
            None => {
                let example = example::of(&other, schemas);
                let content =
                    json!({ "application/json": { "schema": other, "example": example } });
                let response = json!({ "description": answer.description, "content": content });
                responses.insert(answer.status.to_owned(), response);
            }
        }
    }
    if is_tagged(route) && route.method == actix_web::http::Method::GET {
        responses.insert(
            "304".to_owned(),
            json!({ "description": "The caller has it already (If-None-Match)." }),
        );
    }
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in failures(route) {
        by_status
            .entry(status_of(code).as_u16())
            .or_default()
            .push(code);
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), failure(&codes));
    }
    json!(responses)
}

/// One status may mean more than one thing.
fn add_answer(response: &mut Value, answer: &OtherAnswer, schema: Value) {
    if let Some(description) = response.get_mut("description") {
        let before = description.as_str().unwrap_or_default();
        *description = format!("{before} {}", answer.description).into();
    }
    if let Some(known) = response.pointer_mut("/content/application~1json/schema") {
        let before = known.take();
        *known = json!({ "anyOf": [before, schema] });
    }
}

/// Single things and the market's pages carry an entity tag.
fn is_tagged(route: &Route) -> bool {
    let is_read = route.method == actix_web::http::Method::GET;
    let versioned = route.is_revision || is_read && route.access != Access::Public;
    match route.shape {
        Shape::One => {
            versioned && !route.path.ends_with("base-models") || route.tag == "Marketplace"
        }
        Shape::Page => route.tag == "Marketplace",
        Shape::Created | Shape::Noted => true,
        Shape::Accepted | Shape::Events | Shape::Lines | Shape::Empty | Shape::Nothing => false,
    }
}

fn success(route: &Route, schemas: &Map<String, Value>) -> (&'static str, Value) {
    let data = route
        .answer
        .map(|answer| serde_json::to_value((answer.schema)()).unwrap_or_default());
    let (status, description, schema) = match (route.shape, data) {
        (Shape::Lines, _) => return ("200", lines()),
        (Shape::Empty, _) => return ("200", json!({ "description": "Done, without a body." })),
        (Shape::Nothing, _) | (_, None) => return ("204", json!({ "description": "Done." })),
        (Shape::One, Some(data)) => ("200", "Done.", enveloped(&data)),
        (Shape::Created, Some(data)) => ("201", "Made; `Location` says where.", enveloped(&data)),
        (Shape::Noted, Some(data)) => (
            "201",
            "Made; it has no address of its own.",
            enveloped(&data),
        ),
        (Shape::Accepted, Some(data)) => (
            "202",
            "Accepted; `Location` says where it is.",
            enveloped(&data),
        ),
        (Shape::Page, Some(data)) => ("200", "A page of the list.", paged(&data)),
        (Shape::Events, Some(data)) => return ("200", events(&data)),
    };
    let example = example::of(&schema, schemas);
    let mut headers = Map::new();
    let mut header = |name: &str, description: &str| {
        headers.insert(
            name.to_owned(),
            json!({ "description": description, "schema": { "type": "string" } }),
        );
    };
    header("X-Request-Id", "Finds the request in the log.");
    if is_tagged(route) {
        header("ETag", "The version of the answer.");
    }
    match route.shape {
        Shape::Created | Shape::Accepted => header("Location", "The address of the new thing."),
        Shape::Page => header("Link", "The next page, when there is one."),
        _ => {}
    }
    if route.repetition != Repetition::Unkeyed {
        header(
            "Idempotency-Replayed",
            "`true` when the request was carried out before.",
        );
    }
    if route.parameters.iter().any(|found| found.name == "Prefer") {
        header("Preference-Applied", "The wait, when one was asked for.");
    }
    let content = json!({ "application/json": { "schema": schema, "example": example } });
    (
        status,
        json!({ "description": description, "headers": headers, "content": content }),
    )
}

/// Each event's data is JSON; a schema can say no more of a stream.
fn events(data: &Value) -> Value {
    json!({
        "description": "Events, as they happen: `connected` first, then each with its `id` and with this \
            as its `data`, and `end` when there will be no more. A comment every six seconds says that \
            the stream lives. Whoever is cut off goes on with the last `id` in `Last-Event-ID`.",
        "content": { "text/event-stream": { "schema": data } },
    })
}

fn lines() -> Value {
    json!({
        "description": "Text in the format of OpenMetrics, which Prometheus reads.",
        "content": { "application/openmetrics-text": { "schema": { "type": "string" } } },
    })
}

fn enveloped(data: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["success", "data"],
        "properties": { "success": { "type": "boolean", "const": true }, "data": data },
    })
}

fn paged(data: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["success", "data", "meta"],
        "properties": {
            "success": { "type": "boolean", "const": true },
            "data": { "type": "array", "items": data },
            "meta": { "$ref": "#/components/schemas/PageMeta" },
        },
    })
}

/// Every failure that a route can answer: its own, and those that its access, its body and
/// its parameters bring with them.
pub(crate) fn failures(route: &Route) -> Vec<Code> {
    let mut codes = route.refusals.clone();
    codes.push(Code::Internal);
    // Both tell how things are instead of failing.
    if !matches!(route.path, "/health" | "/health/live" | "/metrics") {
        codes.push(Code::Unavailable);
    }
    if route.is_limited() {
        codes.push(Code::RateLimited);
    }
    match route.access {
        Access::Public => {}
        Access::AnyConsumer | Access::AnyDeveloper => {
            codes.extend([Code::NoCredential, Code::InvalidToken, Code::ExpiredToken])
        }
        Access::Consumer => codes.extend([
            Code::NoCredential,
            Code::InvalidToken,
            Code::ExpiredToken,
            Code::Forbidden,
            Code::ConsumerNotRegistered,
        ]),
        Access::Developer => codes.extend([
            Code::NoCredential,
            Code::InvalidToken,
            Code::ExpiredToken,
            Code::Forbidden,
            Code::DeveloperNotRegistered,
        ]),
        Access::Admin => codes.extend([
            Code::NoCredential,
            Code::InvalidToken,
            Code::ExpiredToken,
            Code::Forbidden,
        ]),
    }
    if route.body.is_some() {
        codes.extend([Code::PayloadTooLarge, Code::UnsupportedMediaType]);
    }
    if route.body.is_some() || !route.parameters.is_empty() || route.path.contains("{id}") {
        codes.push(Code::Validation);
    }
    if route.is_revision {
        codes.extend([Code::Conflict, Code::PreconditionFailed]);
    }
    match route.repetition {
        Repetition::Unkeyed => {}
        // Its key is taken together with what it does, so nobody meets it half done.
        Repetition::ByUseCase => codes.push(Code::IdempotencyKeyReused),
        Repetition::Remembered => {
            codes.extend([Code::IdempotencyKeyReused, Code::IdempotencyKeyInProgress]);
        }
    }
    codes.sort_by_key(|code| code.as_str());
    codes.dedup();
    codes
}

fn failure(codes: &[Code]) -> Value {
    let described: Vec<_> = codes
        .iter()
        .map(|code| format!("`{}` {}", code.as_str(), code.meaning()))
        .collect();
    let examples: Map<String, Value> = codes
        .iter()
        .map(|code| {
            (
                code.as_str().to_owned(),
                json!({ "summary": code.meaning(), "value": failure_example(*code) }),
            )
        })
        .collect();
    let schema = json!({ "$ref": format!("#/components/schemas/{}", ErrorEnvelope::name()) });
    json!({
        "description": described.join("\n\n"),
        "content": { "application/json": { "schema": schema, "examples": examples } },
    })
}

fn failure_example(code: Code) -> Value {
    let details = (code == Code::Validation).then(|| {
        let message = "must not be empty";
        Box::new(json!({
            "errors": { "title": [message] },
            "issues": [{ "path": "/title", "code": "minLength", "message": message }],
        }))
    });
    let failure = Failure {
        code,
        class: code.class(),
        message: code.meaning().into(),
        details,
        causes: None,
    };
    let (body, _) = render(&failure, "0198b2c4d5e67f8091a2b3c4d5e6f708", false);
    serde_json::from_slice(&body).unwrap_or_default()
}
