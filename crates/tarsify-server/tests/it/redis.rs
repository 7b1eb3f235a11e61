//! The real binary with a Redis that is there, goes away and was never there.

mod together;

use std::time::Duration;

use serde_json::Value;
use tarsify_testing::RedisServer;

use crate::support::{Server, Workshop, get, until};

/// Far shorter than the look for what was missed, far longer than news take.
const SOON: Duration = Duration::from_secs(2);

async fn part(server: &Server) -> (u16, Value) {
    let ready = server.send(get("/readyz")).await.status;
    let health = server.send(get("/health")).await.assert_ok(200);
    (ready, health.body["data"].clone())
}

async fn tells(server: &Server, redis: &str, status: &str) {
    until("the health tells it", async || {
        let (ready, health) = part(server).await;
        assert_eq!(ready, 200, "{health}");
        health["parts"]["redis"] == redis && health["status"] == status
    })
    .await;
}

#[tokio::test]
async fn a_redis_that_comes_and_goes_is_told_once_each_time_and_fails_nothing() {
    let mut redis = RedisServer::with_password("hunter2");
    let url = redis.url();
    redis.kill();
    let mut workshop = Workshop::open().await;
    workshop.place.set("REDIS_URL", &url);
    let server = workshop.serve("all").await;
    tells(&server, "unreachable", "degraded").await;
    workshop.submit(&server, "echo").await;
    workshop.all_ended().await;
    redis.begin();
    tells(&server, "ok", "ok").await;
    redis.kill();
    tells(&server, "unreachable", "degraded").await;
    redis.begin();
    tells(&server, "ok", "ok").await;
    let said = server.stop("INT").await.assert_code(0);
    let count = |text: &str| said.err.matches(text).count();
    assert_eq!(count("Redis does not answer"), 2, "{said:#?}");
    assert_eq!(count("Redis answers again"), 2, "{said:#?}");
    assert!(!said.err.contains("hunter2"), "{said:#?}");
}

#[tokio::test]
async fn what_a_worker_does_is_heard_by_who_waits_elsewhere() {
    let redis = RedisServer::start();
    let mut workshop = Workshop::open().await;
    workshop.place.set("REDIS_URL", &redis.url());
    let api = workshop.serve("api").await;
    let worker = workshop.serve("worker").await;
    tells(&api, "ok", "ok").await;
    tells(&worker, "ok", "ok").await;
    let before = published(&redis);
    workshop.submit(&api, "echo").await;
    workshop.all_ended().await;
    let heard = until("it is said", async || published(&redis) > before).await;
    assert!(heard < SOON, "{heard:?}");
    let channels = redis.ask("PUBSUB NUMSUB tarsify:events");
    assert!(channels.starts_with('*'), "{channels}");
}

fn published(redis: &RedisServer) -> u64 {
    let told = redis.ask("EVAL \"return tonumber(string.match(redis.call('INFO','commandstats'),'cmdstat_publish:calls=(%d+)') or 0)\" 0");
    told.trim_start_matches(':').parse().unwrap()
}

#[tokio::test]
async fn the_doctor_says_how_redis_is() {
    let mut redis = RedisServer::with_password("hunter2");
    let mut workshop = Workshop::open().await;
    let said = workshop.place.run(&["doctor"]).await.assert_code(0);
    assert!(said.out.contains("REDIS_URL is not set"), "{said:#?}");

    workshop.place.set("REDIS_URL", &redis.url());
    let said = workshop.place.run(&["doctor"]).await.assert_code(0);
    assert!(
        said.out.contains("redis") && said.out.contains("version "),
        "{said:#?}"
    );

    let wrong = redis.url().replace("hunter2", "hunter3");
    workshop.place.set("REDIS_URL", &wrong);
    let said = workshop.place.run(&["doctor"]).await.assert_code(1);
    assert!(said.out.contains("WRONGPASS"), "{said:#?}");
    assert!(!format!("{said:?}").contains("hunter"), "{said:#?}");

    redis.kill();
    workshop.place.set("REDIS_URL", &redis.url());
    let said = workshop.place.run(&["doctor"]).await.assert_code(1);
    assert!(
        said.out.contains("does not answer") && said.out.contains("mend REDIS_URL"),
        "{said:#?}"
    );
}
