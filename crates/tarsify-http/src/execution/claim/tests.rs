//! What counts as the same request.

use serde_json::{Value, json};

use super::fingerprint;

fn of(model: &str, inputs: &Value) -> [u8; 32] {
    fingerprint(model, inputs.as_object().unwrap())
}

#[test]
fn the_order_of_fields_does_not_count() {
    let one = json!({ "a": 1, "b": { "c": [1, 2], "d": null } });
    let other = json!({ "b": { "d": null, "c": [1, 2] }, "a": 1 });
    assert_ne!(
        one.to_string(),
        other.to_string(),
        "the test proves nothing"
    );
    assert_eq!(of("m", &one), of("m", &other));
}

#[test]
fn everything_else_counts() {
    let all = [
        ("m", json!({})),
        ("n", json!({})),
        ("m", json!({ "a": 1 })),
        ("m", json!({ "a": 1.0 })),
        ("m", json!({ "a": "1" })),
        ("m", json!({ "a": true })),
        ("m", json!({ "a": null })),
        ("m", json!({ "a": [] })),
        ("m", json!({ "a": {} })),
        ("m", json!({ "a": [1, 2] })),
        ("m", json!({ "a": [2, 1] })),
        ("m", json!({ "a": [[1], 2] })),
        ("m", json!({ "a": [12] })),
        ("m", json!({ "a": 1, "b": 1 })),
        ("m", json!({ "a:1,b": 1 })),
        ("m", json!({ "a\":1,\"b": 1 })),
    ];
    for (place, (model, inputs)) in all.iter().enumerate() {
        for (other_model, other) in all.iter().skip(place + 1) {
            assert_ne!(
                of(model, inputs),
                of(other_model, other),
                "{inputs} {other}"
            );
        }
    }
}
