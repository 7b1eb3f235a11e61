//! Counts requests for all processes together, in one step inside Redis and by its clock. It never
//! fails and never waits long: what Redis does not say in time, the process decides alone.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use fred::clients::{Client, WithOptions};
use fred::error::{Error, ErrorKind};
use fred::interfaces::{ClientLike, LuaInterface};
use tarsify_domain::limits::{Decision, LimitKey, Quota, RateLimiter};
use tokio::time::timeout;

use crate::breaker::Breaker;
use crate::connection::{Redis, impatient};

/// The rule, as Redis runs it.
pub(crate) const SCRIPT: &str = include_str!("gcra.lua");
/// How long a request may wait for Redis.
const PATIENCE: Duration = Duration::from_millis(20);
/// How much of a subject's digest stands in its key: nobody finds two that are the same.
const SUBJECT_DIGITS: usize = 32;

/// Counts requests in Redis; and in the limiter it was given, while Redis does not answer.
pub struct RedisLimiter {
    /// The connection lives as long as somebody has it.
    _redis: Redis,
    client: WithOptions<Client>,
    prefix: String,
    script: String,
    patience: Duration,
    breaker: Breaker,
    alone: Arc<dyn RateLimiter>,
}

impl RedisLimiter {
    /// Counts through `redis`, and through `alone` when it has to.
    #[must_use]
    pub fn new(redis: &Redis, alone: Arc<dyn RateLimiter>) -> Self {
        Self {
            _redis: redis.clone(),
            client: redis.client().with_options(&impatient()),
            prefix: format!("{}:limit:", redis.prefix()),
            script: hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, SCRIPT.as_bytes())),
            patience: PATIENCE,
            breaker: Breaker::new(),
            alone,
        }
    }

    /// The same, waiting longer for Redis or less than the 20 milliseconds it does otherwise.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    async fn ask(&self, key: &LimitKey, quota: Quota) -> Result<Decision, Error> {
        let key = self.name(key);
        let arguments = || vec![micros(quota.interval()).max(1), i64::from(quota.get())];
        let known = self
            .client
            .evalsha(self.script.as_str(), key.as_str(), arguments())
            .await;
        let told: Vec<i64> = match known {
            // It forgets scripts when it is started anew or told to. Sent once, it knows it again.
            Err(error) if error.details().starts_with("NOSCRIPT") => {
                self.client.eval(SCRIPT, key.as_str(), arguments()).await?
            }
            known => known?,
        };
        decision(&told).ok_or_else(|| Error::new(ErrorKind::Parse, "the rule answers otherwise"))
    }

    /// Subjects are digested: no address stands in Redis as it is, and none is too long. Whoever can read
    /// Redis could still try all addresses.
    fn name(&self, key: &LimitKey) -> String {
        let digest = hex::encode(digest(&SHA256, key.subject.as_bytes()));
        let subject: String = digest.chars().take(SUBJECT_DIGITS).collect();
        format!("{}{}:{subject}", self.prefix, key.category.as_str())
    }
}

#[async_trait]
impl RateLimiter for RedisLimiter {
    async fn take(&self, key: &LimitKey, quota: Quota) -> Decision {
        if self.breaker.allows() {
            let cause = match timeout(self.patience, self.ask(key, quota)).await {
                Ok(Ok(decision)) => {
                    if self.breaker.succeeded() {
                        tracing::info!("requests are counted in Redis again");
                    }
                    return decision;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_elapsed) => format!("no answer within {:?}", self.patience),
            };
            if self.breaker.failed() {
                tracing::warn!(
                    cause,
                    "Redis does not count: this process counts requests alone"
                );
            }
        }
        self.alone.take(key, quota).await
    }
}

fn decision(told: &[i64]) -> Option<Decision> {
    let &[remaining, wait, reset] = told else {
        return None;
    };
    let span = |micros: i64| u64::try_from(micros).ok().map(Duration::from_micros);
    let wait = span(wait)?;
    Some(Decision {
        retry_after: (!wait.is_zero()).then_some(wait),
        remaining: u32::try_from(remaining).ok()?,
        reset_after: span(reset)?,
    })
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
