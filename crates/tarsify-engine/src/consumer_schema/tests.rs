//! What a consumer sees and what he must not see.

use serde_json::{Value, json};
use tarsify_domain::catalog::{ConfigOverrides, InputSchema};

use super::process_schema;

fn seen(base: &Value, overrides: Value) -> Value {
    let schema = InputSchema::parse(base.clone()).unwrap();
    process_schema(&schema, &ConfigOverrides::parse(overrides).unwrap())
}

fn hiding_secret(base: &Value) -> Value {
    seen(base, json!({"hiddenFields": ["secret"]}))
}

#[test]
fn each_override_shows_as_the_contract_says() {
    let base = json!({
        "type": "object",
        "properties": {
            "prompt": {"type": "string"},
            "secret": {"type": "string"},
            "seed": {"type": "integer"},
            "style": {"default": "photo"},
            "width": {"type": "integer", "default": 512},
            "steps": true,
        },
        "required": ["prompt", "secret", "seed"],
    });
    let overrides = json!({
        "defaultInputs": {"style": "anime", "prompt": "a cat", "secret": "d", "unknown": 1},
        "lockedInputs": {"width": 1024, "steps": 9, "elsewhere": 1},
        "hiddenFields": ["secret"],
        "secretInputs": {"seed": 42},
        "promptPrefix": "PREFIX",
        "promptSuffix": "SUFFIX",
    });
    assert_eq!(
        seen(&base, overrides),
        json!({
            "type": "object",
            "properties": {
                "prompt": {"type": "string", "default": "a cat"},
                "style": {"default": "photo"},
                "width": {"type": "integer", "default": 1024, "readOnly": true},
                "steps": {"readOnly": true, "default": 9},
            },
            "required": ["prompt"],
        })
    );
}

#[test]
fn without_overrides_the_schema_is_the_same_to_the_byte() {
    let base = json!({
        "type": "object", "b": [1], "$defs": {"unused": {}}, "properties": {"z": {}, "a": {}},
        "oneOf": [{"required": ["z"]}, {"$ref": "#/missing"}],
    });
    assert_eq!(seen(&base, json!({})).to_string(), base.to_string());
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn concealed_names_leave_every_rule_about_the_inputs() {
    let table = [
        (
            json!({"dependentRequired": {"secret": ["a"], "a": ["secret", "b"]}}),
            "dependent lists",
            json!({"dependentRequired": {"a": ["b"]}}),
        ),
        (
            json!({"dependentSchemas": {"secret": {"required": ["a"]}, "a": {"required": ["secret"]}}}),
            "dependent schemas",
            json!({"dependentSchemas": {"a": {"required": []}}}),
        ),
        (
            json!({"default": {"a": 1, "secret": 2}, "examples": [{"secret": 1, "a": 2}, 5]}),
            "examples",
            json!({"default": {"a": 1}, "examples": [{"a": 2}, 5]}),
        ),
        (
            json!({"enum": [{"a": 1, "secret": 2}]}),
            "whole values",
            json!({"enum": [{"a": 1}]}),
        ),
        (
            json!({"propertyNames": {"enum": ["a", "secret"]}}),
            "lists of names",
            json!({"propertyNames": {"enum": ["a"]}}),
        ),
        (
            json!({"propertyNames": {"pattern": "^(a|secret)$"}}),
            "patterns for names",
            json!({}),
        ),
        (
            json!({"propertyNames": {"pattern": "^secretary$"}}),
            "but not of longer names",
            json!({"propertyNames": {"pattern": "^secretary$"}}),
        ),
        (
            json!({"patternProperties": {"^secret$": {}, "^x_": {}}, "additionalProperties": false}),
            "pattern properties",
            json!({"patternProperties": {"^x_": {}}}),
        ),
        (
            json!({"allOf": [{"properties": {"secret": {}, "a": {}}, "required": ["secret"]}]}),
            "allOf",
            json!({"allOf": [{"properties": {"a": {}}, "required": []}]}),
        ),
        (
            json!({"anyOf": [{"required": ["secret"]}, {"required": ["a"]}]}),
            "anyOf",
            json!({"anyOf": [{"required": []}, {"required": ["a"]}]}),
        ),
        (
            json!({"oneOf": [{"required": ["secret"]}, {"required": ["a"]}]}),
            "oneOf is loosened",
            json!({"anyOf": [{"required": []}, {"required": ["a"]}]}),
        ),
        (
            json!({"anyOf": [true], "oneOf": [{"required": ["secret"]}]}),
            "oneOf beside anyOf",
            json!({"anyOf": [true], "allOf": [{"anyOf": [{"required": []}]}]}),
        ),
        (
            json!({"oneOf": [{"required": ["b"]}, {"required": ["a"]}]}),
            "an innocent oneOf stays",
            json!({"oneOf": [{"required": ["b"]}, {"required": ["a"]}]}),
        ),
        (
            json!({"not": {"required": ["secret"]}}),
            "not would refuse all",
            json!({}),
        ),
        (
            json!({"not": {"required": ["a"]}}),
            "an innocent not stays",
            json!({"not": {"required": ["a"]}}),
        ),
        (
            json!({"not": {"anyOf": [{"allOf": [{"required": ["secret"]}]}]}}),
            "deep inside not",
            json!({}),
        ),
        (
            json!({"if": {"required": ["secret"]}, "then": {"required": ["a"]}, "else": {"required": ["b"]}}),
            "a condition on it leaves",
            json!({}),
        ),
        (
            json!({"if": {"required": ["a"]}, "then": {"required": ["secret", "b"]}}),
            "a consequence is shortened",
            json!({"if": {"required": ["a"]}, "then": {"required": ["b"]}}),
        ),
        (
            json!({"x-order": ["a", "secret"], "x-ui": {"secret": 1, "rows": [["secret"]]}}),
            "other tools' keywords",
            json!({"x-order": ["a"], "x-ui": {"rows": [[]]}}),
        ),
        (
            json!({"properties": {"a": {"properties": {"secret": {}}, "required": ["secret"]}}}),
            "a nested object is another object",
            json!({"properties": {"a": {"properties": {"secret": {}}, "required": ["secret"]}}}),
        ),
    ];
    for (base, why, expected) in table {
        assert_eq!(hiding_secret(&base), expected, "{why}");
    }
}

#[test]
fn references_lead_to_no_hidden_part() {
    let table = [
        (
            json!({"$ref": "#/$defs/In", "$defs": {"In": {"properties": {"a": {}, "secret": {"$ref": "#/$defs/T"}}}, "T": {"const": 1}}}),
            "the root's definition is cleaned, the field's own leaves",
            json!({"$ref": "#/$defs/In", "$defs": {"In": {"properties": {"a": {}}}}}),
        ),
        (
            json!({"properties": {"secret": {"$ref": "#/$defs/T"}, "a": {"$ref": "#/$defs/T"}}, "$defs": {"T": {}}}),
            "a definition still in use stays",
            json!({"properties": {"a": {"$ref": "#/$defs/T"}}, "$defs": {"T": {}}}),
        ),
        (
            json!({"properties": {"secret": {"type": "string"}, "a": {"$ref": "#/properties/secret", "title": "A"}}}),
            "a reference into the field leaves",
            json!({"properties": {"a": {"title": "A"}}}),
        ),
        (
            json!({"properties": {"secret": {"$anchor": "s"}, "a": {"$dynamicRef": "#s"}}}),
            "by its anchor, too",
            json!({"properties": {"a": {}}}),
        ),
        (
            json!({"not": {"$ref": "#/$defs/N"}, "$defs": {"N": {"required": ["secret"]}}}),
            "not through a reference",
            json!({"$defs": {}}),
        ),
        (
            json!({"allOf": [{"$defs": {"T": {}}, "properties": {"secret": {"$ref": "#/allOf/0/$defs/T"}}}]}),
            "definitions in a part",
            json!({"allOf": [{"$defs": {}, "properties": {}}]}),
        ),
        (
            json!({"properties": {"secret": {}, "a": {"$ref": "#/$defs/L"}}, "$defs": {"L": {"properties": {"next": {"$ref": "#/$defs/L"}}}}}),
            "recursion is followed once",
            json!({"properties": {"a": {"$ref": "#/$defs/L"}}, "$defs": {"L": {"properties": {"next": {"$ref": "#/$defs/L"}}}}}),
        ),
    ];
    for (base, why, expected) in table {
        assert_eq!(hiding_secret(&base), expected, "{why}");
    }
}

#[test]
fn locks_and_defaults_find_fields_outside_the_root() {
    let base = json!({
        "allOf": [{"$ref": "#/$defs/size"}],
        "$defs": {"size": {"properties": {"width": {"type": "integer"}}}},
    });
    let view = seen(&base, json!({"lockedInputs": {"width": 8}}));
    assert_eq!(
        view["$defs"]["size"]["properties"]["width"],
        json!({"type": "integer", "readOnly": true, "default": 8})
    );
}

#[test]
fn a_secret_wins_over_a_lock_that_would_show_it() {
    let base = json!({"properties": {"seed": {}, "a": {}}});
    let overrides = json!({
        "lockedInputs": {"seed": 1}, "defaultInputs": {"seed": 2}, "secretInputs": {"seed": 3},
    });
    assert_eq!(seen(&base, overrides), json!({"properties": {"a": {}}}));
}
