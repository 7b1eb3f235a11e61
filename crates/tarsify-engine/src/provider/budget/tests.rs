//! The bucket and the defaults.

use super::*;

fn budget(per_second: u32, burst: u32) -> Budget {
    Budget {
        per_second,
        burst,
        at_once: 1_000,
    }
}

/// How many tokens somebody gets in so long who asks all the time.
fn greedy(budget: Budget, time: Duration) -> u32 {
    let begin = Instant::now();
    let mut bucket = Bucket::new(budget.divided(1), None, begin);
    let mut taken = 0;
    for millisecond in 0..u64::try_from(time.as_millis()).unwrap() {
        while bucket
            .take(begin + Duration::from_millis(millisecond))
            .is_ok()
        {
            taken += 1;
        }
    }
    taken
}

#[test]
fn a_bucket_gives_its_burst_and_then_its_rate() {
    assert_eq!(greedy(budget(10, 5), Duration::from_millis(1)), 5);
    assert_eq!(greedy(budget(10, 5), Duration::from_millis(1_001)), 15);
    assert_eq!(greedy(budget(0, 0), Duration::from_millis(2_001)), 3);
}

#[test]
fn a_bucket_says_when_there_is_a_token_again() {
    let now = Instant::now();
    let mut bucket = Bucket::new(budget(10, 2).divided(1), None, now);
    assert_eq!(bucket.tokens(now), 2);
    assert_eq!((bucket.take(now), bucket.take(now)), (Ok(()), Ok(())));
    let wait = bucket.take(now).unwrap_err();
    assert_eq!(wait, Duration::from_millis(100));
    assert_eq!(bucket.tokens(now + wait), 1);
    assert_eq!(bucket.tokens(now + Duration::from_secs(3600)), 2);
}

#[test]
fn the_defaults_stay_below_what_is_documented() {
    let budgets = Budgets::default();
    for (operation, in_ten_seconds, at_once) in [
        (Operation::Run, 1_000, 200),
        (Operation::Status, 2_000, 400),
        (Operation::Cancel, 100, 20),
    ] {
        let budget = budgets.of(operation);
        assert!(greedy(budget, Duration::from_secs(10)) <= in_ten_seconds);
        assert!(budget.at_once <= at_once && budget.burst <= at_once);
    }
    assert!(greedy(budgets.status, Duration::from_secs(1)) <= 50);
}

#[test]
fn parts_of_a_budget_are_no_more_than_the_whole() {
    let whole = budget(10, 6);
    for (among, burst, in_two_minutes) in [(1, 6, 1_200), (3, 2, 400), (4, 1, 300), (7, 1, 171)] {
        let part = whole.divided(among);
        let begin = Instant::now();
        let mut bucket = Bucket::new(part, None, begin);
        assert_eq!(bucket.tokens(begin), burst, "of {among}");
        let mut taken = 0;
        for millisecond in 0..120_000 {
            let now = begin + Duration::from_millis(millisecond);
            taken += u32::from(bucket.take(now).is_ok());
        }
        let rated = taken - burst;
        assert!(rated.abs_diff(in_two_minutes) <= 1, "{rated} of {among}");
        assert_eq!(part.at_once(), 1_000 / among);
    }
    assert_eq!(whole.divided(0), whole.divided(1));
}

#[test]
fn a_bucket_of_another_part_keeps_what_fits() {
    let whole = budget(10, 6);
    let now = Instant::now();
    let mut bucket = Bucket::new(whole.divided(1), None, now);
    let half = bucket.changed(whole.divided(2), now);
    assert_eq!(half.tokens(now), 3, "half of it is somebody else's");
    assert_eq!(half.changed(whole.divided(1), now).tokens(now), 3);
    for _ in 0..5 {
        bucket.take(now).unwrap();
    }
    let half = bucket.changed(whole.divided(2), now);
    assert_eq!(half.tokens(now), 1);
    assert_eq!(half.tokens(now + Duration::from_millis(200)), 2);
}

#[test]
fn a_bucket_that_was_empty_has_what_came_in_since() {
    let now = Instant::now();
    let second = Duration::from_secs(1);
    let part = budget(2, 6).divided(1);
    for (empty_at, expected) in [(now, 0), (now + second, 0), (now - second, 2)] {
        assert_eq!(Bucket::new(part, Some(empty_at), now).tokens(now), expected);
    }
    let bucket = Bucket::new(part, Some(now + second), now);
    assert_eq!(bucket.tokens(now + second), 0);
    assert_eq!(bucket.tokens(now + second * 2), 2);
}
