//! How patient the machine is.

use std::time::Duration;

use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::execution::Lease;

/// The times and numbers by which the machine decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long news of an attempt whose answer was lost are waited for.
    pub lost_grace: Duration,
    /// How many attempts with a lost answer an execution has.
    pub max_lost: u32,
    /// How long after a submission the provider may not know the job yet.
    pub young_job: Duration,
    /// How long a job has to be unknown to the provider until it counts as lost.
    pub missing_patience: Duration,
    /// How many answers in a row may be unreadable.
    pub max_unreadable: u32,
    /// The first pause between two submissions that surely had no effect; it doubles from there.
    pub first_pause: Duration,
    /// The longest pause between two submissions that surely had no effect.
    pub longest_pause: Duration,
    /// How often an execution may be leased without any worker writing about it.
    pub max_strikes: u32,
    /// How long after its claim an execution's provider may be asked one thing more: what is
    /// learned after the lease cannot be written.
    pub asking: Duration,
    /// Whether the provider calls us when a job has ended, so that looking is the second way to
    /// learn of it and may be rarer.
    pub has_callbacks: bool,
    /// The longest time between two looks: shorter while somebody watches what a job says.
    pub longest_interval: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lost_grace: Duration::from_secs(90),
            max_lost: 2,
            young_job: Duration::from_secs(10),
            missing_patience: Duration::from_secs(60),
            max_unreadable: 5,
            first_pause: EndpointLimits::BASE_BACKOFF,
            longest_pause: EndpointLimits::MOST_BACKOFF,
            max_strikes: 5,
            asking: Duration::from_secs(9),
            has_callbacks: false,
            longest_interval: Duration::MAX,
        }
    }
}

/// Seconds between two looks, by how often the job was looked at.
const INTERVALS: [u64; 6] = [1, 2, 3, 5, 8, 15];
const INTERVALS_BESIDE_CALLBACKS: [u64; 4] = [5, 10, 15, 30];

impl Policy {
    /// How long until the next look at a job that was looked at so often.
    pub(super) fn interval(&self, looks: u32, lease: Lease) -> Duration {
        let intervals: &[u64] = if self.has_callbacks {
            &INTERVALS_BESIDE_CALLBACKS
        } else {
            &INTERVALS
        };
        let place = usize::try_from(looks).unwrap_or(usize::MAX);
        let seconds = intervals.get(place).or_else(|| intervals.last());
        let interval = Duration::from_secs(seconds.copied().unwrap_or(15));
        jittered(interval.min(self.longest_interval), lease)
    }

    /// How long until the next try after so many in a row that had no effect.
    pub(super) fn pause(&self, failures: u32, lease: Lease) -> Duration {
        let doubled = 1_u32 << failures.saturating_sub(1).min(16);
        let pause = self.first_pause.saturating_mul(doubled);
        jittered(pause.min(self.longest_pause), lease)
    }
}

/// Up to a fifth less, so that what was accepted together is not asked for together for ever.
/// It has to differ between executions and leases and nothing more, so their ids are enough.
fn jittered(duration: Duration, lease: Lease) -> Duration {
    let (high, low) = lease.id.uuid().as_u64_pair();
    let mixed = (high ^ low.rotate_left(17) ^ lease.epoch.unsigned_abs())
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let share = u32::try_from(mixed >> 56).unwrap_or(0);
    duration - duration * share / (5 * 256)
}
