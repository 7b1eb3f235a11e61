//! The OpenAPI 3.1 document, made of the route table and the wire types. Nothing about a
//! route is said twice: addresses, people, bodies, answers and failures come from its line.

pub(crate) mod example;
mod markdown;
mod operation;
pub(crate) mod parameters;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

pub use markdown::markdown;

use crate::envelope::PageMeta;
use crate::error::ErrorEnvelope;
use crate::route::Schemas;
use crate::routes::routes;

/// The document as JSON.
#[must_use]
pub fn document() -> Value {
    let table = routes();
    let schemas = schemas(&table);
    let mut paths: Map<String, Value> = Map::new();
    for route in &table {
        for path in route.paths() {
            let item = paths
                .entry(path)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(item) = item {
                let operation = operation::describe(route, path, &schemas);
                item.insert(route.method.as_str().to_lowercase(), operation);
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tarsify",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": TAGS.iter().map(|(name, description)| json!({ "name": name, "description": description })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "consumer": bearer("An ID token of the consumers' project."),
                "developer": bearer("An ID token of the developers' project."),
                "admin": bearer("An ID token of the developers' project whose owner is an administrator."),
            },
        },
    })
}

const DESCRIPTION: &str = "The open backend of a two-sided marketplace for AI models. \
Every answer is wrapped: `{\"success\": true, \"data\": …, \"meta\": …}` or \
`{\"success\": false, \"error\": {…}}`; ask for `application/problem+json` to get RFC 9457 instead. \
Timestamps are RFC 3339 in UTC with milliseconds. Enumerations may grow.";

const TAGS: [(&str, &str); 10] = [
    ("Health", "For load balancers and people on call."),
    ("Marketplace", "What is published, for everybody."),
    ("Runs", "Running models, and what came of it."),
    ("Consumers", "The consumer's own profile."),
    (
        "Credits",
        "What a consumer has, how he came to have it, and how he buys more.",
    ),
    ("Developers", "The developer's own profile."),
    ("Studio", "The developer's own tars models."),
    (
        "Earnings",
        "What a developer earns, how it comes to him, and how his models do.",
    ),
    (
        "Administration",
        "Endpoints, base models, executions and money, for administrators.",
    ),
    ("Webhooks", "What providers call."),
];

fn bearer(description: &str) -> Value {
    json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": description })
}

/// Every schema that the table refers to, by name.
fn schemas(table: &[crate::route::Route]) -> Map<String, Value> {
    let mut collected: Schemas = Vec::new();
    for described in table.iter().flat_map(|route| {
        let others = route.other_answers.iter().map(|answer| answer.data);
        let meant = [route.body, route.answer].into_iter().flatten();
        meant.chain(others)
    }) {
        (described.collect)(&mut collected);
    }
    add::<ErrorEnvelope<'_>>(&mut collected);
    add::<PageMeta>(&mut collected);
    let by_name: BTreeMap<String, RefOr<Schema>> = collected.into_iter().collect();
    by_name
        .into_iter()
        .filter(|(_, schema)| !matches!(schema, RefOr::T(Schema::Array(_))))
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect()
}

fn add<T: ToSchema>(schemas: &mut Schemas) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

#[cfg(test)]
mod tests;
