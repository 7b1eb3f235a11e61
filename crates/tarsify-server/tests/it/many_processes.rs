//! How soon a process serves, and how soon two processes on one database agree.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Place, Server, Shop, Store, get, patch, post, until};

/// A second is promised; the rest is for a machine that tests at the same time.
const AGREED_WITHIN: Duration = Duration::from_millis(1_500);

#[tokio::test]
async fn the_first_request_is_answered_within_a_second_of_the_start() {
    let store = Store::migrated().await;
    let place = Place::on(&store);
    // The key of local identities is made once, not at every start.
    place.token("consumer", "ada@example.com").await;
    let mut quickest = Duration::MAX;
    // What else the machine does at the time makes one start slow, or several in a row, and
    // hardly ten: as soon as one holds the promise, it is held.
    for _ in 0..10 {
        let started = Instant::now();
        let server = place.serve().await;
        let answer = server.send(get("/api/marketplace/models")).await;
        quickest = quickest.min(started.elapsed());
        answer.assert_ok(200);
        if quickest < Duration::from_secs(1) {
            return;
        }
    }
    panic!("it took {quickest:?}");
}

#[tokio::test]
async fn a_change_is_seen_at_once_by_its_process_and_soon_by_the_other() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    let other = shop.place.serve().await;
    let id = shop.draft("anime").await;
    assert_eq!(shop.server.shown("anime").await, None);
    assert_eq!(other.shown("anime").await, None);

    shop.publish(&id).await;
    assert_ne!(shop.server.shown("anime").await, None);
    agrees(&other, "it was published", |model| model.is_some()).await;

    let address = format!("/api/studio/tars-models/{id}");
    let edit = patch(&address)
        .by(&shop.developer)
        .json(json!({"title": "Manga Generator"}));
    other.send(edit).await.assert_ok(200);
    let renamed =
        |model: Option<Value>| model.is_some_and(|model| model["title"] == "Manga Generator");
    assert!(renamed(other.shown("anime").await));
    agrees(&shop.server, "it was renamed", renamed).await;

    let archive = post(format!("{address}/archive")).by(&shop.developer);
    shop.server.send(archive).await.assert_ok(200);
    assert_eq!(shop.server.shown("anime").await, None);
    agrees(&other, "it was archived", |model| model.is_none()).await;
}

async fn agrees(server: &Server, what: &str, with: impl Fn(Option<Value>) -> bool) {
    let took = until(what, async || with(server.shown("anime").await)).await;
    assert!(took <= AGREED_WITHIN, "{what}: seen after {took:?}");
}
