//! Consumers and developers at the gate.

use tarsify_domain::Timestamp;
use tarsify_domain::people::{Credential, PersonStatus, Realm};
use tarsify_testing::FakeAuthenticator;
use tarsify_testing::builders::identity;
use tarsify_testing::clock::MOMENT;
use time::Duration;

use super::reception::{DOORS, Door, Reception};

#[tokio::test]
async fn registered_people_are_let_in_as_themselves() {
    let hall = Reception::new();
    let (carla, token) = hall.consumer(identity(Realm::Consumers, "carla")).await;
    let found = hall.gate.consumer(Credential::Bearer(&token)).await;
    let (who, id) = found.unwrap();
    assert_eq!(id, carla.id);
    assert_eq!(hall.gate.profile(&who).await.unwrap(), carla);
    let (dora, token) = hall.developer(identity(Realm::Developers, "dora")).await;
    let found = hall.gate.developer(Credential::Bearer(&token)).await;
    assert_eq!(found.unwrap(), dora);
}

#[tokio::test]
async fn how_a_consumer_stood_is_believed_for_half_a_second() {
    let hall = Reception::new();
    let (carla, token) = hall.consumer(identity(Realm::Consumers, "carla")).await;
    let (_, other) = hall.consumer(identity(Realm::Consumers, "otto")).await;
    assert_eq!(hall.knock(Door::Consumer, &token).await, "ok");
    let reads = hall.store.reads();
    hall.clock.advance(Duration::milliseconds(499));
    assert_eq!(hall.knock(Door::Consumer, &token).await, "ok");
    assert_eq!(hall.store.reads(), reads, "he is known");
    assert_eq!(hall.knock(Door::Consumer, &other).await, "ok");
    assert_eq!(hall.store.reads(), reads + 1, "he is somebody else");
    hall.store
        .edit_consumer(carla.id, |stored| stored.status = PersonStatus::Disabled);
    hall.clock.advance(Duration::milliseconds(1));
    assert_eq!(hall.knock(Door::Consumer, &token).await, "Disabled");
    let reads = hall.store.reads();
    assert_eq!(hall.knock(Door::Consumer, &token).await, "Disabled");
    assert_eq!(hall.store.reads(), reads, "that he is out is known, too");
    hall.clock.advance(-Duration::seconds(1));
    hall.store
        .edit_consumer(carla.id, |stored| stored.status = PersonStatus::Active);
    assert_eq!(
        hall.knock(Door::Consumer, &token).await,
        "ok",
        "it was set back"
    );
}

#[tokio::test]
async fn a_sign_in_is_looked_at_whatever_is_known_of_its_person() {
    let hall = Reception::new();
    let mut who = identity(Realm::Consumers, "carla");
    let (carla, old) = hall.consumer(who.clone()).await;
    hall.store.edit_consumer(carla.id, |stored| {
        stored.tokens_valid_after = Some(MOMENT + Duration::minutes(5))
    });
    who.authenticated_at = MOMENT + Duration::minutes(5);
    let new = hall.authenticator.token(who.clone());
    for _ in 0..2 {
        assert_eq!(hall.knock(Door::Consumer, &new).await, "ok");
        assert_eq!(hall.knock(Door::Consumer, &old).await, "Revoked");
    }
    hall.clock.set(who.expires_at);
    assert_eq!(hall.knock(Door::Consumer, &new).await, "Expired");
}

#[tokio::test]
async fn who_has_no_profile_is_not_remembered() {
    let hall = Reception::new();
    let who = identity(Realm::Consumers, "carla");
    let token = hall.authenticator.token(who.clone());
    assert_eq!(
        hall.knock(Door::Consumer, &token).await,
        "NotRegistered(Consumers)"
    );
    hall.consumer(who).await;
    assert_eq!(hall.knock(Door::Consumer, &token).await, "ok");
}

#[tokio::test]
async fn an_unfit_credential_opens_no_door_and_the_store_is_not_asked() {
    let hall = Reception::new();
    let mut old = identity(Realm::Consumers, "carla");
    let (_, consumer) = hall.consumer(old.clone()).await;
    old.key.realm = Realm::Developers;
    let (_, developer) = hall.developer(old.clone()).await;
    let reads = hall.store.reads();
    for door in DOORS {
        let answer = hall.knock(door, "strange").await;
        assert!(answer.starts_with("Invalid("), "{door:?}: {answer}");
        let answer = hall.knock(door, FakeAuthenticator::EXPIRED).await;
        assert_eq!(answer, "Expired", "{door:?}");
    }
    hall.clock.set(old.expires_at);
    for (door, token) in [
        (Door::Consumer, &consumer),
        (Door::Developer, &developer),
        (Door::Admin, &developer),
    ] {
        assert_eq!(hall.knock(door, token).await, "Expired", "{door:?}");
    }
    hall.authenticator.start_outage();
    for door in DOORS {
        let answer = hall.knock(door, &consumer).await;
        assert!(answer.starts_with("Unavailable("), "{door:?}: {answer}");
    }
    assert_eq!(hall.store.reads(), reads);
}

#[tokio::test]
async fn each_realms_tokens_open_its_own_doors_only() {
    let hall = Reception::new();
    let (_, consumer) = hall.consumer(identity(Realm::Consumers, "sam")).await;
    let (_, developer) = hall.developer(identity(Realm::Developers, "sam")).await;
    for (door, token) in [
        (Door::Consumer, &developer),
        (Door::Developer, &consumer),
        (Door::Admin, &consumer),
        (Door::Identity(Realm::Consumers), &developer),
        (Door::Identity(Realm::Developers), &consumer),
    ] {
        let answer = hall.knock(door, token).await;
        assert!(answer.starts_with("Invalid("), "{door:?}: {answer}");
    }
}

#[tokio::test]
async fn who_is_vouched_for_but_has_no_profile_is_told_to_register() {
    let hall = Reception::new();
    // The other realm's profile of the same subject does not count.
    hall.developer(identity(Realm::Developers, "carla")).await;
    hall.consumer(identity(Realm::Consumers, "dora")).await;
    let consumer = hall.authenticator.token_of(Realm::Consumers, "carla");
    let developer = hall.authenticator.token_of(Realm::Developers, "dora");
    for (door, token, wanted) in [
        (Door::Consumer, &consumer, "NotRegistered(Consumers)"),
        (Door::Developer, &developer, "NotRegistered(Developers)"),
        (Door::Identity(Realm::Consumers), &consumer, "ok"),
        (Door::Identity(Realm::Developers), &developer, "ok"),
    ] {
        assert_eq!(hall.knock(door, token).await, wanted, "{door:?}");
    }
}

#[tokio::test]
async fn who_is_locked_out_stays_out_even_with_a_revoked_sign_in() {
    let hall = Reception::new();
    let (carla, consumer) = hall.consumer(identity(Realm::Consumers, "carla")).await;
    let (dora, developer) = hall.developer(identity(Realm::Developers, "dora")).await;
    for valid_after in [None, Some(MOMENT + Duration::days(1))] {
        hall.store.edit_consumer(carla.id, |stored| {
            stored.status = PersonStatus::Disabled;
            stored.tokens_valid_after = valid_after;
        });
        hall.store.edit_developer(dora.id, |stored| {
            stored.status = PersonStatus::Disabled;
            stored.tokens_valid_after = valid_after;
        });
        assert_eq!(hall.knock(Door::Consumer, &consumer).await, "Disabled");
        assert_eq!(hall.knock(Door::Developer, &developer).await, "Disabled");
    }
}

/// When a sign-in happened beside the moment from which sign-ins count.
fn moments() -> [(Option<Timestamp>, &'static str); 5] {
    [
        (None, "ok"),
        (Some(MOMENT - Duration::microseconds(1)), "ok"),
        (Some(MOMENT), "ok"),
        (Some(MOMENT + Duration::microseconds(1)), "Revoked"),
        (Some(MOMENT + Duration::days(1)), "Revoked"),
    ]
}

#[tokio::test]
async fn a_sign_in_counts_from_the_very_moment_on() {
    for (valid_after, wanted) in moments() {
        let hall = Reception::new();
        let (carla, consumer) = hall.consumer(identity(Realm::Consumers, "carla")).await;
        let (dora, developer) = hall.developer(identity(Realm::Developers, "dora")).await;
        let edit = |stored: &mut Option<Timestamp>| *stored = valid_after;
        hall.store
            .edit_consumer(carla.id, |stored| edit(&mut stored.tokens_valid_after));
        hall.store
            .edit_developer(dora.id, |stored| edit(&mut stored.tokens_valid_after));
        let answer = hall.knock(Door::Consumer, &consumer).await;
        assert_eq!(answer, wanted, "{valid_after:?}");
        let answer = hall.knock(Door::Developer, &developer).await;
        assert_eq!(answer, wanted, "{valid_after:?}");
    }
}

#[tokio::test]
async fn who_signs_in_again_is_let_in_again() {
    let hall = Reception::new();
    let mut who = identity(Realm::Consumers, "carla");
    let (carla, old) = hall.consumer(who.clone()).await;
    let ended = MOMENT + Duration::minutes(5);
    hall.store
        .edit_consumer(carla.id, |stored| stored.tokens_valid_after = Some(ended));
    who.authenticated_at = ended;
    let new = hall.authenticator.token(who);
    assert_eq!(hall.knock(Door::Consumer, &old).await, "Revoked");
    assert_eq!(hall.knock(Door::Consumer, &new).await, "ok");
}

#[tokio::test]
async fn an_outage_of_the_store_is_not_a_missing_profile() {
    let hall = Reception::new();
    let (_, consumer) = hall.consumer(identity(Realm::Consumers, "carla")).await;
    let (_, developer) = hall.developer(identity(Realm::Developers, "dora")).await;
    hall.store.start_outage();
    for (door, token) in [
        (Door::Consumer, &consumer),
        (Door::Developer, &developer),
        (Door::Admin, &developer),
    ] {
        let answer = hall.knock(door, token).await;
        assert!(answer.starts_with("Repo(Unavailable"), "{answer}");
    }
}
