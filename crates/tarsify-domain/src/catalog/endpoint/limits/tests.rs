//! What follows from limits for one submission.

use serde_json::json;

use super::*;

fn limits() -> EndpointLimits {
    EndpointLimits::default()
}

#[test]
fn repetitions_are_the_operators_to_say() {
    let rated = EndpointLimits {
        max_per_day: Some(10),
        ..limits()
    };
    for (limits, expected) in [
        (limits(), 2),
        (rated, 0),
        (
            EndpointLimits {
                max_retries: Some(0),
                ..limits()
            },
            0,
        ),
        (
            EndpointLimits {
                max_retries: Some(1),
                ..rated
            },
            1,
        ),
        (
            EndpointLimits {
                max_retries: Some(9),
                ..limits()
            },
            2,
        ),
    ] {
        assert_eq!(limits.repetitions(2), expected, "{limits:?}");
    }
}

#[test]
fn the_first_pause_is_never_nothing_and_never_more_than_the_last() {
    for (wanted, expected) in [
        (None, 1_000),
        (Some(0), 100),
        (Some(250), 250),
        (Some(u32::MAX), 60_000),
    ] {
        let limits = EndpointLimits {
            base_backoff_ms: wanted,
            ..limits()
        };
        assert_eq!(limits.base_backoff(), Duration::from_millis(expected));
    }
}

#[test]
fn limits_are_read_with_every_fault() {
    let good = json!({
        "maxConcurrency": 1, "maxPerMinute": u32::MAX, "maxPerDay": null, "retryOn429": true,
        "maxRetries": 0, "baseBackoffMs": 0,
    });
    let read = EndpointLimits::read(&good).unwrap();
    let mut kept = good.clone();
    kept.as_object_mut().unwrap().remove("maxPerDay");
    assert_eq!(read.to_json(), kept);
    assert_eq!(serde_json::to_value(read).unwrap(), kept, "as it is stored");
    let bad = json!({
        "maxConcurrency": 0, "maxPerMinute": 1.5, "maxPerDay": 4_294_967_296_u64,
        "retryOn429": 1, "maxRetries": -1, "baseBackoffMs": "1", "a/b": 1,
    });
    let mut faults = EndpointLimits::read(&bad).unwrap_err();
    faults.sort();
    let faults: Vec<_> = faults
        .iter()
        .map(|issue| (issue.path.as_str(), issue.code.as_str()))
        .collect();
    let expected = [
        ("/a~1b", "additionalProperties"),
        ("/baseBackoffMs", "type"),
        ("/maxConcurrency", "range"),
        ("/maxPerDay", "range"),
        ("/maxPerMinute", "type"),
        ("/maxRetries", "range"),
        ("/retryOn429", "type"),
    ];
    assert_eq!(faults, expected);
    assert_eq!(EndpointLimits::read(&json!(7)).unwrap_err()[0].code, "type");
}

#[test]
fn an_endpoint_is_within_its_provider() {
    let own = EndpointLimits {
        max_concurrency: Some(5),
        max_per_minute: Some(90),
        retry_on_429: Some(true),
        ..limits()
    };
    let provider = EndpointLimits {
        max_concurrency: Some(8),
        max_per_minute: Some(60),
        max_per_day: Some(7),
        retry_on_429: Some(false),
        max_retries: Some(1),
        base_backoff_ms: Some(300),
    };
    let expected = EndpointLimits {
        max_concurrency: Some(5),
        max_per_minute: Some(60),
        max_per_day: Some(7),
        retry_on_429: Some(true),
        max_retries: Some(1),
        base_backoff_ms: Some(300),
    };
    assert_eq!(own.within(provider), expected);
    assert_eq!(own.within(limits()), own);
    assert_eq!(limits().within(provider), provider);
}
