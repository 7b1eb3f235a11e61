//! The document keeps what it promises about itself.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_reference_leads_somewhere_and_every_id_is_unique() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let text = document.to_string();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(
                ids.insert(id.to_owned()),
                "{id} is there twice, also at {method} {path}"
            );
        }
    }
}

#[test]
fn every_body_has_an_example_without_gaps() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if let Some(body) = operation.get("requestBody") {
                let example = &body["content"]["application/json"]["example"];
                for (field, value) in example.as_object().unwrap() {
                    assert!(!value.is_null(), "{method} {path}: {field} has no example");
                }
            }
        }
    }
}
