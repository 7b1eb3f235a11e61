//! How long is waited.

use std::time::Duration;

use super::{Lease, Policy, lease};

#[test]
fn looks_beside_callbacks_are_rarer() {
    let policy = Policy {
        has_callbacks: true,
        ..Policy::default()
    };
    for (looks, seconds) in [(0, 5), (1, 10), (2, 15), (3, 30), (u32::MAX, 30)] {
        let interval = policy.interval(looks, lease());
        assert_eq!(interval, Duration::from_secs(seconds), "{looks}");
    }
}

#[test]
fn waits_differ_between_leases_by_up_to_a_fifth() {
    let policy = Policy::default();
    let interval = |epoch| policy.interval(9, Lease { epoch, ..lease() });
    let waits: std::collections::BTreeSet<_> = (0..500).map(interval).collect();
    let (least, most) = (waits.first().unwrap(), waits.last().unwrap());
    assert!(waits.len() > 100, "{}", waits.len());
    assert!(*least > Duration::from_secs(12) && *least < Duration::from_millis(12_500));
    assert_eq!(*most, Duration::from_secs(15));
}

#[test]
fn no_number_of_failures_is_too_large() {
    let policy = Policy::default();
    for failures in [0, 1] {
        assert_eq!(policy.pause(failures, lease()), Duration::from_secs(1));
    }
    for failures in [7, 17, 64, u32::MAX] {
        assert_eq!(policy.pause(failures, lease()), Duration::from_secs(60));
    }
}

#[test]
fn a_pause_doubles_from_the_first() {
    let policy = Policy {
        first_pause: Duration::from_millis(250),
        ..Policy::default()
    };
    for (failures, milliseconds) in [(1, 250), (2, 500), (3, 1_000), (20, 60_000)] {
        let pause = policy.pause(failures, lease());
        assert_eq!(pause, Duration::from_millis(milliseconds), "{failures}");
    }
}
