//! Limits towards a provider, for one endpoint or for all of them together, and what follows from
//! them for one submission.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Issue, Misfit};

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

    const NAMES: [&str; 6] = [
        "maxConcurrency",
        "maxPerMinute",
        "maxPerDay",
        "retryOn429",
        "maxRetries",
        "baseBackoffMs",
    ];

    /// Reads them as an administrator writes them: absent and null mean no limit.
    ///
    /// # Errors
    /// Every fault with its path.
    pub fn read(value: &Value) -> Result<Self, Vec<Issue>> {
        let Value::Object(fields) = value else {
            return Err(vec![Misfit::new("type", "must be a JSON object").at("")]);
        };
        let mut issues = Vec::new();
        for key in fields.keys() {
            if !Self::NAMES.contains(&key.as_str()) {
                let message = format!("is no limit; there are: {}", Self::NAMES.join(" "));
                let key = key.replace('~', "~0").replace('/', "~1");
                issues.push(Misfit::new("additionalProperties", message).at(format!("/{key}")));
            }
        }
        let mut number = |name: &str, least: u32| {
            let read = whole(fields, name, least);
            read.unwrap_or_else(|misfit| {
                issues.push(misfit.at(format!("/{name}")));
                None
            })
        };
        let (max_concurrency, max_per_minute) =
            (number("maxConcurrency", 1), number("maxPerMinute", 1));
        let max_per_day = number("maxPerDay", 1);
        let (max_retries, base_backoff_ms) = (number("maxRetries", 0), number("baseBackoffMs", 0));
        let retry_on_429 = match fields.get("retryOn429") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(does)) => Some(*does),
            Some(_) => {
                issues.push(Misfit::new("type", "must be true or false").at("/retryOn429"));
                None
            }
        };
        if !issues.is_empty() {
            return Err(issues);
        }
        Ok(Self {
            max_concurrency,
            max_per_minute,
            max_per_day,
            retry_on_429,
            max_retries,
            base_backoff_ms,
        })
    }

    /// As they are stored and shown: what is absent is not there.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Self {
            max_concurrency,
            max_per_minute,
            max_per_day,
            retry_on_429,
            max_retries,
            base_backoff_ms,
        } = *self;
        let fields = [
            ("maxConcurrency", max_concurrency.map(Value::from)),
            ("maxPerMinute", max_per_minute.map(Value::from)),
            ("maxPerDay", max_per_day.map(Value::from)),
            ("retryOn429", retry_on_429.map(Value::from)),
            ("maxRetries", max_retries.map(Value::from)),
            ("baseBackoffMs", base_backoff_ms.map(Value::from)),
        ];
        let there = fields.into_iter();
        let there = there.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(there.collect())
    }

    /// What holds for an endpoint with these limits at a provider with those: the narrower of what
    /// is counted, and for the rest what the endpoint says before what its provider says.
    #[must_use]
    pub fn within(self, provider: Self) -> Self {
        let narrower = |own: Option<u32>, all: Option<u32>| match (own, all) {
            (Some(own), Some(all)) => Some(own.min(all)),
            (own, all) => own.or(all),
        };
        Self {
            max_concurrency: narrower(self.max_concurrency, provider.max_concurrency),
            max_per_minute: narrower(self.max_per_minute, provider.max_per_minute),
            max_per_day: narrower(self.max_per_day, provider.max_per_day),
            retry_on_429: self.retry_on_429.or(provider.retry_on_429),
            max_retries: self.max_retries.or(provider.max_retries),
            base_backoff_ms: self.base_backoff_ms.or(provider.base_backoff_ms),
        }
    }

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

fn whole(fields: &Map<String, Value>, name: &str, least: u32) -> Result<Option<u32>, Misfit> {
    let value = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let number = value.as_i64();
    let number = number.ok_or_else(|| Misfit::new("type", "must be a whole number"))?;
    match u32::try_from(number) {
        Ok(number) if number >= least => Ok(Some(number)),
        _ => {
            let message = format!("must be between {least} and {}", u32::MAX);
            Err(Misfit::new("range", message))
        }
    }
}

#[cfg(test)]
mod tests;
