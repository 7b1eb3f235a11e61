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
    let mut bucket = Bucket::new(budget, begin);
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
    let mut bucket = Bucket::new(budget(10, 2), now);
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
        assert!(budget.at_once <= at_once && budget.most_at_once() <= at_once);
    }
    assert!(greedy(budgets.status, Duration::from_secs(1)) <= 50);
}
