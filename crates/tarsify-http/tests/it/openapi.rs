//! The document against the program: every address is described and every description is
//! served. That answers fit their schemas is checked on each answer of the whole suite.

use std::collections::BTreeSet;

use actix_web::http::Method;
use serde_json::{Value, json};
use tarsify_domain::people::Realm;
use tarsify_http::{Access, document, markdown, routes};

use crate::support::{Shop, without_ids};

#[test]
fn the_document_has_exactly_the_routes_of_the_table() {
    let mut table = BTreeSet::new();
    for route in routes() {
        for path in route.paths() {
            let method = route.method().as_str().to_lowercase();
            assert!(table.insert(format!("{method} {path}")), "{method} {path}");
        }
    }
    let document = document();
    let described: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| format!("{method} {path}"))
        })
        .collect();
    assert_eq!(described, table);
    assert_eq!(document["openapi"], "3.1.0");
}

#[actix_web::test]
async fn everything_that_is_described_is_served() {
    let shop = Shop::open().await;
    for (path, item) in document()["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let reply = shop.ask(method.clone(), without_ids(path)).await;
            let (_, code) = reply.outcome();
            // Whoever does not know the token finds nothing there.
            if path.starts_with("/api/webhooks/runpod/") {
                assert_eq!(code, "ERR_1002");
                continue;
            }
            assert!(code != "ERR_1002" && code != "ERR_1003", "{method} {path}");
        }
    }
}

#[test]
fn who_may_use_a_route_stands_in_the_document() {
    let document = document();
    for route in routes() {
        let scheme = match route.access() {
            Access::Public => Value::Null,
            Access::AnyConsumer | Access::Consumer => json!([{ "consumer": [] }]),
            Access::AnyDeveloper | Access::Developer => json!([{ "developer": [] }]),
            Access::Admin => json!([{ "admin": [] }]),
        };
        for path in route.paths() {
            let method = route.method().as_str().to_lowercase();
            let operation = &document["paths"][path][&method];
            assert_eq!(operation["security"], scheme, "{method} {path}");
        }
    }
    let schemes = document["components"]["securitySchemes"].as_object();
    assert_eq!(schemes.unwrap().len(), 3);
}

/// Ids and a slug that lead somewhere, and what they are called in examples.
async fn stocked(shop: &Shop) -> (Value, Value, String) {
    let developer = shop.developer("grace").await;
    let model = shop.draft(&developer, "stocked").await;
    let admin = shop.admin();
    let path = format!(
        "/api/admin/base-models/{}",
        model["baseModelId"].as_str().unwrap()
    );
    let base = shop.get(path).token(&admin).await.data();
    (model, base, developer)
}

fn schema_of<'a>(document: &'a Value, operation: &'a Value) -> &'a Value {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let reference = schema["$ref"].as_str().unwrap();
    document
        .pointer(reference.strip_prefix('#').unwrap())
        .unwrap()
}

#[actix_web::test]
async fn every_example_of_a_request_is_accepted() {
    let document = document();
    let mut sent = 0;
    for route in routes() {
        for path in route.paths() {
            let method = route.method().as_str().to_lowercase();
            let operation = &document["paths"][path][&method];
            let content = &operation["requestBody"]["content"]["application/json"];
            if content.is_null() {
                continue;
            }
            // A shop of its own, so that no example meets what another one left.
            let shop = Shop::open().await;
            let (model, base, developer) = stocked(&shop).await;
            let mut example = content["example"].clone();
            let reason = format!("{method} {path}: {example}");
            let whole = json!({
                "components": document["components"], "allOf": [schema_of(&document, operation)],
            });
            let validator = jsonschema::options().build(&whole).unwrap();
            assert!(validator.is_valid(&example), "{reason}");
            for (field, id) in [
                ("endpointId", &base["endpoint"]["id"]),
                ("baseModelId", &base["id"]),
            ] {
                if example.get(field).is_some() {
                    example[field] = id.clone();
                }
            }
            if path.contains("/payouts/") {
                shop.verifies(&developer).await;
                shop.earns(&developer, 10_000).await;
            }
            if path.contains("marketplace/models") || path.contains("test-run") {
                shop.publish(&developer, &model).await;
            }
            let id = match path {
                path if path.contains("/consumers/") => {
                    let consumer = shop.consumer("ada").await;
                    json!(shop.consumer_id(&consumer).await.to_string())
                }
                path if path.contains("credit-packages") => {
                    let all = shop.get("/api/admin/credit-packages").token(&shop.admin());
                    all.await.data()[0]["id"].clone()
                }
                path if path.ends_with("/refund") => {
                    shop.publish(&developer, &model).await;
                    let consumer = shop.consumer("ada").await;
                    shop.finished(&consumer, "stocked").await
                }
                path if path.contains("studio/runs") || path.contains("developer/runs") => {
                    let place =
                        format!("/api/studio/tars-models/{}", model["id"].as_str().unwrap());
                    let ask = shop.post(format!("{place}/test-run")).token(&developer);
                    let ask = ask.json(&json!({ "inputs": { "prompt": "a fox" } }));
                    let reply = shop.sent_and_worked(ask, 1).await;
                    reply.assert(200, "").data()["jobId"].clone()
                }
                path if path.contains("executions") || path.contains("runs") => {
                    shop.publish(&developer, &model).await;
                    let consumer = shop.token(Realm::Consumers, "ada");
                    shop.consumer("ada").await;
                    shop.started(&consumer, "stocked").await
                }
                path if path.contains("endpoints") => base["endpoint"]["id"].clone(),
                path if path.contains("base-models") => base["id"].clone(),
                _ => model["id"].clone(),
            };
            let token = match route.access() {
                Access::AnyConsumer => shop.token(Realm::Consumers, "ada"),
                Access::Consumer if path.contains("executions") || path.contains("runs") => {
                    shop.token(Realm::Consumers, "ada")
                }
                Access::Consumer => shop.consumer("ada").await,
                Access::AnyDeveloper => {
                    let mut hopper = tarsify_testing::builders::identity(Realm::Developers, "new");
                    hopper.email = Some(tarsify_testing::builders::email("grace@example.com"));
                    // The examples' address is the token's.
                    let fresh = Shop::open().await;
                    let token = fresh.tokens.token(hopper);
                    let ask = fresh.post(path).token(&token).json(&example);
                    let reply = ask.await;
                    assert_eq!(reply.status, 201, "{reason}: {}", reply.text());
                    sent += 1;
                    continue;
                }
                Access::Developer => developer.clone(),
                Access::Admin => shop.admin(),
                Access::Public => String::new(),
            };
            let place = path.replace("{id}", id.as_str().unwrap());
            let place = place.replace("{slug}", "stocked");
            let ask = shop.ask(route.method().clone(), place).token(&token);
            let reply = ask.json(&example).await;
            assert!(
                matches!(reply.status, 200..=202),
                "{reason}: {}",
                reply.text()
            );
            sent += 1;
        }
    }
    assert!(sent >= 27, "only {sent} examples were sent");
}

#[test]
fn every_example_of_an_answer_fits_its_schema() {
    let document = document();
    let mut checked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let content = &response["content"]["application/json"];
                let Some(schema) = content.get("schema") else {
                    continue;
                };
                let whole = json!({
                    "components": document["components"], "allOf": [schema],
                });
                let options = jsonschema::options().should_validate_formats(true);
                let validator = options.build(&whole).unwrap();
                let one = content.get("example").cloned();
                let many = content["examples"].as_object().into_iter().flatten();
                let many = many.map(|(_, example)| example["value"].clone());
                for example in one.into_iter().chain(many) {
                    let faults: Vec<_> = validator
                        .iter_errors(&example)
                        .map(|error| format!("{}: {error}", error.instance_path()))
                        .collect();
                    let place = format!("{method} {path} {status}");
                    assert!(faults.is_empty(), "{place}: {faults:?} {example:#}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 200, "only {checked} examples");
}

#[test]
fn the_handbook_lists_every_address() {
    let text = markdown();
    for route in routes() {
        for path in route.paths() {
            assert!(text.contains(path), "{path} is not in the handbook");
        }
    }
    for code in tarsify_domain::ErrorCode::ALL {
        assert!(text.contains(code.as_str()), "{}", code.as_str());
    }
}
