//! What is concealed.

use serde_json::{Value, json};

use super::concealed;

#[test]
fn prompts_are_kept_when_something_came_around_them() {
    let table = [
        (
            "both",
            json!({"prompt": "cat"}),
            json!({"promptPrefix": "a ", "promptSuffix": " b"}),
            Some(("a cat b", "cat")),
        ),
        (
            "a prefix alone",
            json!({"prompt": "cat"}),
            json!({"promptPrefix": "a "}),
            Some(("a cat", "cat")),
        ),
        ("nothing", json!({"prompt": "cat"}), json!({}), None),
        (
            "an empty prompt is not wrapped",
            json!({"prompt": ""}),
            json!({"promptPrefix": "a "}),
            None,
        ),
        (
            "no text is not wrapped",
            json!({"prompt": 5}),
            json!({"promptPrefix": "a "}),
            None,
        ),
        (
            "another field",
            json!({"text": "cat", "prompt": "dog"}),
            json!({"promptPrefix": "a ", "promptField": "text"}),
            Some(("a cat", "cat")),
        ),
        (
            "a preset is what was wrapped",
            json!({}),
            json!({"promptPrefix": "a ", "defaultInputs": {"prompt": "bird"}}),
            Some(("a bird", "bird")),
        ),
        (
            "so is a fixed one, whatever was typed",
            json!({"prompt": "cat"}),
            json!({"promptPrefix": "a ", "lockedInputs": {"prompt": "bird"}}),
            Some(("a bird", "bird")),
        ),
        (
            "a hidden one is not sent",
            json!({}),
            json!({
                "promptPrefix": "a ", "hiddenFields": ["prompt"],
                "defaultInputs": {"prompt": "bird"},
            }),
            None,
        ),
        (
            "a secret one is sent as it is written",
            json!({}),
            json!({"promptPrefix": "a ", "secretInputs": {"prompt": "a bird"}}),
            None,
        ),
        (
            "he typed all of it himself",
            json!({"prompt": "cat", "note": "look: A CAT!"}),
            json!({"promptPrefix": "a "}),
            None,
        ),
    ];
    for (why, inputs, overrides, expected) in table {
        let concealed = concealed(inputs, overrides);
        let prompts = concealed
            .merged_prompt
            .as_deref()
            .zip(concealed.own_prompt.as_deref());
        assert_eq!(prompts, expected, "{why}");
        assert_eq!(
            concealed.merged_prompt.is_some(),
            concealed.own_prompt.is_some()
        );
    }
}

fn texts(inputs: Value, overrides: Value) -> Vec<String> {
    concealed(inputs, overrides).texts
}

#[test]
fn secret_texts_are_found_wherever_they_stand() {
    let overrides = json!({
        "promptPrefix": "the prefix",
        "promptSuffix": "the longer suffix",
        "secretInputs": {
            "flat": "flat-secret", "short": "1234567", "number": 12_345_678,
            "deep": [{"key-of-secret": ["deep-secret"]}],
        },
        "hiddenFields": ["gone"],
        "lockedInputs": {"gone": "locked-secret", "seen": "a visible lock", "flat": "other-secret"},
        "defaultInputs": {"gone": "default-secret", "style": "a visible default"},
    });
    let expected = [
        "the longer suffix",
        "default-secret",
        "locked-secret",
        "other-secret",
        "deep-secret",
        "flat-secret",
        "the prefix",
    ];
    assert_eq!(texts(json!({}), overrides), expected);
}

#[test]
fn each_text_is_kept_once_and_without_its_spaces_too() {
    let table = [
        (
            json!("anime style, "),
            vec!["anime style, ", "anime style,"],
        ),
        (json!("  12345678"), vec!["  12345678", "12345678"]),
        (json!("1234567 "), vec!["1234567 "]),
        (json!("1234567"), vec![]),
        (json!("        "), vec![]),
        (json!("ééééééé"), vec![]),
        (json!("éééééééé"), vec!["éééééééé"]),
        (json!("[hidden]"), vec![]),
        (json!("[Hidden] "), vec![]),
        (
            json!(["same text", "same text", "Same text"]),
            vec!["Same text", "same text"],
        ),
        (json!(null), vec![]),
    ];
    for (secret, expected) in table {
        let overrides = json!({"secretInputs": {"secret": secret}});
        assert_eq!(texts(json!({}), overrides), expected);
    }
}

#[test]
fn what_he_typed_or_can_read_anyway_is_not_kept_from_him() {
    let typed = |inputs| texts(inputs, json!({"secretInputs": {"secret": "Masterpiece, "}}));
    assert_eq!(
        typed(json!({"prompt": "a cat"})),
        ["Masterpiece, ", "Masterpiece,"]
    );
    assert!(typed(json!({"prompt": "masterpiece, "})).is_empty());
    assert!(typed(json!({"prompt": "masterpiece,"})).is_empty());
    assert!(typed(json!({"tags": [{"tag": "a masterpiece, of its kind"}]})).is_empty());
    let shown = json!({
        "secretInputs": {"secret": "best quality"},
        "lockedInputs": {"style": "Best quality, sharp"},
    });
    assert!(texts(json!({}), shown).is_empty());
    let preset = json!({
        "secretInputs": {"secret": "best quality"},
        "defaultInputs": {"style": "best quality"},
    });
    assert!(texts(json!({}), preset).is_empty());
}

#[test]
fn very_large_inputs_do_not_count_as_words() {
    let image = "masterpiece ".repeat(40_000);
    let overrides = json!({"secretInputs": {"secret": "masterpiece"}});
    assert_eq!(texts(json!({"image": image}), overrides), ["masterpiece"]);
}

#[test]
fn without_overrides_there_is_nothing_to_conceal() {
    assert!(concealed(json!({"prompt": "cat"}), json!({})).is_empty());
}
