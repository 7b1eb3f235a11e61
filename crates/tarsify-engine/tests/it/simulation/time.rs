//! The simulated time: microseconds since the world began.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tarsify_domain::{Clock, Timestamp};

/// Where the world begins: noon, so that no world is older than its day.
const MOMENT: Timestamp = ::time::macros::datetime!(2026-01-05 12:00 UTC);

pub(super) type Micros = u64;

pub(super) const MILLI: Micros = 1_000;
pub(super) const SECOND: Micros = 1_000 * MILLI;
pub(super) const MINUTE: Micros = 60 * SECOND;
pub(super) const HOUR: Micros = 60 * MINUTE;

pub(super) fn moment(at: Micros) -> Timestamp {
    MOMENT + std::time::Duration::from_micros(at)
}

pub(super) fn since_start(moment: Timestamp) -> Micros {
    let passed = (moment - MOMENT).whole_microseconds();
    Micros::try_from(passed).unwrap_or(0)
}

pub(super) fn told(at: Micros) -> String {
    format!("{:4}.{:03}s", at / SECOND, at % SECOND / MILLI)
}

/// The clock of one world, which the store reads too.
#[derive(Clone, Default)]
pub(super) struct WorldClock(Arc<AtomicU64>);

impl WorldClock {
    pub(super) fn set(&self, at: Micros) {
        self.0.store(at, Ordering::Relaxed);
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        moment(self.0.load(Ordering::Relaxed))
    }
}
