//! That requests are counted together, exactly, and that nothing that happens to Redis is ever
//! noticed by who asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tarsify_domain::health::PartHealth;
use tarsify_domain::limits::{Decision, Quota, RateLimiter};
use tarsify_redis::{Redis, RedisLimiter};
use tarsify_testing::RedisServer;
use tokio::task::JoinSet;

use crate::support::{Alone, OF_ONE_PROCESS, PATIENCE, connected, key, redis_at, until};

const QUOTA: Quota = Quota::per_minute(10);
/// A quota that a test never uses up.
const PLENTY: Quota = Quota::per_minute(1_000_000);

struct Counting {
    limiter: Arc<RedisLimiter>,
    alone: Arc<Alone>,
}

impl Counting {
    /// A machine under load may be slow: where that is not what is looked at, it is waited for.
    fn patient(redis: &Redis) -> Self {
        Self::with_patience(redis, PATIENCE)
    }

    fn with_patience(redis: &Redis, patience: Duration) -> Self {
        let alone = Arc::new(Alone::default());
        let limiter = RedisLimiter::new(redis, alone.clone()).with_patience(patience);
        Self {
            limiter: Arc::new(limiter),
            alone,
        }
    }

    fn usual(redis: &Redis) -> Self {
        let alone = Arc::new(Alone::default());
        Self {
            limiter: Arc::new(RedisLimiter::new(redis, alone.clone())),
            alone,
        }
    }

    async fn take(&self, subject: &str, quota: Quota) -> Decision {
        self.limiter.take(&key(subject), quota).await
    }

    async fn use_up(&self, subject: &str, quota: Quota) {
        for _ in 0..2 * quota.get() {
            if !self.take(subject, quota).await.is_allowed() {
                return;
            }
        }
        panic!("there is no limit");
    }

    async fn is_by_redis(&self, subject: &str) -> bool {
        self.take(subject, PLENTY).await.remaining != OF_ONE_PROCESS
    }
}

#[tokio::test]
async fn a_decision_tells_what_is_left_and_when_to_come_back() {
    let server = RedisServer::start();
    let counting = Counting::patient(&connected(&server).await);
    for left in (0..10).rev() {
        let decision = counting.take("somebody", QUOTA).await;
        assert!(decision.is_allowed());
        assert_eq!(decision.remaining, left);
        assert!(decision.reset_after <= Duration::from_secs(60));
    }
    let refused = counting.take("somebody", QUOTA).await;
    let wait = refused.retry_after.unwrap();
    assert!(
        wait > Duration::ZERO && wait <= QUOTA.interval(),
        "{wait:?}"
    );
    assert_eq!(refused.remaining, 0);
    assert!(counting.take("somebody else", QUOTA).await.is_allowed());
    assert_eq!(counting.alone.asked(), 0);
}

#[tokio::test]
async fn a_refusal_costs_nothing_and_the_next_comes_when_it_was_said() {
    let server = RedisServer::start();
    let counting = Counting::patient(&connected(&server).await);
    // One every 100 ms.
    let quota = Quota::per_minute(600);
    counting.use_up("somebody", quota).await;
    let mut waited = Duration::ZERO;
    for _ in 0..20 {
        if let Some(wait) = counting.take("somebody", quota).await.retry_after {
            waited = wait;
        }
    }
    assert!(waited <= quota.interval(), "{waited:?}");
    tokio::time::sleep(waited).await;
    assert!(counting.take("somebody", quota).await.is_allowed());
}

#[tokio::test]
async fn two_processes_count_exactly_together() {
    let server = RedisServer::start();
    let processes = [
        Counting::patient(&connected(&server).await),
        Counting::patient(&connected(&server).await),
    ];
    // One every 20 seconds at most comes back while the test runs.
    let quota = Quota::per_minute(30);
    let started = Instant::now();
    let mut asking = JoinSet::new();
    for number in 0..200 {
        let limiter = Arc::clone(&processes[number % 2].limiter);
        asking.spawn(async move { limiter.take(&key("crowd"), quota).await.is_allowed() });
    }
    let allowed = asking.join_all().await.into_iter().filter(|is| *is).count();
    let came_back = usize::try_from(started.elapsed().as_secs() / 2).unwrap();
    assert!((30..=30 + came_back).contains(&allowed), "{allowed}");
    assert_eq!(processes[0].alone.asked() + processes[1].alone.asked(), 0);
}

#[tokio::test]
async fn what_is_kept_ends_by_itself_and_names_nobody() {
    let server = RedisServer::start();
    let counting = Counting::patient(&connected(&server).await);
    let subject = format!("203.0.113.7 {}", "long".repeat(10_000));
    counting.take(&subject, QUOTA).await;
    let found = server.ask("EVAL \"return redis.call('KEYS','*')[1]\" 0");
    assert!(found.starts_with('$'), "{found}");
    assert!(found[1..].parse::<usize>().unwrap() < 100, "{found}");
    let left = server.ask("EVAL \"return redis.call('PTTL',redis.call('KEYS','*')[1])\" 0");
    let left: u64 = left.trim_start_matches(':').parse().unwrap();
    assert!((1..=6_001).contains(&left), "{left} ms");
    let names = server.ask("EVAL \"return #redis.call('KEYS','test:limit:taskCreation:*')\" 0");
    assert_eq!(names, ":1");
    let named = server.ask("EVAL \"return #redis.call('KEYS','*203*')\" 0");
    assert_eq!(named, ":0");
}

#[tokio::test]
async fn a_server_that_forgot_everything_is_told_the_rule_again() {
    let server = RedisServer::start();
    let counting = Counting::patient(&connected(&server).await);
    counting.use_up("somebody", QUOTA).await;
    for forgetting in ["SCRIPT FLUSH", "FLUSHALL", "SCRIPT FLUSH"] {
        assert_eq!(server.ask(forgetting), "+OK");
        assert!(counting.is_by_redis("another").await, "{forgetting}");
    }
    assert!(counting.take("somebody", QUOTA).await.is_allowed());
    assert_eq!(counting.alone.asked(), 0);
}

#[tokio::test]
async fn a_key_of_another_kind_is_not_an_error_to_who_asks() {
    let server = RedisServer::start();
    let counting = Counting::patient(&connected(&server).await);
    counting.take("somebody", QUOTA).await;
    let spoilt = "EVAL \"local k=redis.call('KEYS','*')[1] redis.call('DEL',k) return redis.call('LPUSH',k,'x')\" 0";
    assert_eq!(server.ask(spoilt), ":1");
    let decision = counting.take("somebody", QUOTA).await;
    assert_eq!(decision.remaining, OF_ONE_PROCESS);
}

#[tokio::test]
async fn without_a_server_each_process_decides_alone_and_at_once() {
    let mut server = RedisServer::start();
    server.kill();
    let counting = Counting::usual(&redis_at(&server));
    let started = Instant::now();
    for _ in 0..1_000 {
        let decision = counting.take("somebody", QUOTA).await;
        assert_eq!(decision.remaining, OF_ONE_PROCESS);
    }
    assert!(started.elapsed() < Duration::from_secs(5), "it waits");
    server.begin();
    until("Redis counts", async || {
        counting.is_by_redis("another").await
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_killed_and_started_again_counts_again() {
    let mut server = RedisServer::start();
    let counting = Counting::usual(&connected(&server).await);
    for _ in 0..2 {
        until("Redis counts", async || {
            counting.is_by_redis("somebody").await
        })
        .await;
        server.kill();
        until("it counts alone", async || {
            !counting.is_by_redis("somebody").await
        })
        .await;
        server.begin();
    }
    until("Redis counts", async || {
        counting.is_by_redis("somebody").await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_costs_a_few_requests_their_patience_and_no_more() {
    let server = RedisServer::start();
    let redis = connected(&server).await;
    let counting = Counting::usual(&redis);
    until("Redis counts", async || {
        counting.is_by_redis("somebody").await
    })
    .await;
    server.freeze();
    // Longer than an open connection is kept that says nothing.
    let frozen = Instant::now();
    let (mut asked, mut slow) = (0_u64, 0_u64);
    while frozen.elapsed() < Duration::from_secs(5) {
        let began = Instant::now();
        counting.take("somebody", PLENTY).await;
        asked += 1;
        slow += u64::from(began.elapsed() >= Duration::from_millis(20));
        tokio::task::yield_now().await;
    }
    assert!(!redis.is_answering());
    // Three, and then one a second; a machine under load is slow now and then by itself.
    assert!(slow <= 30 && asked > 1_000, "{slow} of {asked} were slow");
    server.thaw();
    until("Redis counts", async || {
        counting.is_by_redis("somebody").await
    })
    .await;
    until("Redis answers", async || redis.is_answering()).await;
}
