//! What was decided about a request, as its answer tells it: the draft of the IETF for rate
//! limits (`RateLimit-Policy`, `RateLimit`), the older `X-RateLimit-*` of the tightest limit, and
//! `Retry-After` with a refusal.

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use tarsify_domain::limits::{Decision, LimitCategory, Quota};
use tarsify_domain::{ErrorCode, Timestamp};

use crate::error::ApiError;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What was decided in one category.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    category: LimitCategory,
    quota: Quota,
    decision: Decision,
}

impl Tally {
    pub(super) const fn new(category: LimitCategory, quota: Quota, decision: Decision) -> Self {
        Self {
            category,
            quota,
            decision,
        }
    }

    /// What the request counted as.
    pub(super) const fn category(&self) -> LimitCategory {
        self.category
    }

    /// What whoever asks too often is told.
    pub(super) fn refusal(&self) -> Option<ApiError> {
        let wait = whole_seconds(self.decision.retry_after?).max(1);
        let (name, many) = (self.category.as_str(), self.quota.get());
        let refusal = ApiError::new(ErrorCode::RateLimited)
            .saying(format!(
                "Too many requests: {many} in a minute are allowed ({name}). Wait {wait} s before the next one."
            ))
            .with_header(header::RETRY_AFTER, HeaderValue::from(wait));
        Some(refusal)
    }

    /// Who is refused stands first, then who has the least left of what he had.
    fn tightness(&self) -> (bool, u64, u32) {
        let (left, many) = (self.decision.remaining, self.quota.get());
        let share = u64::from(left) * 1_000_000 / u64::from(many);
        (self.decision.is_allowed(), share, left)
    }
}

/// What was decided in every category that counted.
#[derive(Debug)]
pub(super) struct Tallies(Vec<Tally>);

impl Tallies {
    pub(super) fn of(tally: Tally) -> Self {
        Self(vec![tally])
    }

    pub(super) fn add(&mut self, tally: Tally) {
        self.0.push(tally);
    }

    /// Writes the headers.
    pub(super) fn tell(&self, headers: &mut HeaderMap, now: Timestamp) {
        let Some(tightest) = self.0.iter().min_by_key(|tally| tally.tightness()) else {
            return;
        };
        let each = |write: fn(&Tally) -> String| {
            let parts: Vec<_> = self.0.iter().map(write).collect();
            parts.join(", ")
        };
        let policy = each(|tally| {
            format!(
                "\"{}\";q={};w=60",
                tally.category.as_str(),
                tally.quota.get()
            )
        });
        let state = each(|tally| {
            let Decision {
                remaining,
                reset_after,
                retry_after,
            } = tally.decision;
            // The next one, for who has none left; otherwise until he has all again.
            let seconds = whole_seconds(retry_after.unwrap_or(reset_after));
            format!("\"{}\";r={remaining};t={seconds}", tally.category.as_str())
        });
        for (name, value) in [(POLICY, policy), (STATE, state)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        let reset = whole_seconds(tightest.decision.reset_after);
        let reset = i64::try_from(reset).unwrap_or(i64::MAX);
        headers.insert(LIMIT, HeaderValue::from(tightest.quota.get()));
        headers.insert(REMAINING, HeaderValue::from(tightest.decision.remaining));
        let moment = now.unix_timestamp().saturating_add(reset);
        headers.insert(RESET, HeaderValue::from(moment));
    }
}

/// Rounded up: whoever comes a moment too early is refused again.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}
