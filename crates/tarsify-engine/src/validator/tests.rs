//! What may run, what a refusal says, and what it never says.

mod canary;

use serde_json::{Map, Value, json};
use tarsify_domain::Issue;
use tarsify_domain::catalog::{ConfigOverrides, InputSchema};

use super::InputValidator;

fn base() -> Value {
    json!({
        "type": "object",
        "properties": {
            "prompt": {"type": "string", "minLength": 3, "maxLength": 20, "pattern": "^[a-z ,]*$"},
            "negative": {"type": "string", "maxLength": 4},
            "style": {"enum": ["anime", "photo"]},
            "width": {"type": "integer", "maximum": 2048},
            "tags": {"type": "array", "items": {"type": "string"}},
            "seed": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
        },
        "required": ["prompt"],
    })
}

fn validated(base: Value, overrides: Value, user: Value) -> Result<Map<String, Value>, Vec<Issue>> {
    InputValidator::default().validate_inputs(
        &InputSchema::parse(base).unwrap(),
        &ConfigOverrides::parse(overrides).unwrap(),
        user.as_object().unwrap(),
    )
}

/// The issues as `path code`.
fn refused(overrides: Value, user: Value) -> Vec<String> {
    match validated(base(), overrides, user) {
        Ok(_) => Vec::new(),
        Err(issues) => issues
            .into_iter()
            .map(|issue| format!("{} {}", issue.path, issue.code))
            .collect(),
    }
}

#[test]
fn good_inputs_give_the_merged_payload() {
    let payload = validated(
        base(),
        json!({"lockedInputs": {"width": 64}, "promptPrefix": "pre, "}),
        json!({"prompt": "sea"}),
    );
    assert_eq!(
        Value::Object(payload.unwrap()),
        json!({"prompt": "pre, sea", "width": 64})
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn each_fault_is_told_with_its_place() {
    let wrapped = json!({"promptPrefix": "0123456789", "promptSuffix": "0123456789"});
    let table = [
        (json!({}), json!({"prompt": "sea"}), "good", vec![]),
        (
            json!({}),
            json!({"prompt": "sea", "x": 1}),
            "unknown",
            vec!["/inputs/x additionalProperties"],
        ),
        (
            json!({}),
            json!({"prompt": "sea", "a/b~": 1}),
            "escaped",
            vec!["/inputs/a~1b~0 additionalProperties"],
        ),
        (
            json!({"hiddenFields": ["negative"]}),
            json!({"prompt": "sea", "negative": "x"}),
            "hidden",
            vec!["/inputs/negative additionalProperties"],
        ),
        (
            json!({"secretInputs": {"negative": "x"}}),
            json!({"prompt": "sea", "negative": "x"}),
            "secret",
            vec!["/inputs/negative additionalProperties"],
        ),
        (
            json!({"lockedInputs": {"width": 64}}),
            json!({"prompt": "sea", "width": 65}),
            "locked",
            vec!["/inputs/width readOnly"],
        ),
        (
            json!({"lockedInputs": {"width": 64}}),
            json!({"prompt": "sea", "width": 64}),
            "the locked value",
            vec![],
        ),
        (
            json!({"lockedInputs": {"width": 64}}),
            json!({"prompt": "sea", "width": 64.0}),
            "as a float",
            vec![],
        ),
        (
            json!({"lockedInputs": {"tags": ["a"]}}),
            json!({"prompt": "sea", "tags": ["a"]}),
            "a locked list",
            vec![],
        ),
        (
            json!({}),
            json!({}),
            "nothing at all",
            vec!["/inputs minProperties"],
        ),
        (
            json!({}),
            json!({"width": 1}),
            "missing",
            vec!["/inputs/prompt required"],
        ),
        (
            json!({"defaultInputs": {"prompt": "sea"}}),
            json!({"width": 1}),
            "a default is enough",
            vec![],
        ),
        (
            json!({}),
            json!({"prompt": "ab", "width": "x", "style": "oil", "tags": ["a", 1]}),
            "all faults",
            vec![
                "/inputs/prompt minLength",
                "/inputs/style enum",
                "/inputs/tags/1 type",
                "/inputs/width type",
            ],
        ),
        (
            json!({}),
            json!({"prompt": "sea", "seed": -1}),
            "a choice",
            vec!["/inputs/seed minimum"],
        ),
        (
            json!({}),
            json!({"prompt": "sea", "x": 1, "width": 5000}),
            "fields and values",
            vec!["/inputs/x additionalProperties", "/inputs/width maximum"],
        ),
        (
            wrapped,
            json!({"prompt": "sea"}),
            "the wrap counts",
            vec!["/inputs/prompt maxLength", "/inputs/prompt pattern"],
        ),
        (
            json!({"secretInputs": {"negative": "too long"}}),
            json!({"prompt": "sea"}),
            "a secret that does not fit",
            vec!["/inputs configuration"],
        ),
        (
            json!({"lockedInputs": {"width": 5000}}),
            json!({"prompt": "sea", "width": 5000}),
            "a lock that does not fit",
            vec!["/inputs configuration"],
        ),
        (
            json!({"defaultInputs": {"style": "oil"}}),
            json!({"prompt": "sea", "style": ""}),
            "a default that does not fit",
            vec!["/inputs configuration"],
        ),
        (
            json!({"hiddenFields": ["prompt"]}),
            json!({"width": 1}),
            "a hidden required field",
            vec!["/inputs configuration"],
        ),
    ];
    for (overrides, user, why, expected) in table {
        let mut found = refused(overrides, user);
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{why}");
    }
}

#[test]
fn a_hidden_field_is_answered_like_an_unknown_one() {
    let answer = |hidden: Value, name: &str| {
        let issues = validated(base(), hidden, json!({"prompt": "sea", name: "x"})).unwrap_err();
        issues[0].message.clone()
    };
    assert_eq!(
        answer(json!({"hiddenFields": ["negative"]}), "negative"),
        answer(json!({}), "positive")
    );
}

#[test]
fn a_prompt_too_long_is_told_without_its_room() {
    let overrides = json!({"promptPrefix": "developer secret ", "promptSuffix": " more"});
    let issues = validated(base(), overrides, json!({"prompt": "sea"})).unwrap_err();
    assert_eq!(
        issues[0].message,
        "is too long together with what the model adds: shorten it"
    );
    let issues = validated(base(), json!({}), json!({"prompt": "s".repeat(30)})).unwrap_err();
    assert_eq!(issues[0].message, "must have at most 20 characters");
}

#[test]
fn surplus_fields_of_the_developer_are_not_named() {
    let closed = json!({
        "type": "object", "properties": {"prompt": {}}, "additionalProperties": false,
    });
    let issues = validated(
        closed,
        json!({"secretInputs": {"inner": 1}, "defaultInputs": {"other": 1}}),
        json!({"prompt": "sea"}),
    )
    .unwrap_err();
    assert_eq!(issues, [super::told::generic()]);
}

#[test]
fn deep_inputs_are_refused() {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    assert_eq!(
        refused(json!({}), json!({"prompt": "sea", "tags": deep})),
        ["/inputs/tags maxDepth"]
    );
}

#[test]
fn faults_deep_in_a_recursive_schema_are_refused_at_once() {
    let branch = json!({"type": "array", "items": {"$ref": "#/$defs/tree"}});
    let schema = json!({
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/tree"}},
        "$defs": {"tree": {"anyOf": [{"type": "integer"}, branch, branch]}},
    });
    let nested = |depth: usize| (0..depth).fold(json!("x"), |inner, _| json!([inner]));
    let codes = |depth| {
        let user = json!({"tree": nested(depth)});
        validated(schema.clone(), json!({}), user).unwrap_err()[0]
            .code
            .clone()
    };
    assert_eq!(codes(2), "anyOf");
    assert_eq!(codes(60), "schema");
}

#[test]
fn issues_are_bounded() {
    let many: Map<String, Value> = (0..500)
        .map(|number| (number.to_string(), json!(1)))
        .collect();
    assert_eq!(
        refused(json!({}), Value::Object(many)).len(),
        super::MOST_ISSUES
    );
}

#[test]
fn a_broken_schema_refuses_without_details() {
    let issues = validated(
        json!({"type": "object", "$ref": "#/none"}),
        json!({}),
        json!({"a": 1}),
    );
    assert_eq!(issues.unwrap_err(), [super::broken_schema()]);
}

#[test]
fn nothing_is_fetched() {
    for reference in [
        "https://example.com/s.json",
        "file:///etc/passwd",
        "other.json",
    ] {
        let schema = json!({"$ref": reference});
        assert!(super::build(&schema).is_err(), "{reference}");
    }
}

#[test]
fn a_schema_is_compiled_once_and_the_cache_is_bounded() {
    let validator = InputValidator::new(4);
    for number in 0..50 {
        let schema = json!({"type": "object", "properties": {"a": {"maximum": number}}});
        let schema = InputSchema::parse(schema).unwrap();
        let none = ConfigOverrides::default();
        let user = json!({"a": number + 1});
        for _ in 0..2 {
            let result = validator.validate_inputs(&schema, &none, user.as_object().unwrap());
            assert!(result.is_err(), "each schema has its own limit");
        }
    }
    assert!(validator.compiled.len() <= 4);
}
