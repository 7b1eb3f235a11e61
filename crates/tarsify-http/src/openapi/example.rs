//! Examples of whole bodies, put together from the examples of their fields.

use serde_json::{Map, Value};

/// An example that fits `schema`.
pub(crate) fn of(schema: &Value, schemas: &Map<String, Value>) -> Value {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return schemas
            .get(name)
            .map_or(Value::Null, |target| of(target, schemas));
    }
    if let Some(given) = schema.get("example").or_else(|| schema.get("const")) {
        return given.clone();
    }
    if let Some(first) = schema.get("examples").and_then(|examples| examples.get(0)) {
        return first.clone();
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        let options = schema.get(choice).and_then(Value::as_array);
        let fitting = options
            .into_iter()
            .flatten()
            .find(|option| option.get("type") != Some(&Value::from("null")));
        if let Some(option) = fitting {
            return of(option, schemas);
        }
    }
    if let Some(default) = schema.get("default") {
        return default.clone();
    }
    match schema.get("type") {
        Some(Value::String(kind)) if kind == "object" => object(schema, schemas),
        Some(Value::String(kind)) if kind == "array" => Value::Array(
            schema
                .get("items")
                .map(|items| of(items, schemas))
                .into_iter()
                .collect(),
        ),
        _ => Value::Null,
    }
}

fn object(schema: &Value, schemas: &Map<String, Value>) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object);
    let fields = properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.clone(), of(schema, schemas)));
    // A cursor of the last page is not there; neither is it in the example.
    Value::Object(fields.filter(|(name, _)| name != "nextCursor").collect())
}
