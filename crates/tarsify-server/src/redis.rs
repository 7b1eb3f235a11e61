//! What processes share through Redis, where the configuration names one; without it each process
//! goes on alone.

use std::sync::Arc;

use tarsify_domain::limits::RateLimiter;
use tarsify_engine::EventBus;
use tarsify_redis::{Redis, RedisBus, RedisLimiter};

use crate::config::Config;

/// Begins to connect, if there is something to connect to. Whether it is there is told later: the
/// process needs nothing of it.
pub(crate) fn connect(config: &Config) -> Option<Redis> {
    let redis = &config.redis;
    let address = redis.address.as_ref()?;
    Some(Redis::connect(address, &redis.prefix))
}

/// What tells other processes that something has happened to a run.
pub(crate) fn bus(redis: &Redis) -> Arc<dyn EventBus> {
    Arc::new(RedisBus::new(redis))
}

/// What counts requests: all processes together, and `alone` where there is no Redis and while it
/// does not answer.
pub(crate) fn limiter(
    config: &Config,
    redis: Option<&Redis>,
    alone: Arc<dyn RateLimiter>,
) -> Arc<dyn RateLimiter> {
    let patience = config.redis.patience;
    match redis {
        Some(redis) => Arc::new(RedisLimiter::new(redis, alone).with_patience(patience)),
        None => alone,
    }
}
