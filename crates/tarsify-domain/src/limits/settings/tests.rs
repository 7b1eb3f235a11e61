//! Which settings can be made, and what they mean.

use super::*;

fn faults(document: &Value) -> Vec<(String, String)> {
    let issues = LimitSettings::parse(document).unwrap_err();
    let issues = issues.into_iter().map(|issue| (issue.path, issue.code));
    issues.collect()
}

fn with(pointer: &str, value: Value) -> Value {
    let mut document = LimitSettings::default().to_json();
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

#[test]
fn what_is_written_is_read() {
    let settings = LimitSettings::default();
    assert_eq!(LimitSettings::parse(&settings.to_json()), Ok(settings));
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let expected = json!({
        "tiers": [
            {"name": "free", "minPurchased": 0, "multiplier": 1},
            {"name": "basic", "minPurchased": 100, "multiplier": 1.5},
            {"name": "premium", "minPurchased": 500, "multiplier": 2},
            {"name": "vip", "minPurchased": 2_000, "multiplier": 3},
        ],
        "limits": {
            "globalApi": {"max": 200}, "userApi": {"max": 60}, "taskCreation": {"max": 10},
            "upload": {"max": 30}, "authSession": {"max": 120}, "authAction": {"max": 10},
        },
        "maxConcurrentRuns": 5,
        "providers": {},
    });
    assert_eq!(LimitSettings::default().to_json(), expected);
}

#[test]
fn a_tier_is_the_highest_that_was_reached() {
    let settings = LimitSettings::default();
    let cases = [
        (-5, "free"),
        (0, "free"),
        (99, "free"),
        (100, "basic"),
        (499, "basic"),
        (500, "premium"),
        (1_999, "premium"),
        (2_000, "vip"),
        (i64::MAX, "vip"),
    ];
    for (bought, name) in cases {
        let tier = settings.tier_of(Credits::new(bought)).unwrap();
        assert_eq!(tier.name, name, "{bought}");
    }
}

/// Each value is set at its place, and refused under the code at that place.
fn assert_refused(cases: impl IntoIterator<Item = (&'static str, Value, &'static str)>) {
    for (path, value, code) in cases {
        assert_refused_at(path, path, value, code);
    }
}

fn assert_refused_at(set: &str, path: &str, value: Value, code: &str) {
    let found = faults(&with(set, value));
    let expected = (path.to_owned(), code.to_owned());
    assert!(found.contains(&expected), "{path}: {found:?}");
}

#[test]
fn limits_that_would_lock_people_out_are_refused_where_they_stand() {
    assert_refused([
        ("/limits/globalApi/max", json!(0), "range"),
        ("/limits/globalApi/max", json!(9), "range"),
        ("/limits/userApi/max", json!(9), "range"),
        ("/limits/authSession/max", json!(9), "range"),
        ("/limits/taskCreation/max", json!(0), "range"),
        ("/limits/upload/max", json!(-1), "range"),
        ("/limits/authAction/max", json!(1.5), "range"),
        ("/limits/upload/max", json!(1_000_001), "range"),
        ("/limits/upload/max", json!(u64::MAX), "range"),
        ("/limits", json!([]), "type"),
        ("/maxConcurrentRuns", json!(0), "range"),
        ("/maxConcurrentRuns", json!("5"), "range"),
    ]);
    let maximum = "/limits/authAction/max";
    assert_refused_at("/limits/authAction", maximum, json!(7), "range");
    assert_refused_at("/limits", "/limits/gpu", json!({"gpu": {"max": 1}}), "enum");
}

#[test]
fn tiers_that_nobody_could_be_in_are_refused_where_they_stand() {
    assert_refused([
        ("/tiers", json!([]), "length"),
        ("/tiers", json!({}), "type"),
        ("/tiers/0/minPurchased", json!(1), "const"),
        ("/tiers/2/minPurchased", json!(100), "order"),
        ("/tiers/2/minPurchased", json!(-1), "range"),
        ("/tiers/3/name", json!("free"), "uniqueItems"),
        ("/tiers/3/name", json!(" "), "length"),
        ("/tiers/3/name", json!("v\u{0}p"), "length"),
        ("/tiers/3/name", json!("v".repeat(41)), "length"),
        ("/tiers/1/multiplier", json!(0), "range"),
        ("/tiers/1/multiplier", json!(-1.5), "range"),
        ("/tiers/1/multiplier", json!(0.09), "range"),
        ("/tiers/1/multiplier", json!(100.01), "range"),
        ("/tiers/1/multiplier", json!(1e300), "range"),
        ("/tiers/1/multiplier", json!(1.005), "range"),
        ("/tiers/1/multiplier", json!("2"), "range"),
    ]);
}

#[test]
fn every_fault_is_told_at_once() {
    let found = faults(&json!({
        "tiers": [{"name": "", "minPurchased": "0", "multiplier": 0}],
        "limits": {"globalApi": {"max": 0}, "x": {}},
        "maxConcurrentRuns": 0,
    }));
    let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
    let expected = [
        "/tiers/0/name",
        "/tiers/0/minPurchased",
        "/tiers/0/multiplier",
        "/limits/globalApi/max",
        "/limits/x",
        "/maxConcurrentRuns",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_change_keeps_what_it_does_not_mention() {
    let limits = LimitSettingsPatch::read_limits(&json!({"upload": {"max": 7}})).unwrap();
    let patch = LimitSettingsPatch {
        limits: Some(limits),
        ..LimitSettingsPatch::default()
    };
    let changed = LimitSettings::default().changed(patch);
    assert_eq!(changed.to_json(), with("/limits/upload/max", json!(7)));
}

#[test]
fn a_multiplier_rounds_down_and_leaves_something() {
    let read = |number: Value| Multiplier::read(&number).unwrap();
    let cases = [
        (json!(1.5), 5, 7),
        (json!(2), 60, 120),
        (json!(3.0), 10, 30),
        (json!(0.1), 5, 1),
        (json!(1.25), 10, 12),
        (json!(100), u32::MAX, u32::MAX),
    ];
    for (multiplier, number, expected) in cases {
        assert_eq!(
            read(multiplier.clone()).times(number),
            expected,
            "{multiplier}"
        );
    }
}

#[test]
fn limits_of_providers_are_read_as_those_of_endpoints() {
    let limits = json!({"runpod": {"maxConcurrency": 9, "retryOn429": false, "maxPerDay": null}});
    let document = with("/providers", limits);
    let settings = LimitSettings::parse(&document).unwrap();
    let its = settings.providers()[&Provider::RunPod];
    assert_eq!((its.max_concurrency, its.max_per_day), (Some(9), None));
    assert_eq!(its.retry_on_429, Some(false));
    assert_eq!(LimitSettings::parse(&settings.to_json()), Ok(settings));
    let bad = json!({"runpod": {"maxConcurrency": 0, "max": 1}, "somebody": {}});
    let expected = [
        ("/providers/runpod/max", "additionalProperties"),
        ("/providers/runpod/maxConcurrency", "range"),
        ("/providers/somebody", "enum"),
    ];
    let expected = expected.map(|(path, code)| (path.to_owned(), code.to_owned()));
    assert_eq!(faults(&with("/providers", bad)), expected);
    let none = [("/providers".to_owned(), "type".to_owned())];
    assert_eq!(faults(&with("/providers", json!([]))), none);
}

#[test]
fn settings_from_before_there_were_limits_of_providers_are_read() {
    let mut document = LimitSettings::default().to_json();
    document.as_object_mut().unwrap().remove("providers");
    assert_eq!(
        LimitSettings::parse(&document),
        Ok(LimitSettings::default())
    );
}

#[test]
fn a_change_of_a_providers_limits_replaces_all_of_them() {
    let read = |value: &Value| LimitSettingsPatch {
        providers: Some(LimitSettingsPatch::read_providers(value).unwrap()),
        ..LimitSettingsPatch::default()
    };
    let many = json!({"runpod": {"maxPerMinute": 7, "maxRetries": 0}});
    let settings = LimitSettings::default().changed(read(&many));
    assert_eq!(settings.to_json()["providers"], many);
    assert_eq!(settings.changed(LimitSettingsPatch::default()), settings);
    let one = json!({"runpod": {"maxConcurrency": 3}});
    let settings = settings.changed(read(&one));
    assert_eq!(settings.to_json()["providers"], one);
    assert_eq!(settings.changed(read(&json!({}))), settings);
    for none in [json!({"runpod": null}), json!({"runpod": {}})] {
        assert_eq!(settings.changed(read(&none)), LimitSettings::default());
    }
}
