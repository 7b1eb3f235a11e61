//! When to leave Redis alone: what hangs must not cost every request its patience.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many failures in a row are enough.
const ENOUGH: u32 = 3;
/// How long it is left alone before one request tries again.
const REST: Duration = Duration::from_secs(1);

/// Open after a few failures in a row; then one request a second tries.
#[derive(Debug)]
pub(crate) struct Breaker {
    origin: Instant,
    failures: AtomicU32,
    /// Milliseconds since the origin until which nobody tries; 0 when everybody may.
    resting_until: AtomicU64,
}

impl Breaker {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            failures: AtomicU32::new(0),
            resting_until: AtomicU64::new(0),
        }
    }

    /// Whether to try. Of those who ask after a rest, one is let through.
    pub(crate) fn allows(&self) -> bool {
        self.allows_at(self.origin.elapsed())
    }

    /// Answers whether it is left alone from now on, and was not before.
    pub(crate) fn failed(&self) -> bool {
        self.failed_at(self.origin.elapsed())
    }

    /// Answers whether it was left alone until now.
    pub(crate) fn succeeded(&self) -> bool {
        // Looked at first: while all is well, nothing is written that other threads read.
        if self.failures.load(Ordering::Relaxed) > 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
        self.resting_until.load(Ordering::Relaxed) > 0
            && self.resting_until.swap(0, Ordering::Relaxed) > 0
    }

    fn allows_at(&self, now: Duration) -> bool {
        let until = self.resting_until.load(Ordering::Relaxed);
        if until == 0 {
            return true;
        }
        if millis(now) < until {
            return false;
        }
        // Whoever comes next waits until this one has had time to tell, or never told.
        let next = millis(now + REST);
        self.resting_until
            .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    fn failed_at(&self, now: Duration) -> bool {
        let before = self.failures.fetch_add(1, Ordering::Relaxed);
        if before.saturating_add(1) < ENOUGH {
            return false;
        }
        let until = millis(now + REST);
        self.resting_until.swap(until, Ordering::Relaxed) == 0
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests;
