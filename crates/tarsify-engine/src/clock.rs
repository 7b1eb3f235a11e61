//! The system's clock, for hosts that bring none.

use tarsify_domain::clock::to_microseconds;
use tarsify_domain::{Clock, Timestamp};

pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else takes the time from"
    )]
    fn now(&self) -> Timestamp {
        to_microseconds(Timestamp::now_utc())
    }
}
