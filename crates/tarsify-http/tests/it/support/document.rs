//! Holds every answer to the OpenAPI document: the status is documented, the code is among
//! those of the status, the body fits its schema and has no field that the schema lacks.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use actix_web::http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::Reply;

static DOCUMENT: LazyLock<Value> = LazyLock::new(tarsify_http::document);
static COMPONENTS: LazyLock<Value> = LazyLock::new(|| {
    let mut components = DOCUMENT["components"].clone();
    for (name, schema) in components["schemas"].as_object_mut().unwrap() {
        let answered = name.ends_with("Out") || name == "PageMeta" || name == "ErrorEnvelope";
        if answered && schema.get("properties").is_some() {
            schema["additionalProperties"] = json!(false);
        }
    }
    components
});
type Validators = Mutex<HashMap<String, Arc<Validator>>>;
static VALIDATORS: LazyLock<Validators> = LazyLock::new(Validators::default);

/// Panics when the answer is none that the document promises.
pub(crate) fn check(method: &Method, path: &str, reply: &Reply) {
    let place = format!("{method} {path} {}", reply.status);
    if reply.status == 204 || reply.status == 304 {
        assert!(reply.body.is_empty(), "{place} has a body");
    }
    let kind = reply.header("content-type");
    let is_json = kind == "application/json";
    if path.starts_with("/local/") {
        return;
    }
    if reply.status >= 400 {
        assert!(
            is_json || kind == "application/problem+json",
            "{place} is {kind:?}"
        );
    }
    // Where a HEAD is answered at all, it is as a GET.
    let read = if method == Method::HEAD && reply.status != 405 {
        &Method::GET
    } else {
        method
    };
    let Some(operation) = operation(read, path) else {
        if reply.status >= 400 && is_json && !reply.body.is_empty() {
            fits(&error_schema(), &reply.json(), &place);
        }
        return;
    };
    let response = &operation["responses"][reply.status.to_string()];
    assert!(response.is_object(), "{place} is not in the document");
    if !is_json || reply.body.is_empty() || !reply.header("content-encoding").is_empty() {
        return;
    }
    let content = &response["content"]["application/json"];
    let body = reply.json();
    fits(&content["schema"], &body, &place);
    if reply.status >= 400 {
        let code = body["error"]["code"].as_str().unwrap();
        let documented = content["examples"].as_object().unwrap();
        assert!(
            documented.contains_key(code),
            "{place} answers {code}, the document has {:?}",
            documented.keys().collect::<Vec<_>>()
        );
    }
}

fn error_schema() -> Value {
    json!({ "$ref": "#/components/schemas/ErrorEnvelope" })
}

/// Panics when `value` does not fit a schema of the document.
fn fits(schema: &Value, value: &Value, place: &str) {
    let key = schema.to_string();
    let cached = VALIDATORS.lock().unwrap().get(&key).cloned();
    let validator = cached.unwrap_or_else(|| {
        let whole = json!({ "components": *COMPONENTS, "allOf": [schema] });
        let mut options = jsonschema::options();
        options = options.should_validate_formats(true);
        let built = Arc::new(options.build(&whole).unwrap());
        let mut validators = VALIDATORS.lock().unwrap();
        validators.insert(key, Arc::clone(&built));
        built
    });
    let faults: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{place}: {faults:#?}\n{value:#}");
}

/// The operation behind a path; fixed segments win over parameters.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    let fits = |template: &&String| {
        let pattern: Vec<&str> = template.split('/').collect();
        pattern.len() == segments.len()
            && pattern.iter().zip(&segments).all(|(pattern, segment)| {
                pattern == segment || pattern.starts_with('{') && !segment.is_empty()
            })
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let template = paths
        .keys()
        .filter(fits)
        .min_by_key(|template| template.matches('{').count())?;
    paths[template].get(method.as_str().to_lowercase())
}

/// The path with something in the place of its parameters.
pub(crate) fn without_ids(path: &str) -> String {
    path.replace("{id}", "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f7ff")
        .replace("{slug}", "no-such-model")
        .replace("{executionId}", "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f7ff")
        .replace("{token}", "no-such-token")
}
