//! The key cache when the key server fails.

use std::error::Error;

use serde_json::{Value, json};
use tarsify_auth::KeysUnavailable;
use tarsify_domain::people::{AuthError, Realm};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::forge::{first_key, key_set, second_key};
use crate::key_server::Answer;
use crate::world::{World, firebase_settings, hour_of_first_key, is_invalid, is_unavailable, with};

const REALM: Realm = Realm::Developers;
const DAY: i64 = 86_400;

/// Good for ten days.
fn long_claims(world: &World, subject: &str) -> Value {
    let exp = json!(world.clock.seconds() + 10 * DAY);
    with(world.claims_of(subject, REALM), "exp", exp)
}

fn failures() -> Vec<(&'static str, Answer)> {
    let html = "<html>maintenance</html>".to_owned();
    let mut long = Answer::fresh_for(60, key_set(&[first_key()]));
    long.body.push_str(&" ".repeat(300_000));
    let mut moved = Answer::status(302);
    moved.headers = "location: /elsewhere\r\n".to_owned();
    vec![
        ("an error", Answer::status(500)),
        ("turned away", Answer::status(429)),
        ("not there", Answer::status(404)),
        ("moved", moved),
        ("no content", Answer::status(204)),
        ("a page", Answer::fresh_for(60, html)),
        (
            "an empty set",
            Answer::fresh_for(60, "{\"keys\":[]}".to_owned()),
        ),
        (
            "certificates",
            Answer::fresh_for(60, "{\"first\":\"PEM\"}".to_owned()),
        ),
        ("too much", long),
    ]
}

#[tokio::test]
async fn known_keys_go_on_for_a_day_after_they_expired() {
    let world = World::new().await;
    let token = first_key().token(&long_claims(&world, "ada"));
    assert!(world.check(REALM, &token).await.is_ok());
    for (why, failure) in failures() {
        world.server.answer(failure);
        world.clock.advance(3_600);
        assert!(world.check(REALM, &token).await.is_ok(), "{why}");
    }
    // Nine hours since the keys were fetched, eight since they expired.
    world.clock.advance(16 * 3_600 - 1);
    assert!(world.check(REALM, &token).await.is_ok());
    world.clock.advance(1);
    let outcome = world.check(REALM, &token).await;
    assert!(is_unavailable(&outcome), "{outcome:?}");
    assert!(!world.keys.has_keys());
    world.server.answer(hour_of_first_key());
    world.clock.advance(5);
    assert!(world.check(REALM, &token).await.is_ok());
    assert!(world.keys.has_keys());
}

#[tokio::test]
async fn without_any_key_nothing_can_be_checked_until_the_server_recovers() {
    for (why, failure) in failures() {
        let world = World::with(firebase_settings(), failure).await;
        let token = first_key().token(&long_claims(&world, "ada"));
        for _ in 0..10 {
            let outcome = world.check(REALM, &token).await;
            assert!(is_unavailable(&outcome), "{why}: {outcome:?}");
        }
        assert_eq!(world.server.requests(), 1, "{why}");
        world.server.answer(hour_of_first_key());
        world.clock.advance(4);
        assert!(is_unavailable(&world.check(REALM, &token).await), "{why}");
        world.clock.advance(1);
        assert!(world.check(REALM, &token).await.is_ok(), "{why}");
        assert_eq!(world.server.requests(), 2, "{why}");
    }
}

#[tokio::test]
async fn the_cause_of_an_outage_is_told_without_the_address() {
    let world = World::new().await;
    let World {
        server,
        authenticator,
        clock,
        keys,
    } = world;
    let url = server.url.clone();
    drop(server);
    let world = World {
        server: crate::key_server::KeyServer::start(hour_of_first_key()).await,
        authenticator,
        clock,
        keys,
    };
    let token = first_key().token(&long_claims(&world, "ada"));
    let outcome = world.check(REALM, &token).await;
    let Err(AuthError::Unavailable(error)) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(error.is::<KeysUnavailable>());
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("could not be reached"), "{cause}");
    let mut told = String::new();
    let mut link: Option<&dyn Error> = Some(&*error);
    while let Some(error) = link {
        told.push_str(&format!("{error} {error:?} "));
        link = error.source();
    }
    assert!(!told.contains(&url), "{told}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_holds_up_nobody_who_has_a_known_key() {
    let world = World::new().await;
    let token = first_key().token(&long_claims(&world, "ada"));
    assert!(world.check(REALM, &token).await.is_ok());
    world.server.answer(Answer::status(500));
    world.clock.advance(3_600);
    assert!(world.check(REALM, &token).await.is_ok());
    assert_eq!(world.server.requests(), 2);
    world.server.hold();
    world.clock.advance(30);
    // The third request is under way and unanswered; this would hang if anybody waited for it.
    for subject in ["bob", "eve"] {
        let token = first_key().token(&long_claims(&world, subject));
        assert!(world.check(REALM, &token).await.is_ok());
    }
    world.server.requested(3).await;
    world
        .server
        .answer(Answer::fresh_for(60, key_set(&[second_key()])));
    world.server.release();
    let token = second_key().token(&long_claims(&world, "ada"));
    assert!(
        world.check(REALM, &token).await.is_ok(),
        "the answer counts"
    );
    assert_eq!(world.server.requests(), 3);
}

#[tokio::test]
async fn a_slow_server_is_given_up() {
    let world = World::new().await;
    world.server.hold();
    let token = first_key().token(&long_claims(&world, "ada"));
    let outcome = world.check(REALM, &token).await;
    assert!(is_unavailable(&outcome), "{outcome:?}");
    world.server.release();
    world.clock.advance(5);
    assert!(world.check(REALM, &token).await.is_ok());
}

#[tokio::test]
async fn an_unknown_key_in_an_outage_is_an_unknown_key() {
    let world = World::new().await;
    let known = first_key().token(&long_claims(&world, "ada"));
    let unknown = second_key().token(&long_claims(&world, "ada"));
    assert!(world.check(REALM, &known).await.is_ok());
    world.server.answer(Answer::status(503));
    for _ in 0..10 {
        assert!(is_invalid(&world.check(REALM, &unknown).await));
        assert!(world.check(REALM, &known).await.is_ok());
    }
    assert_eq!(world.server.requests(), 2);
    let rotated = key_set(&[first_key(), second_key()]);
    world.server.answer(Answer::fresh_for(3_600, rotated));
    world.clock.advance(30);
    assert!(world.check(REALM, &unknown).await.is_ok(), "recovered");
}

#[tokio::test]
async fn the_background_refresh_outlives_an_outage() {
    let world = World::with(firebase_settings(), Answer::status(500)).await;
    let shutdown = CancellationToken::new();
    let mut background = JoinSet::new();
    let (keys, stop) = (world.keys.clone(), shutdown.clone());
    background.spawn(async move { keys.run(stop).await });
    world.server.requested(1).await;
    world.server.answer(hour_of_first_key());
    world.clock.advance(5);
    world.server.requested(2).await;
    let token = first_key().token(&long_claims(&world, "ada"));
    assert!(world.check(REALM, &token).await.is_ok());
    assert_eq!(world.server.requests(), 2);
    shutdown.cancel();
    background.join_next().await.unwrap().unwrap();
}
