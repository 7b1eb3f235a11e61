//! Properties: a developer's secrets appear in nothing that a consumer sees, a payload that
//! passes fits the shown schema as well, and no JSON whatever makes anything panic.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tarsify_domain::catalog::{ConfigOverrides, InputSchema, SchemaRules};

use super::super::{InputValidator, build};
use crate::{JsonSchemaRules, merge_inputs, process_schema};

const CANARY: &str = "c4n4ry";
const NAMES: [&str; 6] = ["prompt", "alpha", "beta", "gamma", "delta", "hidden_one"];

fn name() -> impl Strategy<Value = String> {
    proptest::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

fn names() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(name(), 0..3)
}

/// Schemas of one property.
fn property() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(true)),
        Just(json!({"type": "string", "maxLength": 12})),
        Just(json!({"type": "string", "minLength": 30})),
        Just(json!({"type": "string", "pattern": "^[a-b]*$"})),
        Just(json!({"enum": ["a", "b"]})),
        Just(json!({"const": "a"})),
        Just(json!({"type": "integer", "maximum": 3})),
        Just(json!({"type": "array", "items": {"type": "integer"}, "uniqueItems": true})),
        Just(json!({"anyOf": [{"type": "string", "maxLength": 2}, {"type": "null"}]})),
        Just(
            json!({"type": "object", "additionalProperties": false, "propertyNames": {"maxLength": 2}})
        ),
        Just(json!({"not": {"type": "string"}})),
        Just(json!({"$ref": "#/$defs/kind"})),
        Just(json!(false)),
    ]
}

/// Rules about the whole object.
fn rules() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        names().prop_map(|names| json!({"required": names_once(names)})),
        (name(), property()).prop_map(|(name, rule)| json!({"properties": {name: rule}})),
        (name(), names())
            .prop_map(|(name, list)| json!({"dependentRequired": {name: names_once(list)}})),
        names().prop_map(|names| json!({"propertyNames": {"enum": names}})),
        Just(json!({"maxProperties": 2})),
        Just(json!({"additionalProperties": false})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..3).prop_map(|list| json!({"allOf": list})),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(|list| json!({"anyOf": list})),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(|list| json!({"oneOf": list})),
            inner.clone().prop_map(|one| json!({"not": one})),
            (name(), inner.clone())
                .prop_map(|(name, one)| json!({"dependentSchemas": {name: one}})),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(one, two, three)| json!({"if": one, "then": two, "else": three})),
        ]
    })
    .prop_map(|rule| rule.as_object().cloned().unwrap_or_default())
}

fn names_once(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

prop_compose! {
    fn schema()(
        properties in proptest::collection::hash_map(name(), property(), 1..6),
        required in names(), rules in rules(), closed in any::<bool>(),
    ) -> Value {
        let mut schema = json!({
            "type": "object", "properties": properties, "required": names_once(required),
            "$defs": {"kind": {"type": ["string", "integer"]}},
        });
        let object = schema.as_object_mut().unwrap();
        if closed {
            object.insert("additionalProperties".to_owned(), json!(false));
        }
        object.insert("allOf".to_owned(), json!([rules]));
        schema
    }
}

/// A value that holds the canary somewhere.
fn canary() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(CANARY)),
        Just(json!([CANARY, CANARY])),
        Just(json!({CANARY: CANARY})),
    ]
}

prop_compose! {
    fn secrets()(
        hidden in names(), secret in proptest::collection::hash_map(name(), canary(), 0..3),
        value in canary(), prefix in any::<bool>(), suffix in any::<bool>(), field in name(),
    ) -> Value {
        // Defaults and locks are shown by contract, so only those on hidden fields are secret.
        let values: Map<String, Value> =
            hidden.iter().map(|name| (name.clone(), value.clone())).collect();
        json!({
            "hiddenFields": hidden, "secretInputs": secret, "promptField": field,
            "defaultInputs": values, "lockedInputs": values,
            "promptPrefix": if prefix { CANARY } else { "" },
            "promptSuffix": if suffix { CANARY } else { "" },
        })
    }
}

fn inputs() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        Just(json!("a")),
        Just(json!("")),
        Just(json!(null)),
        Just(json!(2)),
        Just(json!(9)),
        Just(json!("a long text of many words and letters")),
        Just(json!([1, 1])),
        Just(json!({"x": 1, "long": 2})),
    ];
    proptest::collection::hash_map(name(), value, 0..4).prop_map(Map::from_iter)
}

/// Any JSON, with JSON Schema's keywords strewn in.
fn anything() -> impl Strategy<Value = Value> {
    const KEYS: [&str; 32] = [
        "$ref",
        "$dynamicRef",
        "$id",
        "$schema",
        "$anchor",
        "$defs",
        "type",
        "properties",
        "items",
        "required",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "enum",
        "const",
        "pattern",
        "patternProperties",
        "propertyNames",
        "additionalProperties",
        "maxLength",
        "dependentSchemas",
        "prompt",
        "hiddenFields",
        "lockedInputs",
        "defaultInputs",
        "secretInputs",
        "promptPrefix",
        "promptField",
    ];
    const TEXTS: [&str; 12] = [
        "#",
        "#/",
        "#/properties/prompt",
        "#/$defs/prompt",
        "#a",
        "prompt",
        "object",
        "string",
        "(",
        "http://[",
        "%",
        "^a+$",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
        proptest::sample::select(&TEXTS[..]).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        let key = prop_oneof![
            proptest::sample::select(&KEYS[..]).prop_map(str::to_owned),
            ".{0,3}"
        ];
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => proptest::collection::vec((key, inner), 0..5)
                .prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

proptest! {
    // More when PROPTEST_CASES asks for more: scripts/fuzz does.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(400)))]

    #[test]
    fn secrets_appear_in_nothing_a_consumer_sees(
        schema in schema(), overrides in secrets(), user in inputs(),
    ) {
        let schema = InputSchema::parse(schema).unwrap();
        let overrides = ConfigOverrides::parse(overrides).unwrap();
        let seen = process_schema(&schema, &overrides);
        prop_assert!(!seen.to_string().contains(CANARY), "{seen}");
        for hidden in overrides.hidden_fields() {
            prop_assert!(!seen.to_string().contains(&format!("{hidden:?}")), "{hidden} in {seen}");
        }
        if let Err(issues) = InputValidator::new(1).validate_inputs(&schema, &overrides, &user) {
            prop_assert!(!issues.is_empty());
            for issue in issues {
                let text = format!("{issue:?}");
                prop_assert!(!text.contains(CANARY), "{text}");
                for hidden in overrides.hidden_fields().filter(|name| !user.contains_key(*name)) {
                    prop_assert!(!text.contains(&format!("/{hidden}")), "{text}");
                }
            }
        }
    }

    #[test]
    fn the_shown_schema_allows_what_may_run(
        mut schema in schema(), hidden in names(), user in inputs(),
    ) {
        // Few inputs pass all the rules there are: here only those about the whole object count.
        for property in schema["properties"].as_object_mut().unwrap().values_mut() {
            *property = json!(true);
        }
        schema["required"] = json!([]);
        let schema = InputSchema::parse(schema).unwrap();
        let overrides = ConfigOverrides::parse(json!({"hiddenFields": hidden})).unwrap();
        if InputValidator::new(1).validate_inputs(&schema, &overrides, &user).is_ok() {
            let seen = process_schema(&schema, &overrides);
            let validator = build(&seen).unwrap();
            let user = Value::Object(user);
            prop_assert!(validator.is_valid(&user), "{seen} refuses {user}");
        }
    }

    #[test]
    fn a_payload_that_passes_is_the_merge(schema in schema(), overrides in secrets(), user in inputs()) {
        let schema = InputSchema::parse(schema).unwrap();
        let overrides = ConfigOverrides::parse(overrides).unwrap();
        if let Ok(payload) = InputValidator::new(1).validate_inputs(&schema, &overrides, &user) {
            prop_assert_eq!(&payload, &merge_inputs(&user, &overrides));
            prop_assert!(build(&schema.to_value()).unwrap().is_valid(&Value::Object(payload)));
        }
    }

    #[test]
    fn no_json_makes_anything_panic(schema in anything(), overrides in anything(), user in anything()) {
        let Ok(schema) = InputSchema::parse(schema) else { return Ok(()) };
        let overrides = ConfigOverrides::parse(overrides).unwrap_or_default();
        let user = user.as_object().cloned().unwrap_or_default();
        let issues = JsonSchemaRules.check_schema(&schema);
        JsonSchemaRules.check_overrides(&schema, &overrides);
        JsonSchemaRules.process_schema(&schema, &overrides);
        let result = InputValidator::new(1).validate_inputs(&schema, &overrides, &user);
        prop_assert!(issues.is_empty() || result.is_err());
    }
}
