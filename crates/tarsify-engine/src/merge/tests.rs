//! The order of the merge, its example to the byte, and its laws.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tarsify_domain::catalog::ConfigOverrides;

use super::merge_inputs;

fn overrides(value: Value) -> ConfigOverrides {
    ConfigOverrides::parse(value).unwrap()
}

fn merged(user: Value, configuration: Value) -> Value {
    let merged = merge_inputs(user.as_object().unwrap(), &overrides(configuration));
    Value::Object(merged)
}

#[test]
fn the_contracts_example_holds_to_the_byte() {
    let payload = merged(
        json!({"prompt": "sunset"}),
        json!({
            "defaultInputs": {"style": "anime"},
            "lockedInputs": {"width": 1024},
            "hiddenFields": ["negative_prompt"],
            "promptPrefix": "anime style, ",
            "promptSuffix": ", high quality",
        }),
    );
    assert_eq!(
        payload.to_string(),
        r#"{"prompt":"anime style, sunset, high quality","style":"anime","width":1024}"#
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn each_step_does_its_part() {
    let table = [
        (
            json!({"a": 1}),
            json!({}),
            "no overrides change nothing",
            json!({"a": 1}),
        ),
        (
            json!({}),
            json!({"defaultInputs": {"a": 1}}),
            "a default fills a gap",
            json!({"a": 1}),
        ),
        (
            json!({"a": null}),
            json!({"defaultInputs": {"a": 1}}),
            "null is not given",
            json!({"a": 1}),
        ),
        (
            json!({"a": ""}),
            json!({"defaultInputs": {"a": 1}}),
            "an empty text is not given",
            json!({"a": 1}),
        ),
        (
            json!({"a": 0}),
            json!({"defaultInputs": {"a": 1}}),
            "zero is given",
            json!({"a": 0}),
        ),
        (
            json!({"a": false}),
            json!({"defaultInputs": {"a": true}}),
            "false is given",
            json!({"a": false}),
        ),
        (
            json!({"a": []}),
            json!({"defaultInputs": {"a": [1]}}),
            "an empty list is given",
            json!({"a": []}),
        ),
        (
            json!({"a": " "}),
            json!({"defaultInputs": {"a": "x"}}),
            "a blank is given",
            json!({"a": " "}),
        ),
        (
            json!({"a": null}),
            json!({}),
            "null without a default stays",
            json!({"a": null}),
        ),
        (
            json!({"a": 5}),
            json!({"lockedInputs": {"a": 1}}),
            "a lock wins over the user",
            json!({"a": 1}),
        ),
        (
            json!({}),
            json!({"defaultInputs": {"a": 5}, "lockedInputs": {"a": 1}}),
            "and over a default",
            json!({"a": 1}),
        ),
        (
            json!({"a": 5, "b": 1}),
            json!({"hiddenFields": ["a"]}),
            "a hidden field leaves",
            json!({"b": 1}),
        ),
        (
            json!({}),
            json!({"hiddenFields": ["a"], "lockedInputs": {"a": 1}, "defaultInputs": {"a": 2}}),
            "with its lock and default",
            json!({}),
        ),
        (
            json!({}),
            json!({"hiddenFields": ["a"], "secretInputs": {"a": 1}}),
            "a secret comes after hiding",
            json!({"a": 1}),
        ),
        (
            json!({"a": 5}),
            json!({"lockedInputs": {"a": 2}, "secretInputs": {"a": 1}}),
            "a secret wins over a lock",
            json!({"a": 1}),
        ),
        (
            json!({"prompt": ""}),
            json!({"promptPrefix": "p "}),
            "an empty prompt is not wrapped",
            json!({"prompt": ""}),
        ),
        (
            json!({"prompt": 7}),
            json!({"promptPrefix": "p "}),
            "nor is a number",
            json!({"prompt": 7}),
        ),
        (
            json!({}),
            json!({"promptPrefix": "p "}),
            "nor is nothing",
            json!({}),
        ),
        (
            json!({"prompt": "x"}),
            json!({"promptSuffix": " s"}),
            "a suffix alone will do",
            json!({"prompt": "x s"}),
        ),
        (
            json!({"prompt": "x"}),
            json!({"lockedInputs": {"prompt": "l"}, "promptPrefix": "p "}),
            "a locked prompt is wrapped",
            json!({"prompt": "p l"}),
        ),
        (
            json!({}),
            json!({"defaultInputs": {"prompt": "d"}, "promptPrefix": "p "}),
            "so is a default one",
            json!({"prompt": "p d"}),
        ),
        (
            json!({}),
            json!({"secretInputs": {"prompt": "s"}, "promptPrefix": "p "}),
            "a secret one is sent as written",
            json!({"prompt": "s"}),
        ),
        (
            json!({"prompt": "x"}),
            json!({"hiddenFields": ["prompt"], "promptPrefix": "p "}),
            "a hidden one is gone",
            json!({}),
        ),
        (
            json!({"text": "x", "prompt": "y"}),
            json!({"promptField": "text", "promptPrefix": "p "}),
            "another field can be the prompt",
            json!({"text": "p x", "prompt": "y"}),
        ),
        (
            json!({"a": 1}),
            json!({"defaultInputs": null, "hiddenFields": null, "promptPrefix": null, "theme": 1}),
            "nulls and unknown keys do nothing",
            json!({"a": 1}),
        ),
    ];
    for (user, configuration, why, expected) in table {
        assert_eq!(merged(user, configuration), expected, "{why}");
    }
}

#[test]
fn hiding_keeps_the_order_of_the_rest() {
    let payload = merged(
        json!({"a": 1, "b": 2, "c": 3, "d": 4}),
        json!({"hiddenFields": ["a"]}),
    );
    assert_eq!(payload.to_string(), r#"{"b":2,"c":3,"d":4}"#);
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2i64..3).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
        Just(json!([1])),
    ]
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof!["[a-e]", Just("prompt".to_owned())];
    proptest::collection::vec((key, value()), 0..5).prop_map(Map::from_iter)
}

prop_compose! {
    fn configuration()(
        defaults in object(), locked in object(), secret in object(),
        hidden in proptest::collection::vec("[a-e]|prompt", 0..3),
        prefix in "[x-z]{0,2}", suffix in "[x-z]{0,2}",
    ) -> ConfigOverrides {
        overrides(json!({
            "defaultInputs": defaults, "lockedInputs": locked, "secretInputs": secret,
            "hiddenFields": hidden, "promptPrefix": prefix, "promptSuffix": suffix,
        }))
    }
}

proptest! {
    #[test]
    fn no_overrides_mean_an_unchanged_copy(user in object()) {
        let merged = merge_inputs(&user, &ConfigOverrides::default());
        prop_assert_eq!(Value::Object(merged).to_string(), Value::Object(user).to_string());
    }

    #[test]
    fn every_field_comes_from_where_it_should(user in object(), overrides in configuration()) {
        let merged = merge_inputs(&user, &overrides);
        let secret = overrides.secret_inputs().unwrap();
        let locked = overrides.locked_inputs().unwrap();
        let defaults = overrides.default_inputs().unwrap();
        for (name, value) in secret {
            prop_assert_eq!(merged.get(name), Some(value), "a secret is sent as written");
        }
        for name in overrides.hidden_fields().filter(|name| !secret.contains_key(*name)) {
            prop_assert!(!merged.contains_key(name), "a hidden field is never present");
        }
        for (name, value) in &merged {
            prop_assert!([&user, secret, locked, defaults].iter().any(|from| from.contains_key(name)));
            if secret.contains_key(name) || name == "prompt" {
                continue;
            }
            let expected = match (locked.get(name), user.get(name), defaults.get(name)) {
                (Some(fixed), _, _) => Some(fixed),
                (None, Some(given), Some(default)) if super::is_blank(given) => Some(default),
                (None, Some(given), _) => Some(given),
                (None, None, default) => default,
            };
            prop_assert_eq!(Some(value), expected, "{}", name);
        }
        let is_hidden = |name: &str| overrides.hidden_fields().any(|hidden| hidden == name);
        for name in user.keys().filter(|name| !is_hidden(name)) {
            prop_assert!(merged.contains_key(name), "a visible field of the user stays");
        }
    }

    /// Merging is not idempotent: a second merge wraps the prompt again. All else stays.
    #[test]
    fn a_second_merge_changes_the_prompt_alone(user in object(), overrides in configuration()) {
        let once = merge_inputs(&user, &overrides);
        let twice = merge_inputs(&once, &overrides);
        prop_assert_eq!(once.len(), twice.len());
        for (name, value) in once.iter().filter(|(name, _)| *name != "prompt") {
            prop_assert_eq!(Some(value), twice.get(name));
        }
    }

    #[test]
    fn without_prefix_and_suffix_a_second_merge_changes_nothing(
        user in object(), defaults in object(), locked in object(), secret in object(),
    ) {
        let overrides = overrides(json!({
            "defaultInputs": defaults, "lockedInputs": locked, "secretInputs": secret,
        }));
        let once = merge_inputs(&user, &overrides);
        prop_assert_eq!(&merge_inputs(&once, &overrides), &once);
    }
}
