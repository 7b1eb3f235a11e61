//! Exactly so many come through, one by one or all at once, and nobody is remembered for ever.

use std::thread;
use std::time::Duration;

use tarsify_domain::limits::LimitSettings;

use super::*;

fn key(subject: &str) -> LimitKey {
    LimitKey {
        category: LimitCategory::UserApi,
        subject: subject.to_owned(),
    }
}

#[actix_web::test]
async fn so_many_come_through_and_then_none() {
    let (limiter, quota) = (LocalRateLimiter::new(), Quota::per_minute(5));
    for left in (0..5).rev() {
        let decision = limiter.take(&key("ada"), quota).await;
        assert!(decision.is_allowed());
        assert_eq!(decision.remaining, left);
        let reset = Duration::from_secs(12) * (5 - left);
        assert_eq!(decision.reset_after, reset);
    }
    let refused = limiter.take(&key("ada"), quota).await;
    let wait = refused.retry_after.unwrap();
    assert!(wait > Duration::from_secs(11) && wait <= Duration::from_secs(12));
    assert_eq!(refused.remaining, 0);
    assert!(limiter.take(&key("bob"), quota).await.is_allowed());
    let other = LimitKey {
        category: LimitCategory::TaskCreation,
        ..key("ada")
    };
    assert!(limiter.take(&other, quota).await.is_allowed());
}

#[actix_web::test]
async fn what_is_refused_costs_nothing_and_time_brings_it_back() {
    let (limiter, quota) = (LocalRateLimiter::new(), Quota::per_minute(600));
    let mut refused = 0;
    while refused < 50 {
        let decision = limiter.take(&key("ada"), quota).await;
        refused += u32::from(!decision.is_allowed());
    }
    thread::sleep(Duration::from_millis(150));
    assert!(limiter.take(&key("ada"), quota).await.is_allowed());
}

#[test]
fn a_crowd_is_counted_exactly() {
    let counter = Counter::new(Quota::per_minute(50));
    let allowed = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let taken = (0..100).map(|_| counter.take(7));
                    taken.filter(Decision::is_allowed).count()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum::<usize>()
    });
    assert_eq!(allowed, 50);
}

#[test]
fn a_flood_of_addresses_is_forgotten() {
    // One comes back every 60 microseconds.
    let counter = Counter::new(Quota::per_minute(LimitSettings::MOST));
    for subject in 0..200_000 {
        counter.take(subject);
    }
    let remembered = counter.buckets.len();
    assert!(remembered < 50_000, "{remembered}");
}
