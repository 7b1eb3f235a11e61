//! What follows from limits for one submission.

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
