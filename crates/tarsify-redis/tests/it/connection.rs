//! That the connection comes back whatever happens, and says what is wrong until then.

use std::time::Duration;

use tarsify_domain::health::PartHealth;
use tarsify_redis::{Redis, RedisAddress};
use tarsify_testing::RedisServer;

use crate::support::{connected, redis_at, until, within};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn it_says_which_redis_it_is_and_how_fast() {
    let server = RedisServer::with_password("hunter2");
    let redis = connected(&server).await;
    assert!(redis.is_answering());
    let report = redis.look(SOON).await.unwrap();
    assert!(report.version.contains('.'), "{report:?}");
    assert!(report.latency < Duration::from_secs(1), "{report:?}");
}

#[tokio::test]
async fn a_wrong_password_is_told_and_a_right_one_is_taken_later() {
    let server = RedisServer::with_password("right");
    let url = server.url().replace("right", "hunter2");
    let redis = Redis::connect(&RedisAddress::parse(&url).unwrap(), "test");
    until("the refusal is told", async || {
        let trouble = redis.look(Duration::from_millis(500)).await.unwrap_err();
        let cause = std::error::Error::source(&trouble).map(ToString::to_string);
        assert!(!format!("{trouble} {trouble:?}").contains("hunter2"));
        cause.is_some_and(|cause| cause.contains("WRONGPASS"))
    })
    .await;
    assert!(!redis.is_answering());
    // The operator mends it at the server.
    assert_eq!(server.ask("CONFIG SET requirepass hunter2"), "+OK");
    within("it is let in", redis.answers()).await;
}

#[tokio::test]
async fn a_server_that_comes_late_is_found_and_its_absence_noticed() {
    let mut server = RedisServer::start();
    server.kill();
    let redis = redis_at(&server);
    assert!(redis.look(Duration::from_millis(600)).await.is_err());
    for _ in 0..2 {
        server.begin();
        within("it is found", redis.answers()).await;
        server.kill();
        until("its absence is noticed", async || !redis.is_answering()).await;
    }
}

#[tokio::test]
async fn a_connection_that_is_let_go_is_closed() {
    let server = RedisServer::start();
    let redis = connected(&server).await;
    let clients = || {
        server.ask("EVAL \"return tonumber(string.match(redis.call('INFO','clients'),'connected_clients:(%d+)'))\" 0")
    };
    let before = clients();
    drop(redis);
    until("it is closed", async || clients() != before).await;
}
