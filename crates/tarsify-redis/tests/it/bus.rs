//! That a word crosses between processes, also after Redis was away, and never waits for it.

use std::time::{Duration, Instant};

use tarsify_engine::EventBus;
use tarsify_redis::RedisBus;
use tarsify_testing::RedisServer;
use tokio::sync::watch::Receiver;

use crate::support::{connected, redis_at, until, within};

/// Says it again until it is heard: a bus that was made a moment ago may not listen yet.
async fn crosses(from: &RedisBus, listener: &mut Receiver<()>) {
    until("the word crosses", async || {
        from.announce();
        heard_soon(listener).await
    })
    .await;
}

async fn heard_soon(listener: &mut Receiver<()>) -> bool {
    let hearing = tokio::time::timeout(Duration::from_millis(200), listener.changed());
    hearing.await.is_ok()
}

/// Nothing is on its way any more that was announced before.
async fn settled(buses: &mut [(&RedisBus, Receiver<()>)]) {
    for (_, listener) in buses {
        while heard_soon(listener).await {}
    }
}

#[tokio::test]
async fn a_word_crosses_in_both_directions_and_soon() {
    let server = RedisServer::start();
    let (one, two) = (
        RedisBus::new(&connected(&server).await),
        RedisBus::new(&connected(&server).await),
    );
    let (mut hears_one, mut hears_two) = (two.listen(), one.listen());
    crosses(&one, &mut hears_one).await;
    crosses(&two, &mut hears_two).await;
    settled(&mut [(&one, hears_two.clone()), (&two, hears_one.clone())]).await;
    hears_one.mark_unchanged();
    let said = Instant::now();
    one.announce();
    within("it is heard", hears_one.changed()).await.unwrap();
    assert!(
        said.elapsed() < Duration::from_secs(2),
        "{:?}",
        said.elapsed()
    );
}

#[tokio::test]
async fn who_announces_hears_it_at_once_and_once() {
    let server = RedisServer::start();
    let (one, two) = (
        RedisBus::new(&connected(&server).await),
        RedisBus::new(&connected(&server).await),
    );
    let (mut hears_one, mut hears_two) = (two.listen(), one.listen());
    crosses(&one, &mut hears_one).await;
    crosses(&two, &mut hears_two).await;
    settled(&mut [(&one, hears_two.clone()), (&two, hears_one.clone())]).await;
    let mut own = one.listen();
    hears_one.mark_unchanged();
    one.announce();
    assert!(own.has_changed().unwrap());
    own.mark_unchanged();
    // Whoever else listens has heard it, so it has been on the way back to us too.
    within("it is heard", hears_one.changed()).await.unwrap();
    assert!(!heard_soon(&mut own).await, "it came back");
}

#[tokio::test]
async fn a_thousand_words_are_a_few_messages() {
    let server = RedisServer::start();
    let (one, two) = (
        RedisBus::new(&connected(&server).await),
        RedisBus::new(&connected(&server).await),
    );
    let mut listener = two.listen();
    crosses(&one, &mut listener).await;
    let before = published(&server);
    for _ in 0..10_000 {
        one.announce();
    }
    settled(&mut [(&two, listener.clone())]).await;
    let messages = published(&server) - before;
    assert!((1..=50).contains(&messages), "{messages}");
}

fn published(server: &RedisServer) -> u64 {
    let asked = server.ask("EVAL \"return tonumber(string.match(redis.call('INFO','commandstats'),'cmdstat_publish:calls=(%d+)') or 0)\" 0");
    asked.trim_start_matches(':').parse().unwrap()
}

#[tokio::test]
async fn without_a_server_the_own_process_hears_and_the_others_once_it_is_back() {
    let mut server = RedisServer::start();
    server.kill();
    let (one, two) = (
        RedisBus::new(&redis_at(&server)),
        RedisBus::new(&redis_at(&server)),
    );
    let (own, mut listener) = (one.listen(), two.listen());
    let said = Instant::now();
    for _ in 0..10_000 {
        one.announce();
    }
    assert!(said.elapsed() < Duration::from_secs(1));
    assert!(own.has_changed().unwrap() && !listener.has_changed().unwrap());
    server.begin();
    within("what was missed is told", listener.changed())
        .await
        .unwrap();
    crosses(&one, &mut listener).await;
}

#[tokio::test]
async fn a_server_that_is_killed_or_frozen_carries_again_when_it_is_back() {
    let mut server = RedisServer::start();
    let (one, two) = (
        RedisBus::new(&connected(&server).await),
        RedisBus::new(&connected(&server).await),
    );
    let mut listener = two.listen();
    crosses(&one, &mut listener).await;
    settled(&mut [(&two, listener.clone())]).await;

    server.kill();
    listener.mark_unchanged();
    one.announce();
    server.begin();
    within("what was missed is told", listener.changed())
        .await
        .unwrap();
    crosses(&one, &mut listener).await;

    server.freeze();
    let frozen = Instant::now();
    while frozen.elapsed() < Duration::from_secs(5) {
        let said = Instant::now();
        one.announce();
        assert!(said.elapsed() < Duration::from_millis(500), "it waits");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    server.thaw();
    crosses(&one, &mut listener).await;
}
