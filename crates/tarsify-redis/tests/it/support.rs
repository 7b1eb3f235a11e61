//! What the tests share: a limiter that tells when it was asked, and waiting that always ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tarsify_domain::limits::{Decision, LimitCategory, LimitKey, Quota, RateLimiter};
use tarsify_redis::{Redis, RedisAddress};
use tarsify_testing::RedisServer;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What nobody but [`Alone`] decides.
pub(crate) const OF_ONE_PROCESS: u32 = 987_654_321;

pub(crate) fn redis_at(server: &RedisServer) -> Redis {
    Redis::connect(&RedisAddress::parse(&server.url()).unwrap(), "test")
}

pub(crate) async fn connected(server: &RedisServer) -> Redis {
    let redis = redis_at(server);
    within("Redis answers", redis.answers()).await;
    redis
}

pub(crate) async fn within<T>(what: &str, happens: impl Future<Output = T>) -> T {
    let happened = tokio::time::timeout(PATIENCE, happens).await;
    happened.unwrap_or_else(|_elapsed| panic!("waited in vain until {what}"))
}

/// Asks again and again until the answer is yes.
pub(crate) async fn until(what: &str, mut happened: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !happened().await {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn key(subject: &str) -> LimitKey {
    LimitKey {
        category: LimitCategory::TaskCreation,
        subject: subject.to_owned(),
    }
}

/// The limiter of a process that is alone: it allows everything, and can be told apart.
#[derive(Default)]
pub(crate) struct Alone {
    asked: AtomicUsize,
}

impl Alone {
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl RateLimiter for Alone {
    async fn take(&self, _key: &LimitKey, _quota: Quota) -> Decision {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Decision {
            retry_after: None,
            remaining: OF_ONE_PROCESS,
            reset_after: Duration::ZERO,
        }
    }
}
