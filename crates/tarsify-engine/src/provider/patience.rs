//! How long an endpoint that is too busy is left alone: as long as it asks for, otherwise twice
//! as long each time, and never more than a minute.

use std::time::Duration;

use tarsify_domain::catalog::endpoint::EndpointLimits;
use tokio::time::Instant;

use super::jitter;

/// No longer, whatever the endpoint asks for.
const LONGEST: Duration = EndpointLimits::MOST_BACKOFF;

/// Whether an endpoint asked for patience.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// The first pause, when the endpoint does not say how long.
    first: Duration,
    /// How often in a row.
    times: u32,
    pause: Option<Pause>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: EndpointLimits::BASE_BACKOFF,
            times: 0,
            pause: None,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Pause {
    since: Instant,
    until: Instant,
}

impl Patience {
    /// From now on the first pause is so long.
    pub(super) fn begin_with(&mut self, first: Duration) {
        self.first = first;
    }

    /// How long it is to be left alone yet.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let left = self.pause?.until.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// It asked for patience in answer to a call that went out at `begun`.
    pub(super) fn ask(&mut self, begun: Instant, now: Instant, retry_after: Option<Duration>) {
        self.ask_at_most(begun, now, (retry_after, LONGEST));
    }

    /// The same where no pause that we made up ourselves is longer than this, or than the first.
    pub(super) fn ask_at_most(
        &mut self,
        begun: Instant,
        now: Instant,
        (retry_after, longest): (Option<Duration>, Duration),
    ) {
        let retry_after = retry_after.filter(|wait| !wait.is_zero());
        let asked_before = self.pause.is_some_and(|pause| begun <= pause.since);
        if !asked_before {
            self.times = self.times.saturating_add(1);
        } else if retry_after.is_none() {
            // Calls that went out together are answered together: that is one wish, not many.
            return;
        }
        let wait = retry_after.map_or_else(|| self.backoff(longest), |wait| wait.min(LONGEST));
        let until = now + wait;
        let pause = self.pause.get_or_insert(Pause { since: now, until });
        pause.until = pause.until.max(until);
        if !asked_before {
            pause.since = now;
        }
    }

    /// A call that went out at `begun` was answered as it should be.
    pub(super) fn relieve(&mut self, begun: Instant) {
        if self.pause.is_some_and(|pause| begun > pause.since) {
            (self.times, self.pause) = (0, None);
        }
    }

    fn backoff(&self, longest: Duration) -> Duration {
        let doubled = 1_u32 << self.times.saturating_sub(1).min(16);
        let longest = longest.max(self.first).min(LONGEST);
        let backoff = self.first.saturating_mul(doubled).min(longest);
        backoff - jitter::up_to(backoff / 5)
    }
}

#[cfg(test)]
mod tests;
