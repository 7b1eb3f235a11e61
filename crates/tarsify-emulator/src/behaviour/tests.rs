//! Which scripts are followed and which are refused.

use std::error::Error;

use super::{Script, ScriptError};
use crate::faults::{FaultKind, When};

#[test]
fn a_script_names_behaviours_by_endpoint() {
    let script = Script::parse(
        r#"{"demo-sdxl": {"queueMs": 5, "faults": [{"when": "run", "kind": "rate_limited", "times": 2}]}, "x": {}}"#,
    )
    .unwrap();
    let behaviour = &script.endpoints["demo-sdxl"];
    assert_eq!(behaviour.queue_ms, Some(5));
    assert_eq!(behaviour.run_ms, None);
    assert_eq!(behaviour.faults[0].when, When::Run);
    assert_eq!(behaviour.faults[0].kind, FaultKind::RateLimited);
    assert_eq!(behaviour.faults[0].times, Some(2));
}

#[test]
fn a_script_that_cannot_be_followed_is_refused() {
    for (text, why) in [
        ("[]", "not an object"),
        (r#"{"x": {"runms": 5}}"#, "an unknown key"),
        (
            r#"{"x": {"faults": [{"when": "run", "kind": "boom"}]}}"#,
            "an unknown kind",
        ),
        (
            r#"{"x": {"faults": [{"when": "run", "kind": "delay", "millis": 5}]}}"#,
            "an unknown key of a fault",
        ),
        (r#"{"x": {"runMs": 604800001}}"#, "more than a week"),
    ] {
        assert!(Script::parse(text).is_err(), "{why}");
    }
    let error =
        Script::parse(r#"{"x": {"faults": [{"when": "webhook", "kind": "stuck"}]}}"#).unwrap_err();
    assert!(matches!(error, ScriptError::Behaviour { .. }));
    let source = error.source().and_then(Error::source).unwrap().to_string();
    assert!(source.contains("`run`"), "{source}");
}
