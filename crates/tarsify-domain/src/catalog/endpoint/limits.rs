//! Limits towards a provider, per endpoint, and what follows from them for one submission.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Limits towards the provider, on top of its documented ones. Absent means no limit of ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct EndpointLimits {
    /// Jobs at the provider at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
    /// Submissions in any minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_minute: Option<u32>,
    /// Submissions on a day (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_day: Option<u32>,
    /// Whether a 429 is worth another try at once.
    #[serde(rename = "retryOn429", skip_serializing_if = "Option::is_none")]
    pub retry_on_429: Option<bool>,
    /// Tries after the first, at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
    /// Milliseconds before the first repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_backoff_ms: Option<u32>,
}

impl EndpointLimits {
    /// The first pause after an answer that asks for one, unless the operator says otherwise.
    pub const BASE_BACKOFF: Duration = Duration::from_secs(1);
    /// The shortest first pause: without any, a provider that refuses would be asked without rest.
    pub const LEAST_BACKOFF: Duration = Duration::from_millis(100);
    /// The longest pause.
    pub const MOST_BACKOFF: Duration = Duration::from_secs(60);

    /// Whether it is counted how many submissions there are.
    #[must_use]
    pub const fn has_rate(&self) -> bool {
        self.max_per_minute.is_some() || self.max_per_day.is_some()
    }

    /// Whether a run may have to wait for its turn because of these.
    #[must_use]
    pub const fn may_hold_back(&self) -> bool {
        self.max_concurrency.is_some() || self.has_rate()
    }

    /// How often a submission that had no effect is repeated at once, of at most `most` times.
    /// Where submissions are counted only the first try was counted, so unless the operator allows
    /// more, the next one is counted too: the run waits again.
    #[must_use]
    pub fn repetitions(&self, most: u32) -> u32 {
        let usual = if self.has_rate() { 0 } else { most };
        self.max_retries.unwrap_or(usual).min(most)
    }

    /// Whether a 429 is worth another try at once; otherwise the run waits again.
    #[must_use]
    pub fn repeats_429(&self) -> bool {
        self.retry_on_429.unwrap_or(true)
    }

    /// The first pause after an answer that asks for one; it doubles from there.
    #[must_use]
    pub fn base_backoff(&self) -> Duration {
        let wanted = self.base_backoff_ms.map_or(Self::BASE_BACKOFF, |wanted| {
            Duration::from_millis(wanted.into())
        });
        wanted.clamp(Self::LEAST_BACKOFF, Self::MOST_BACKOFF)
    }
}

#[cfg(test)]
mod tests;
