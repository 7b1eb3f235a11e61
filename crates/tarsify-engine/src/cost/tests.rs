//! What schemas cost, by the depth of the value.

use serde_json::{Value, json};

use super::Costs;
use crate::document::Document;

fn costs(schema: &Value) -> Costs {
    Costs::of(&Document::new(schema)).unwrap()
}

#[test]
fn costs_follow_the_depth_of_the_value() {
    let flat = json!({"properties": {"a": {}, "b": {"allOf": [{}, {}]}}});
    let twice = json!({"items": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}});
    let tree = json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}});
    let table = [
        (&flat, 0, "nothing inside", 1.0),
        (&flat, 1, "the heaviest property", 4.0),
        (&flat, 60, "no deeper", 4.0),
        (
            &twice,
            1,
            "two branches with a reference each",
            1.0 + 1.0 + 2.0 * 2.0,
        ),
        (&tree, 1, "one property for each part", 1.0 + 2.0),
        (&tree, 10, "grows by steps", 21.0),
    ];
    for (schema, depth, why, expected) in table {
        assert!(
            (costs(schema).at(depth) - expected).abs() < 0.5,
            "{why}: {}",
            costs(schema).at(depth)
        );
    }
    assert!(costs(&twice).at(40) > 1e12, "doubles with each level");
}

#[test]
fn doubling_through_values_without_recursion_is_refused() {
    let mut definitions = serde_json::Map::new();
    for index in 0..40 {
        let next = json!({"items": {"$ref": format!("#/$defs/d{}", index + 1)}});
        definitions.insert(format!("d{index}"), json!({"anyOf": [next, next]}));
    }
    definitions.insert("d40".to_owned(), json!({}));
    let schema = json!({"$defs": definitions, "properties": {"a": {"$ref": "#/$defs/d0"}}});
    let issue = Costs::of(&Document::new(&schema)).unwrap_err();
    assert_eq!(issue.code, "maxChecks");
}
