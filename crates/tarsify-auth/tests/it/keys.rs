//! The key cache while the key server answers: freshness, rotation, single flight.

use std::sync::Arc;

use serde_json::{Value, json};
use tarsify_domain::people::Realm;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::forge::{first_key, key_set, second_key};
use crate::key_server::Answer;
use crate::world::{World, firebase_settings, is_invalid, with};

const REALM: Realm = Realm::Consumers;

/// Good for ten hours.
fn long_claims(world: &World, subject: &str) -> Value {
    let exp = json!(world.clock.seconds() + 36_000);
    with(world.claims_of(subject, REALM), "exp", exp)
}

#[tokio::test]
async fn keys_are_asked_for_again_when_they_have_expired() {
    let answer = Answer::fresh_for(600, key_set(&[first_key()]));
    let world = World::with(firebase_settings(), answer).await;
    let token = first_key().token(&long_claims(&world, "ada"));
    let schedule = [(0, 1), (599, 1), (1, 2), (599, 2), (1, 3), (5_000, 4)];
    for (advance, requests) in schedule {
        world.clock.advance(advance);
        assert!(world.check(REALM, &token).await.is_ok());
        assert_eq!(world.server.requests(), requests, "after {advance}");
    }
}

#[tokio::test]
async fn a_new_key_costs_one_request() {
    let world = World::new().await;
    let old = first_key().token(&long_claims(&world, "ada"));
    assert!(world.check(REALM, &old).await.is_ok());
    let rotated = key_set(&[first_key(), second_key()]);
    world.server.answer(Answer::fresh_for(3_600, rotated));
    for subject in ["ada", "bob", "eve"] {
        let token = second_key().token(&long_claims(&world, subject));
        assert!(world.check(REALM, &token).await.is_ok());
    }
    assert!(world.check(REALM, &old).await.is_ok());
    assert_eq!(world.server.requests(), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_one_request_in_30_seconds() {
    let world = World::new().await;
    let good = first_key().token(&long_claims(&world, "ada"));
    assert!(world.check(REALM, &good).await.is_ok());
    for (advance, requests) in [(0, 2), (29, 2), (1, 3), (30, 4)] {
        world.clock.advance(advance);
        for number in 0..40 {
            let header = json!({"alg": "RS256", "kid": format!("unknown-{number}")});
            let claims = world.claims(REALM);
            let token = first_key().token_with_header(&header, &claims);
            assert!(is_invalid(&world.check(REALM, &token).await));
        }
        assert_eq!(world.server.requests(), requests, "after {advance}");
        assert!(world.check(REALM, &good).await.is_ok());
    }
}

#[tokio::test]
async fn a_removed_key_ends_the_tokens_it_signed() {
    let answer = Answer::fresh_for(600, key_set(&[first_key(), second_key()]));
    let world = World::with(firebase_settings(), answer).await;
    let old = first_key().token(&long_claims(&world, "ada"));
    let new = second_key().token(&long_claims(&world, "bob"));
    for token in [&old, &new] {
        assert!(world.check(REALM, token).await.is_ok());
    }
    let rest = key_set(&[second_key()]);
    world.server.answer(Answer::fresh_for(600, rest));
    world.clock.advance(600);
    assert!(world.check(REALM, &new).await.is_ok());
    assert!(is_invalid(&world.check(REALM, &old).await), "while fresh");
    world.clock.advance(600);
    assert!(is_invalid(&world.check(REALM, &old).await), "when due");
}

#[tokio::test]
async fn fifty_callers_at_once_cost_one_request() {
    let world = Arc::new(World::new().await);
    world.server.hold();
    let mut callers = JoinSet::new();
    for number in 0..50 {
        let token = first_key().token(&long_claims(&world, &format!("caller-{number}")));
        let world = Arc::clone(&world);
        callers.spawn(async move { world.check(REALM, &token).await });
    }
    world.server.requested(1).await;
    world.server.release();
    while let Some(outcome) = callers.join_next().await {
        assert!(outcome.unwrap().is_ok());
    }
    assert_eq!(world.server.requests(), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_stop_the_request() {
    let world = Arc::new(World::new().await);
    world.server.hold();
    let token = first_key().token(&long_claims(&world, "ada"));
    let mut callers = JoinSet::new();
    let first = Arc::clone(&world);
    let shown = token.clone();
    callers.spawn(async move { first.check(REALM, &shown).await });
    world.server.requested(1).await;
    callers.shutdown().await;
    world.server.release();
    assert!(world.check(REALM, &token).await.is_ok());
    assert_eq!(world.server.requests(), 1);
}

#[tokio::test]
async fn keys_are_refreshed_in_the_background_before_they_expire() {
    let answer = Answer::fresh_for(600, key_set(&[first_key()]));
    let world = World::with(firebase_settings(), answer).await;
    let shutdown = CancellationToken::new();
    let mut background = JoinSet::new();
    let (keys, stop) = (world.keys.clone(), shutdown.clone());
    background.spawn(async move { keys.run(stop).await });
    world.server.requested(1).await;
    let rotated = key_set(&[first_key(), second_key()]);
    world.server.answer(Answer::fresh_for(600, rotated));
    // Two minutes before the end of the ten.
    world.clock.advance(480);
    world.server.requested(2).await;
    let token = second_key().token(&long_claims(&world, "ada"));
    assert!(world.check(REALM, &token).await.is_ok());
    shutdown.cancel();
    background.join_next().await.unwrap().unwrap();
    assert_eq!(world.server.requests(), 2);
}
