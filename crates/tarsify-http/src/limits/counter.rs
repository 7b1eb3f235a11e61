//! Counts requests in this process alone. It forgets whoever may ask as often as ever, so that a
//! flood of addresses takes no more memory than it sends requests in a minute.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use governor::RateLimiter as Governor;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use tarsify_domain::limits::{Decision, LimitCategory, LimitKey, Quota, RateLimiter};

/// How many requests are counted between two looks at how many subjects are remembered.
const LOOK_EVERY: usize = 1_024;
/// So many are remembered without a thought.
const SMALL: usize = 10_000;

/// Subjects are remembered by a keyed hash: they cost little, and nobody can aim at another's.
type Buckets = Governor<u64, HashMapStateStore<u64>, MonotonicClock, StateInformationMiddleware>;

/// Counts requests in memory.
#[derive(Default)]
pub struct LocalRateLimiter {
    hasher: RandomState,
    counters: RwLock<HashMap<(LimitCategory, Quota), Arc<Counter>>>,
}

struct Counter {
    quota: Quota,
    buckets: Buckets,
    taken: AtomicUsize,
    /// When so many are remembered, those who need not be are forgotten.
    most: AtomicUsize,
}

impl Counter {
    fn new(quota: Quota) -> Self {
        let many = NonZeroU32::new(quota.get()).unwrap_or(NonZeroU32::MIN);
        let buckets = Governor::hashmap(governor::Quota::per_minute(many));
        Self {
            quota,
            buckets: buckets.with_middleware(),
            taken: AtomicUsize::new(0),
            most: AtomicUsize::new(SMALL),
        }
    }

    fn take(&self, subject: u64) -> Decision {
        let taken = self.taken.fetch_add(1, Ordering::Relaxed);
        if taken.is_multiple_of(LOOK_EVERY) {
            self.forget();
        }
        let (many, interval) = (self.quota.get(), self.quota.interval());
        match self.buckets.check_key(&subject) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Decision {
                    retry_after: None,
                    remaining,
                    reset_after: interval * many.saturating_sub(remaining),
                }
            }
            Err(refusal) => {
                let wait = refusal.wait_time_from(MonotonicClock.now());
                Decision {
                    retry_after: Some(wait),
                    remaining: 0,
                    reset_after: wait + interval * many.saturating_sub(1),
                }
            }
        }
    }

    fn forget(&self) {
        if self.buckets.len() < self.most.load(Ordering::Relaxed) {
            return;
        }
        self.buckets.retain_recent();
        self.buckets.shrink_to_fit();
        let most = self.buckets.len().saturating_mul(2).max(SMALL);
        self.most.store(most, Ordering::Relaxed);
    }
}

impl LocalRateLimiter {
    /// Has counted nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn counter(&self, category: LimitCategory, quota: Quota) -> Arc<Counter> {
        let key = (category, quota);
        let known = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.get(&key) {
            return Arc::clone(counter);
        }
        drop(known);
        let mut known = self
            .counters
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Nobody may come to the counters of limits that are no longer in force, so this is when
        // they are looked at.
        known.retain(|_, counter| {
            counter.buckets.retain_recent();
            !counter.buckets.is_empty()
        });
        let counter = known
            .entry(key)
            .or_insert_with(|| Arc::new(Counter::new(quota)));
        Arc::clone(counter)
    }
}

#[async_trait]
impl RateLimiter for LocalRateLimiter {
    async fn take(&self, key: &LimitKey, quota: Quota) -> Decision {
        let LimitKey { category, subject } = key;
        let subject = self.hasher.hash_one(subject);
        self.counter(*category, quota).take(subject)
    }
}

#[cfg(test)]
mod tests;
