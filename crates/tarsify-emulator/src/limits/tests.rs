//! The documented limits, without waiting for them.

use std::time::Duration;

use tokio::time::Instant;

use super::{Limits, Operation};

#[test]
fn the_documented_rates_hold() {
    for (operation, expected) in [
        (Operation::Run, 1_000),
        (Operation::Runsync, 2_000),
        (Operation::Status, 2_000),
        (Operation::Stream, 2_000),
        (Operation::Cancel, 100),
        (Operation::PurgeQueue, 2),
    ] {
        let (limits, now) = (Limits::default(), Instant::now());
        let let_in = (0..3_000)
            .filter(|_| limits.enter(operation, now).is_ok())
            .count();
        assert_eq!(let_in, expected, "{operation:?}");
        let later = now + Duration::from_secs(10);
        assert!(
            limits.enter(operation, later).is_ok(),
            "{operation:?} after the window"
        );
    }
}

#[test]
fn so_many_at_once_and_no_more() {
    for (operation, expected) in [
        (Operation::Run, 200),
        (Operation::Status, 400),
        (Operation::Cancel, 20),
    ] {
        let (limits, now) = (Limits::default(), Instant::now());
        let mut open: Vec<_> = (0..500)
            .filter_map(|_| limits.enter(operation, now).ok())
            .collect();
        assert_eq!(open.len(), expected, "{operation:?}");
        open.pop();
        assert!(
            limits.enter(operation, now).is_ok(),
            "{operation:?} once one has left"
        );
    }
}

#[test]
fn operations_do_not_share_a_limit() {
    let (limits, now) = (Limits::default(), Instant::now());
    while limits.enter(Operation::PurgeQueue, now).is_ok() {}
    assert!(limits.enter(Operation::Cancel, now).is_ok());
    assert!(limits.enter(Operation::Health, now).is_ok());
}
