//! What can go wrong, when, and how often. A fault at a moment it has no meaning for is refused.

mod header;
mod kind;
mod plan;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use kind::FaultKind;
pub(crate) use plan::{FaultPlan, Fired, JobPlan, PlannedFault};

/// The moment a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// When a job is submitted, with `/run` or `/runsync`.
    Run,
    /// When its status is read.
    Status,
    /// When its stream is read.
    Stream,
    /// When it is cancelled.
    Cancel,
    /// When its webhook is due. Drawn at submission, once for a job.
    Webhook,
    /// When its result arrives. Drawn at submission, once for a job, and again for a retry.
    Output,
}

/// A fault: what, when, how often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The moment.
    pub when: When,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How often it strikes; without it, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How many occasions it lets pass first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u32>,
    /// In how many of the occasions it strikes, from 0 to 1; without it, in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// How long, for what takes time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Which, for `http_status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How many, for `duplicate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<u32>,
    /// How large, for `huge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// When to come back, for `rate_limited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

/// A fault that cannot be.
#[derive(Debug, Error, PartialEq)]
pub enum FaultError {
    /// The kind has no meaning at that moment.
    #[error("`{kind}` has no meaning at `{when}`: use it at {}", allowed.join(", "))]
    Moment {
        /// The kind, as written.
        kind: String,
        /// The moment, as written.
        when: String,
        /// Where it has one.
        allowed: Vec<String>,
    },
    /// A probability outside its range.
    #[error("a probability is a number from 0 to 1")]
    Probability,
    /// No status to answer with.
    #[error("`http_status` needs `status`, a number from 400 to 599")]
    Status,
    /// More than the emulator is willing to hold or to send.
    #[error("`{0}` is too large: use at most {1}")]
    TooLarge(&'static str, u64),
    /// A header that cannot be read.
    #[error(
        "`{0}` is not a fault: write `when=kind`, and if you like `:milliseconds` and `*times` after it, such as `run=delay:500` or `status=lost*2`"
    )]
    Header(String),
}

const MOMENTS: [When; 6] = [
    When::Run,
    When::Status,
    When::Stream,
    When::Cancel,
    When::Webhook,
    When::Output,
];
const MOST_COPIES: u32 = 100;
const MOST_BYTES: usize = 64 * 1024 * 1024;
const MOST_MS: u64 = 24 * 60 * 60 * 1000;

impl Fault {
    /// A fault that always strikes.
    #[must_use]
    pub fn new(when: When, kind: FaultKind) -> Self {
        Self {
            when,
            kind,
            times: None,
            after: None,
            probability: None,
            ms: None,
            status: None,
            copies: None,
            bytes: None,
            retry_after_seconds: None,
        }
    }

    /// The same, so many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    /// The same, lasting so many milliseconds.
    #[must_use]
    pub fn lasting_ms(self, ms: u64) -> Self {
        Self {
            ms: Some(ms),
            ..self
        }
    }

    pub(crate) fn duration(&self, default_ms: u64) -> Duration {
        Duration::from_millis(self.ms.unwrap_or(default_ms))
    }

    pub(crate) fn check(&self) -> Result<(), FaultError> {
        if !self.kind.means_something_at(self.when) {
            return Err(FaultError::Moment {
                kind: written(&self.kind),
                when: written(&self.when),
                allowed: MOMENTS
                    .iter()
                    .filter(|moment| self.kind.means_something_at(**moment))
                    .map(|moment| format!("`{}`", written(moment)))
                    .collect(),
            });
        }
        if self.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return Err(FaultError::Probability);
        }
        let status = self.status.unwrap_or(0);
        if self.kind == FaultKind::HttpStatus && !(400..600).contains(&status) {
            return Err(FaultError::Status);
        }
        if self.copies.is_some_and(|copies| copies > MOST_COPIES) {
            return Err(FaultError::TooLarge("copies", u64::from(MOST_COPIES)));
        }
        if self.bytes.is_some_and(|bytes| bytes > MOST_BYTES) {
            return Err(FaultError::TooLarge("bytes", 64 * 1024 * 1024));
        }
        if self.ms.is_some_and(|ms| ms > MOST_MS) {
            return Err(FaultError::TooLarge("ms", MOST_MS));
        }
        Ok(())
    }
}

/// The name a value has in JSON.
fn written(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
