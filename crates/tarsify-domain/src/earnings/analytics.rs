//! How a developer's models do, from sums that are kept while runs end.

use std::time::Duration;

use async_trait::async_trait;
use time::Date;

use crate::error::RepoError;
use crate::id::{DeveloperId, TarsModelId};
use crate::money::Millicredits;
use crate::words::words;

words!(
    /// How far back to look. Days are those of UTC, today included.
    Period {
        /// Seven days.
        Week = "7d",
        /// Thirty.
        Month = "30d",
        /// Ninety.
        Quarter = "90d",
        /// A year.
        Year = "365d",
        /// From the beginning.
        All = "all",
    }
);

impl Period {
    /// How many days it has; none when it has no beginning.
    #[must_use]
    pub const fn days(self) -> Option<u16> {
        match self {
            Self::Week => Some(7),
            Self::Month => Some(30),
            Self::Quarter => Some(90),
            Self::Year => Some(365),
            Self::All => None,
        }
    }
}

/// Runs and what they brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunSums {
    /// Runs with a result.
    pub completed: u64,
    /// Runs that failed or timed out.
    pub failed: u64,
    /// Runs that were called off.
    pub cancelled: u64,
    /// What consumers paid, less refunds.
    pub gross: Millicredits,
    /// What of it the developer earned, less what was taken back.
    pub earned: Millicredits,
}

impl RunSums {
    /// All runs that have ended.
    #[must_use]
    pub const fn runs(&self) -> u64 {
        self.completed + self.failed + self.cancelled
    }

    /// How many of 10,000 runs that nobody called off had a result; none where there were none.
    #[must_use]
    pub fn success_ten_thousandths(&self) -> Option<u64> {
        let tried = self.completed + self.failed;
        self.completed.saturating_mul(10_000).checked_div(tried)
    }
}

/// Where a duration falls on a scale of eight steps to each doubling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeBucket(pub u16);

impl TimeBucket {
    /// Steps to a doubling.
    pub const STEPS: f64 = 8.0;

    /// The bucket of a duration.
    #[must_use]
    pub fn of(took: Duration) -> Self {
        let milliseconds = (took.as_secs_f64() * 1_000.0).max(1.0);
        let steps = (milliseconds.log2() * Self::STEPS).floor();
        Self(format!("{steps:.0}").parse().unwrap_or(u16::MAX))
    }

    /// What the durations in it are taken for, in milliseconds: never more than 5 % beside the
    /// truth.
    #[must_use]
    pub fn middle_ms(self) -> u64 {
        let middle = ((f64::from(self.0) + 0.5) / Self::STEPS).exp2().round();
        // The largest bucket there can be is far below what a float holds exactly.
        format!("{middle:.0}").parse().unwrap_or(u64::MAX)
    }

    /// The bucket in which the `hundredths` smallest part of all durations ends.
    #[must_use]
    pub fn percentile(counts: &[(Self, u64)], hundredths: u64) -> Option<Self> {
        let all: u64 = counts.iter().map(|(_, runs)| runs).sum();
        let rank = all.saturating_mul(hundredths).div_ceil(100).max(1);
        let mut seen = 0_u64;
        counts.iter().find_map(|(bucket, runs)| {
            seen = seen.saturating_add(*runs);
            (all > 0 && seen >= rank).then_some(*bucket)
        })
    }
}

/// One day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnalyticsDay {
    /// Which.
    pub day: Date,
    /// What happened.
    pub sums: RunSums,
}

/// One of the models that brought most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopModel {
    /// The model.
    pub id: TarsModelId,
    /// Its name in addresses.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// What happened.
    pub sums: RunSums,
}

/// How models did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Analytics {
    /// In all.
    pub sums: RunSums,
    /// How long runs took, by bucket, the shortest first.
    pub times: Vec<(TimeBucket, u64)>,
    /// Day by day, oldest first; days without anything are left out.
    pub days: Vec<AnalyticsDay>,
    /// The ten models that brought most.
    pub top: Vec<TopModel>,
}

/// Reads the sums.
#[async_trait]
pub trait AnalyticsRepository: Send + Sync {
    /// How the developer's models did, or one of them; none when that one is not his.
    async fn find(
        &self,
        developer: DeveloperId,
        model: Option<TarsModelId>,
        period: Period,
    ) -> Result<Option<Analytics>, RepoError>;
}

#[cfg(test)]
mod tests;
