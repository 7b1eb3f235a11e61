//! Which schemas and configurations the catalogue takes, and what it says of the others.

use serde_json::{Map, Value, json};
use tarsify_domain::Issue;
use tarsify_domain::catalog::{ConfigOverrides, InputSchema, SchemaRules};

use super::JsonSchemaRules;

fn places(issues: Vec<Issue>) -> Vec<String> {
    let mut places: Vec<String> = issues
        .into_iter()
        .map(|issue| format!("{} {}", issue.path, issue.code))
        .collect();
    places.sort();
    places
}

fn schema_faults(schema: Value) -> Vec<String> {
    places(JsonSchemaRules.check_schema(&InputSchema::parse(schema).unwrap()))
}

#[test]
fn good_schemas_pass() {
    let table = [
        (json!({"type": "object"}), "the least"),
        (
            json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}),
            "with its dialect",
        ),
        (
            json!({"$schema": "https://json-schema.org/draft/2020-12/schema#", "type": "object"}),
            "with a trailing #",
        ),
        (
            json!({"type": "object", "properties": {"next": {"$ref": "#"}}}),
            "recursion through a property",
        ),
        (
            json!({"type": "object", "$defs": {"a": {"$anchor": "x"}}, "properties": {"p": {"$ref": "#x"}, "q": {"$ref": "#/$defs/a"}}}),
            "references",
        ),
        (
            json!({"type": "object", "properties": {"$ref": {"type": "string"}, "$id": true, "pattern": {"const": "("}}}),
            "properties named like keywords",
        ),
        (
            json!({"type": "object", "default": {"$ref": "http://x"}, "examples": [{"$id": "x"}], "x-any": {"pattern": "("}}),
            "values are no schemas",
        ),
        (
            json!({"type": "object", "properties": {"p": {"pattern": "^\\p{L}{1,50}$"}}}),
            "a Unicode pattern",
        ),
        (
            json!({"type": "object", "definitions": {"a": {}}, "properties": {"p": {"$ref": "#/definitions/a"}}}),
            "the old name of definitions",
        ),
    ];
    for (schema, why) in table {
        assert_eq!(schema_faults(schema), Vec::<String>::new(), "{why}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn bad_schemas_are_refused_fault_by_fault() {
    let table = [
        (json!({}), "no type", vec![" type"]),
        (
            json!({"type": "string"}),
            "another type",
            vec!["/type type"],
        ),
        (
            json!({"type": ["object", "null"]}),
            "several types",
            vec!["/type type"],
        ),
        (json!({"type": 5}), "no type at all", vec!["/type type"]),
        (
            json!({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"}),
            "another dialect",
            vec!["/$schema $schema"],
        ),
        (
            json!({"type": "object", "properties": []}),
            "properties as a list",
            vec!["/properties type"],
        ),
        (
            json!({"type": "object", "required": "a"}),
            "required as a text",
            vec!["/required type"],
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "strng", "maxLength": -1}, "b": 5}}),
            "faults inside",
            vec![
                "/properties/a/maxLength minimum",
                "/properties/a/type enum",
                "/properties/b type",
            ],
        ),
        (
            json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/a.json"}}}),
            "a foreign reference",
            vec!["/properties/a/$ref $ref"],
        ),
        (
            json!({"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}),
            "a file",
            vec!["/properties/a/$ref $ref"],
        ),
        (
            json!({"type": "object", "properties": {"a": {"$dynamicRef": "other#b"}}}),
            "a foreign dynamic reference",
            vec!["/properties/a/$dynamicRef $dynamicRef"],
        ),
        (
            json!({"type": "object", "allOf": [{"$ref": "#/$defs/none"}, {"$ref": "#none"}]}),
            "lost references",
            vec!["/allOf/0/$ref $ref", "/allOf/1/$ref $ref"],
        ),
        (
            json!({"type": "object", "$defs": {"a b": {}}, "items": {"$ref": "#/$defs/a b"}}),
            "a reference with a space",
            vec!["/items/$ref $ref"],
        ),
        (
            json!({"type": "object", "$id": "https://example.com/x"}),
            "a name",
            vec!["/$id $id"],
        ),
        (
            json!({"type": "object", "properties": {"a": {"$id": "x", "$schema": "http://json-schema.org/draft-04/schema#"}}}),
            "a part with a name and dialect",
            vec!["/properties/a/$id $id", "/properties/a/$schema $schema"],
        ),
        (
            json!({"type": "object", "$vocabulary": {}}),
            "a vocabulary",
            vec!["/$vocabulary $vocabulary"],
        ),
        (
            json!({"type": "object", "properties": {"a": {"pattern": "("}}, "patternProperties": {"[": {}}}),
            "bad patterns",
            vec![
                "/patternProperties/[ pattern",
                "/properties/a/pattern pattern",
            ],
        ),
        (
            json!({"type": "object", "properties": {"a": {"pattern": "^(?!x)"}}}),
            "look-around can be slow",
            vec!["/properties/a/pattern pattern"],
        ),
        (
            json!({"type": "object", "properties": {"a": {"pattern": "(.{1000}){1000}"}}}),
            "a huge pattern",
            vec!["/properties/a/pattern pattern"],
        ),
        (
            json!({"type": "object", "allOf": [{"$ref": "#"}]}),
            "a loop",
            vec![" $ref"],
        ),
        (
            json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}),
            "a loop of two",
            vec!["/$defs/a $ref"],
        ),
    ];
    for (schema, why, expected) in table {
        assert_eq!(schema_faults(schema), expected, "{why}");
    }
}

/// `count` definitions, each made by `make` from the name of the next.
fn chain(count: usize, make: impl Fn(Value) -> Value) -> Value {
    let mut definitions = Map::new();
    for index in 0..count {
        let next = json!({"$ref": format!("#/$defs/d{}", index + 1)});
        definitions.insert(format!("d{index}"), make(next));
    }
    definitions.insert(format!("d{count}"), json!({}));
    json!({"type": "object", "$defs": definitions, "properties": {"a": {"$ref": "#/$defs/d0"}}})
}

#[test]
fn schemas_that_explode_are_refused() {
    let doubling = |next: Value| json!({"allOf": [next, next]});
    assert_eq!(schema_faults(chain(4, doubling)), Vec::<String>::new());
    assert_eq!(schema_faults(chain(40, doubling)).len(), 1);
    assert_eq!(schema_faults(chain(1_900, |next| next)).len(), 1);
    let mut deep = json!({});
    for _ in 0..40 {
        deep = json!({"items": [deep]});
    }
    assert_eq!(
        schema_faults(json!({"type": "object", "a": deep})),
        [" maxDepth"]
    );
}

#[test]
fn long_chains_through_values_are_harmless() {
    let schema = chain(1_000, |next| json!({"items": next}));
    assert_eq!(schema_faults(schema), Vec::<String>::new());
}

fn base() -> Value {
    json!({
        "type": "object",
        "properties": {
            "prompt": {"$ref": "#/$defs/text"},
            "caption": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "negative": {"type": "string"},
            "style": {"enum": ["anime", "photo"]},
            "width": {"$ref": "#/$defs/side%20%C3%A4"},
        },
        "required": ["prompt", "negative"],
        "patternProperties": {"^x_": {"type": "boolean"}},
        "additionalProperties": false,
        "$defs": {
            "side ä": {"type": "integer", "maximum": 2048},
            "text": {"type": "string", "maxLength": 20},
        },
    })
}

fn override_issues(base: Value, overrides: Value) -> Vec<Issue> {
    JsonSchemaRules.check_overrides(
        &InputSchema::parse(base).unwrap(),
        &ConfigOverrides::parse(overrides).unwrap(),
    )
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn overrides_must_fit_the_schema() {
    let long = "x".repeat(15);
    let table = [
        (json!({}), "nothing", vec![]),
        (
            json!({"defaultInputs": {"style": "anime", "x_fast": true}, "lockedInputs": {"width": 8}}),
            "good values",
            vec![],
        ),
        (
            json!({"lockedInputs": {"width": 5000}}),
            "through a reference",
            vec!["/lockedInputs/width maximum"],
        ),
        (
            json!({"lockedInputs": {"widht": 1}}),
            "a slip of the pen",
            vec!["/lockedInputs/widht additionalProperties"],
        ),
        (
            json!({"defaultInputs": {"style": "oil", "x_fast": 1, "width": "a"}}),
            "all of them",
            vec![
                "/defaultInputs/style enum",
                "/defaultInputs/width type",
                "/defaultInputs/x_fast type",
            ],
        ),
        (
            json!({"secretInputs": {"negative": 1}}),
            "secrets",
            vec!["/secretInputs/negative type"],
        ),
        (
            json!({"hiddenFields": ["unknown", "style"]}),
            "hiding what may be absent",
            vec![],
        ),
        (
            json!({"hiddenFields": ["style", "negative"]}),
            "hiding what is required",
            vec!["/hiddenFields/1 required"],
        ),
        (
            json!({"hiddenFields": ["negative"], "lockedInputs": {"negative": "a"}}),
            "a lock leaves with it",
            vec!["/hiddenFields/0 required"],
        ),
        (
            json!({"hiddenFields": ["negative"], "secretInputs": {"negative": "a"}}),
            "a secret is the remedy",
            vec![],
        ),
        (
            json!({"promptPrefix": "a", "promptSuffix": "b"}),
            "a good wrap",
            vec![],
        ),
        (
            json!({"promptPrefix": long, "promptSuffix": "12345"}),
            "no room",
            vec!["/promptPrefix maxLength"],
        ),
        (
            json!({"promptSuffix": "x".repeat(20)}),
            "no room after it",
            vec!["/promptSuffix maxLength"],
        ),
        (
            json!({"promptField": "caption", "promptPrefix": "a"}),
            "another text",
            vec![],
        ),
        (
            json!({"promptField": "width"}),
            "no text",
            vec!["/promptField type"],
        ),
        (
            json!({"promptField": "none", "promptPrefix": "a"}),
            "no such field",
            vec!["/promptField properties"],
        ),
        (
            json!({"lockedInputs": {"prompt": "0123456789"}, "promptPrefix": "0123456789-"}),
            "a locked prompt with its wrap",
            vec!["/lockedInputs/prompt maxLength"],
        ),
        (
            json!({"theme": {"any": 1}}),
            "unknown keys are not looked at",
            vec![],
        ),
    ];
    for (overrides, why, expected) in table {
        assert_eq!(
            places(override_issues(base(), overrides)),
            expected,
            "{why}"
        );
    }
}

#[test]
fn open_schemas_take_what_they_do_not_name() {
    let open = json!({"type": "object", "properties": {"text": {"type": "string"}}});
    let table = [
        (
            json!({"lockedInputs": {"anything": 1}, "defaultInputs": {"style": "anime"}}),
            "unnamed values",
            vec![],
        ),
        (
            json!({"promptPrefix": "a"}),
            "but a prompt that nobody can give",
            vec!["/promptPrefix properties"],
        ),
        (
            json!({"promptSuffix": "a", "defaultInputs": {"prompt": "p"}}),
            "unless it is preset",
            vec![],
        ),
        (
            json!({"promptField": "text", "promptPrefix": "a"}),
            "or named",
            vec![],
        ),
    ];
    for (overrides, why, expected) in table {
        assert_eq!(
            places(override_issues(open.clone(), overrides)),
            expected,
            "{why}"
        );
    }
    let closed = json!({"type": "object", "additionalProperties": false});
    assert_eq!(
        places(override_issues(closed, json!({"lockedInputs": {"a": 1}}))),
        ["/lockedInputs/a additionalProperties"]
    );
    let contract = json!({
        "defaultInputs": {"style": "anime"}, "lockedInputs": {"width": 1024},
        "hiddenFields": ["negative_prompt"], "promptPrefix": "anime style, ",
        "promptSuffix": ", high quality",
    });
    assert_eq!(override_issues(json!({"type": "object"}), contract), []);
}

#[test]
fn messages_name_the_fault_and_the_remedy() {
    let told = |overrides| override_issues(base(), overrides).remove(0).message;
    assert_eq!(
        told(json!({"lockedInputs": {"width": 5000}})),
        "must be at most 2048, not 5000"
    );
    assert_eq!(
        told(json!({"lockedInputs": {"widht": 1}})),
        "is not an input of the base model: remove it"
    );
    assert!(told(json!({"hiddenFields": ["negative"]})).contains("secretInputs"));
    assert!(told(json!({"lockedInputs": {"width": "x".repeat(5_000)}})).len() < 300);
}

#[test]
fn overrides_of_a_broken_schema_are_refused_once() {
    let issues = override_issues(json!({"$ref": "#/none"}), json!({"lockedInputs": {"a": 1}}));
    assert_eq!(places(issues), [" schema"]);
}
