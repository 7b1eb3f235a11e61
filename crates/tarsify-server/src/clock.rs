//! The machine's clock.

use tarsify_domain::Timestamp;
use tarsify_domain::clock::{Clock, to_microseconds};

/// Tells the machine's time.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        to_microseconds(Timestamp::now_utc())
    }
}
