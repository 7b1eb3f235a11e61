//! Each broken rule in words, and that no value is repeated.

use serde_json::{Value, json};

use super::{clip, faults};

fn told(schema: &Value, value: &Value) -> Vec<(String, String, String)> {
    let validator = crate::validator::build(schema).unwrap();
    let mut told: Vec<_> = validator
        .iter_errors(value)
        .flat_map(|error| faults(&error))
        .map(|fault| (fault.pointer, fault.code, fault.message))
        .collect();
    told.sort();
    told
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn each_rule_has_its_words() {
    let table = [
        (
            json!({"type": "integer"}),
            json!("x"),
            "",
            "type",
            "must be a whole number",
        ),
        (
            json!({"type": ["string", "null"]}),
            json!(1),
            "",
            "type",
            "must be null, or a text",
        ),
        (
            json!({"maximum": 5}),
            json!(6),
            "",
            "maximum",
            "must be at most 5",
        ),
        (
            json!({"minimum": 5}),
            json!(4),
            "",
            "minimum",
            "must be at least 5",
        ),
        (
            json!({"exclusiveMaximum": 5}),
            json!(5),
            "",
            "exclusiveMaximum",
            "must be less than 5",
        ),
        (
            json!({"exclusiveMinimum": 5}),
            json!(5),
            "",
            "exclusiveMinimum",
            "must be more than 5",
        ),
        (
            json!({"multipleOf": 8}),
            json!(5),
            "",
            "multipleOf",
            "must be a multiple of 8",
        ),
        (
            json!({"maxLength": 2}),
            json!("abc"),
            "",
            "maxLength",
            "must have at most 2 characters",
        ),
        (
            json!({"minLength": 2}),
            json!("a"),
            "",
            "minLength",
            "must have at least 2 characters",
        ),
        (
            json!({"pattern": "^[a-z]+$"}),
            json!("A"),
            "",
            "pattern",
            "must match the pattern ^[a-z]+$",
        ),
        (
            json!({"enum": ["a", 1]}),
            json!("b"),
            "",
            "enum",
            "must be one of \"a\", 1",
        ),
        (
            json!({"const": true}),
            json!("b"),
            "",
            "const",
            "must be true",
        ),
        (
            json!({"maxItems": 1}),
            json!([1, 2]),
            "",
            "maxItems",
            "must have at most 1 items",
        ),
        (
            json!({"minItems": 1}),
            json!([]),
            "",
            "minItems",
            "must have at least 1 items",
        ),
        (
            json!({"uniqueItems": true}),
            json!([1, 1]),
            "",
            "uniqueItems",
            "must not have the same item twice",
        ),
        (
            json!({"contains": {"const": 1}}),
            json!([2]),
            "",
            "contains",
            "lacks an item of the kind it must contain",
        ),
        (
            json!({"maxProperties": 0}),
            json!({"a": 1}),
            "",
            "maxProperties",
            "must have at most 0 fields",
        ),
        (
            json!({"minProperties": 1}),
            json!({}),
            "",
            "minProperties",
            "must have at least 1 fields",
        ),
        (
            json!({"required": ["a"]}),
            json!({}),
            "/a",
            "required",
            "is required",
        ),
        (
            json!({"additionalProperties": false}),
            json!({"a/b": 1}),
            "",
            "additionalProperties",
            "must have no fields",
        ),
        (
            json!({"properties": {"c": true}, "additionalProperties": false}),
            json!({"a/b": 1}),
            "/a~1b",
            "additionalProperties",
            "is not known here: remove it",
        ),
        (
            json!({"properties": {"a": false}}),
            json!({"a": 1}),
            "/a",
            "falseSchema",
            "is not allowed: remove it",
        ),
        (
            json!({"items": {"type": "null"}}),
            json!([null, 1]),
            "/1",
            "type",
            "must be null",
        ),
        (
            json!({"not": {"type": "null"}}),
            json!(null),
            "",
            "not",
            "has a form that the schema rules out",
        ),
        (
            json!({"propertyNames": {"maxLength": 1}}),
            json!({"ab": 1}),
            "",
            "propertyNames",
            "has a field with a name that is not allowed",
        ),
        (
            json!({"oneOf": [true, true]}),
            json!(1),
            "",
            "oneOf",
            "must have exactly one of the forms that the schema allows, not several",
        ),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
            json!(1),
            "",
            "type",
            "must be a text, or null",
        ),
        (
            json!({"anyOf": [{"type": "integer", "maximum": 5}, {"type": "null"}]}),
            json!(9),
            "",
            "maximum",
            "must be at most 5",
        ),
        (
            json!({"anyOf": [{"minimum": 5}, {"multipleOf": 2}]}),
            json!(1),
            "",
            "anyOf",
            "must have one of the forms that the schema allows",
        ),
    ];
    for (schema, value, pointer, code, message) in table {
        let expected = vec![(pointer.to_owned(), code.to_owned(), message.to_owned())];
        assert_eq!(told(&schema, &value), expected, "{schema} with {value}");
    }
}

#[test]
fn long_lists_of_choices_are_cut() {
    let options: Vec<String> = (0..100).map(|number| format!("option {number}")).collect();
    let (_, _, message) = told(&json!({"enum": options}), &json!("x")).remove(0);
    assert!(
        message.chars().count() < 260 && message.ends_with('…'),
        "{message}"
    );
}

#[test]
fn texts_are_cut_between_characters() {
    assert_eq!(clip("short"), "short");
    let cut = clip(&"é".repeat(300));
    assert_eq!(cut.chars().count(), 201);
}
