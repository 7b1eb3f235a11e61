//! The form of overrides.

use serde_json::json;

use super::*;

#[test]
fn unknown_keys_and_nulls_are_kept_as_written() {
    let written = json!({"promptPrefix": null, "note": {"mine": true}, "hiddenFields": ["seed"]});
    let overrides = ConfigOverrides::parse(written.clone()).unwrap();
    assert_eq!(overrides.to_value(), written);
    assert_eq!(overrides.prompt_prefix(), "");
    assert_eq!(overrides.prompt_field(), "prompt");
    assert_eq!(overrides.hidden_fields().collect::<Vec<_>>(), ["seed"]);
}

#[test]
fn every_malformed_key_is_named_at_once() {
    let issues = ConfigOverrides::parse(json!({
        "defaultInputs": [], "lockedInputs": 1, "secretInputs": "x",
        "promptPrefix": 1, "promptSuffix": "a\u{0}", "hiddenFields": ["a", 1],
    }))
    .unwrap_err();
    let paths: Vec<_> = issues.iter().map(|issue| issue.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/defaultInputs",
            "/lockedInputs",
            "/secretInputs",
            "/promptPrefix",
            "/promptSuffix",
            "/hiddenFields/1"
        ]
    );
    assert_eq!(ConfigOverrides::parse(json!([])).unwrap_err()[0].path, "");
}

/// Lists carry the overrides of every model, so one model must not fill a page.
#[test]
fn the_size_is_bounded() {
    let of = |bytes: usize| json!({ "promptPrefix": "x".repeat(bytes) });
    assert!(ConfigOverrides::parse(of(32_000)).is_ok());
    let issues = ConfigOverrides::parse(of(32 * 1024)).unwrap_err();
    assert_eq!(
        (issues[0].path.as_str(), issues[0].code.as_str()),
        ("", "maxLength")
    );
}
