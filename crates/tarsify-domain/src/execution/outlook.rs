//! When a run may be done: what a store knows of that, and what is told of it. A guess, made of
//! the line before the run and of how long runs of its model took.

use std::time::Duration;

use crate::catalog::endpoint::EndpointLimits;
use crate::earnings::TimeBucket;

/// What a store knows about when an execution may be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// Where it is.
    pub standing: Standing,
    /// The limits of its endpoint.
    pub limits: EndpointLimits,
    /// How many runs of its model took how long, shortest first.
    pub times: Vec<(TimeBucket, u64)>,
    /// How long a run usually takes, as the operator says.
    pub estimated: Duration,
}

/// Where an execution is, as far as it matters to when it will be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits to be submitted.
    Waiting {
        /// How many will be submitted before it, counted up to [`Outlook::MOST_COUNTED`].
        ahead: u32,
        /// How many jobs its endpoint has, counted up to [`Outlook::MOST_COUNTED`].
        under_way: u32,
    },
    /// The provider has it, or may have it.
    Submitted {
        /// How long the provider has been seen at work on it.
        worked: Duration,
    },
    /// It has ended.
    Ended,
}

/// When a run may be done, as its requester is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Its place among those that wait for its endpoint: 1 is next, and one more than
    /// [`Outlook::MOST_COUNTED`] means that or later. None once it was submitted.
    pub queue_position: Option<u32>,
    /// How many seconds from now half of such runs are done in; none when it has ended.
    pub eta_seconds: Option<u64>,
    /// How many seconds from now nine of ten such runs are done in; none when it has ended.
    pub eta_seconds_p90: Option<u64>,
}

impl Outlook {
    /// How many are counted at the most, of those ahead and of those under way.
    pub const MOST_COUNTED: u32 = 1_000;
    /// How many runs there have to have been for their times to say more than the operator.
    pub const LEAST_RUNS: u64 = 5;
    /// The runs of so many days are looked at, today included.
    pub const DAYS: u32 = 30;

    /// What is told of it.
    #[must_use]
    pub fn forecast(&self) -> Forecast {
        let (median, late) = (self.usual(50), self.usual(90));
        let eta = |usual: Duration| match self.standing {
            Standing::Waiting { ahead, under_way } => {
                Some(self.wait(ahead, under_way, usual).saturating_add(usual))
            }
            Standing::Submitted { worked } => Some(usual.saturating_sub(worked)),
            Standing::Ended => None,
        };
        Forecast {
            queue_position: match self.standing {
                Standing::Waiting { ahead, .. } => Some(ahead.saturating_add(1)),
                Standing::Submitted { .. } | Standing::Ended => None,
            },
            eta_seconds: eta(median).map(whole_seconds),
            eta_seconds_p90: eta(late).map(whole_seconds),
        }
    }

    /// How long so many hundredths of its model's runs took at the most.
    fn usual(&self, hundredths: u64) -> Duration {
        let runs: u64 = self.times.iter().map(|(_, runs)| runs).sum();
        if runs < Self::LEAST_RUNS {
            return self.estimated;
        }
        TimeBucket::percentile(&self.times, hundredths).map_or(self.estimated, |bucket| {
            Duration::from_millis(bucket.middle_ms())
        })
    }

    /// How long it waits for its turn: as long as the endpoint needs for those before it, and as
    /// long as there may be no more submissions. An endpoint without limits takes all at once.
    fn wait(&self, ahead: u32, under_way: u32, usual: Duration) -> Duration {
        let for_a_place = self.limits.max_concurrency.map_or(Duration::ZERO, |most| {
            let before = ahead.saturating_add(under_way);
            usual.saturating_mul(before / most.max(1))
        });
        let for_a_minute = self.limits.max_per_minute.map_or(Duration::ZERO, |most| {
            Duration::from_secs(60).saturating_mul(ahead / most.max(1))
        });
        for_a_place.max(for_a_minute)
    }
}

/// At least one: what has not ended is not done yet.
fn whole_seconds(time: Duration) -> u64 {
    let begun = u64::from(time.subsec_nanos() > 0);
    time.as_secs().saturating_add(begun).max(1)
}

#[cfg(test)]
mod tests;
