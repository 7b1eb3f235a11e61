//! Takes the pulse of the installation while this process works.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::books::{Pace, repeat};
use crate::metrics::PulseWatch;

/// How often.
const INTERVAL: Pace = Pace::every(Duration::from_secs(30));
/// How often it is looked at what all accounts together hold. A look that failed is not made good by
/// one in an hour.
const WEIGHING: Pace =
    Pace::every(Duration::from_secs(60 * 60)).or_after_failure(Duration::from_secs(60));

/// Takes it at once, and then again and again until it is asked to stop.
pub(super) async fn take_pulse(pulse: PulseWatch, stop: CancellationToken) {
    let (unknown, unweighed) = (
        "it is not known how much there is to do",
        "it is not known whether the accounts add up",
    );
    tokio::join!(
        repeat(unknown, INTERVAL, &stop, || pulse.take()),
        repeat(unweighed, WEIGHING, &stop, || pulse.weigh()),
    );
}
