//! A clock that stands still until a test moves it.

use std::sync::{Arc, Mutex, PoisonError};

use tarsify_domain::clock::to_microseconds;
use tarsify_domain::{Clock, Timestamp};
use time::Duration;
use time::macros::datetime;

/// The moment that clocks and builders begin with. It has microseconds, so that a store which
/// loses them is found out.
pub const MOMENT: Timestamp = datetime!(2026-01-05 10:00:00.123_456 UTC);

/// A clock that tests set. Clones show the same time.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    /// A clock that shows [`MOMENT`].
    #[must_use]
    pub fn new() -> Self {
        Self::at(MOMENT)
    }

    /// A clock that shows `moment`.
    #[must_use]
    pub fn at(moment: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(moment)))
    }

    /// Shows `moment` from now on.
    pub fn set(&self, moment: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = moment;
    }

    /// Moves on, or back when `by` is negative, and tells the new time.
    pub fn advance(&self, by: Duration) -> Timestamp {
        let mut moment = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *moment += by;
        *moment
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        to_microseconds(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
