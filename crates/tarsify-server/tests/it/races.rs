//! Two processes on one database, and requests that want the same thing at the same moment.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Answer, Ask, Server, Shop, Store, get, patch, post};

const ROUNDS: usize = 20;

#[tokio::test]
async fn a_slug_is_given_once() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    let other = shop.place.serve().await;
    for round in 0..ROUNDS {
        let ask = shop.drafting(&format!("wanted-{round}"));
        let (one, two) = both(&shop.server, &other, ask).await;
        let loser = loser_of(one, two, 201);
        loser.assert_failed(409, "ERR_5501");
    }
}

#[tokio::test]
async fn of_two_edits_of_one_version_one_wins() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    let other = shop.place.serve().await;
    let address = format!("/api/studio/tars-models/{}", shop.draft("contested").await);
    for round in 0..ROUNDS {
        let seen = get(&address).by(&shop.developer);
        let seen = shop.server.send(seen).await.assert_ok(200);
        let edit = patch(&address)
            .by(&shop.developer)
            .header("if-match", seen.header("etag").unwrap())
            .json(json!({"title": format!("Edit {round}")}));
        let (one, two) = both(&shop.server, &other, edit).await;
        let loser = loser_of(one, two, 200);
        loser.assert_failed(412, "ERR_1011");
    }
}

#[tokio::test]
async fn an_identity_registers_once() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    let servers = [Arc::new(shop.place.serve().await), Arc::new(shop.server)];
    let token = shop.place.token("consumer", "ada@example.com").await;
    let mut requests = JoinSet::new();
    for number in 0..50 {
        let server = Arc::clone(&servers[number % 2]);
        let register = post("/api/marketplace/auth/register").by(&token);
        requests.spawn(async move { server.send(register).await });
    }
    let mut registered = 0;
    for answer in requests.join_all().await {
        if answer.status == 201 {
            registered += 1;
        } else {
            answer.assert_failed(409, "ERR_3001");
        }
    }
    assert_eq!(registered, 1);
    assert_eq!(store.sql("SELECT count(*) FROM consumers"), "1");
}

/// The same request to both at once.
async fn both(one: &Server, two: &Server, ask: Ask) -> (Answer, Answer) {
    tokio::join!(one.send(ask.clone()), two.send(ask))
}

/// One of them must have succeeded; gives the other.
fn loser_of(one: Answer, two: Answer, success: u16) -> Answer {
    let (winner, loser) = if one.status == success {
        (one, two)
    } else {
        (two, one)
    };
    winner.assert_ok(success);
    loser
}
