//! That a few failures are enough, and that one success is.

use super::*;

const fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn it_opens_after_three_failures_in_a_row() {
    let breaker = Breaker::new();
    for _ in 0..2 {
        breaker.failed_at(at(10));
        assert!(breaker.allows_at(at(10)));
    }
    breaker.failed_at(at(10));
    assert!(!breaker.allows_at(at(11)));
    assert!(!breaker.allows_at(at(1_009)));
}

#[test]
fn it_is_told_once_that_it_is_left_alone_and_once_that_it_is_not() {
    let breaker = Breaker::new();
    for _ in 0..2 {
        assert!(!breaker.succeeded());
        let told = [10, 10, 10, 1_010, 2_010].map(|moment| breaker.failed_at(at(moment)));
        assert_eq!(told, [false, false, true, false, false]);
        assert!(breaker.succeeded());
    }
}

#[test]
fn a_success_between_failures_begins_anew() {
    let breaker = Breaker::new();
    for _ in 0..10 {
        breaker.failed_at(at(10));
        breaker.failed_at(at(10));
        breaker.succeeded();
    }
    assert!(breaker.allows_at(at(11)));
}

#[test]
fn after_a_rest_one_tries_and_its_success_lets_all_through() {
    let breaker = Breaker::new();
    for _ in 0..3 {
        breaker.failed_at(at(10));
    }
    assert!(breaker.allows_at(at(1_010)));
    for moment in [1_010, 1_500, 2_009] {
        assert!(!breaker.allows_at(at(moment)), "{moment}");
    }
    // The one that tried never told: another may.
    assert!(breaker.allows_at(at(2_010)));
    breaker.failed_at(at(2_030));
    assert!(!breaker.allows_at(at(3_029)));
    assert!(breaker.allows_at(at(3_030)));
    breaker.succeeded();
    assert!(breaker.allows_at(at(3_031)) && breaker.allows_at(at(3_031)));
}
