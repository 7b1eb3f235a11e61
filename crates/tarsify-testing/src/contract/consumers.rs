//! What a store of consumers must do.

use tarsify_domain::people::{Consumer, IdentityKey, NewConsumer, PersonStatus, Realm};
use tarsify_domain::text::AvatarUrl;
use tarsify_domain::{Credits, Version};

use super::World;
use super::check::{assert_conflict, assert_one_conflicts, assert_one_is_stale, assert_stale};
use super::world::later;
use crate::builders::{email, identity_key, new_consumer, person_name};

pub(super) async fn registration_round_trips(world: World) {
    let new = new_consumer("carla");
    let registered = world.consumers.register(&new).await.unwrap();
    let expected = Consumer {
        id: new.id,
        subject: "carla".into(),
        email: new.email.clone(),
        name: new.name.clone(),
        avatar_url: None,
        status: PersonStatus::Active,
        tokens_valid_after: None,
        credits_balance: Credits::ZERO,
        run_count: 0,
        purchase_count: 0,
        total_credits_spent: Credits::ZERO,
        version: Version::FIRST,
        created_at: new.registered_at,
        updated_at: new.registered_at,
    };
    assert_eq!(registered, expected);
    let found = world.consumers.find_by_identity(&new.key).await.unwrap();
    assert_eq!(found, Some(expected));
}

pub(super) async fn absent_details_stay_absent(world: World) {
    let new = NewConsumer {
        email: None,
        name: None,
        ..new_consumer("carla")
    };
    world.consumers.register(&new).await.unwrap();
    let found = world.consumers.find_by_identity(&new.key).await.unwrap();
    let found = found.unwrap();
    assert_eq!(
        (found.email, found.name, found.avatar_url),
        (None, None, None)
    );
}

pub(super) async fn whoever_comes_has_his_welcome_credits(world: World) {
    for (subject, credits) in [("carla", 0), ("clara", 1), ("cara", 1_000)] {
        let new = NewConsumer {
            welcome: Credits::new(credits),
            ..new_consumer(subject)
        };
        let registered = world.consumers.register(&new).await.unwrap();
        assert_eq!(registered.credits_balance, new.welcome);
        assert_eq!(registered.total_credits_spent, Credits::ZERO);
        let found = world.consumers.find_by_identity(&new.key).await.unwrap();
        assert_eq!(found, Some(registered.clone()));
        let revised = world.consumers.revise(&registered).await.unwrap();
        assert_eq!(revised.credits_balance, new.welcome);
    }
}

pub(super) async fn any_script_is_kept(world: World) {
    let new = NewConsumer {
        key: identity_key(Realm::Consumers, "цветок:🦀'\"\\%_"),
        name: Some(person_name("Ζωή 明日香 \u{202e}\u{0301} 👩‍🚀 O'Neil \\ %_")),
        ..new_consumer("carla")
    };
    world.consumers.register(&new).await.unwrap();
    let found = world.consumers.find_by_identity(&new.key).await.unwrap();
    let found = found.unwrap();
    assert_eq!(found.subject, new.key.subject);
    assert_eq!(found.name, new.name);
}

pub(super) async fn nobody_is_found_by_another_identity(world: World) {
    let new = new_consumer("carla");
    world.consumers.register(&new).await.unwrap();
    let other_issuer = IdentityKey {
        issuer: format!("{}/", new.key.issuer),
        ..new.key.clone()
    };
    for key in [
        other_issuer,
        identity_key(Realm::Consumers, "Carla"),
        identity_key(Realm::Consumers, "carl"),
        identity_key(Realm::Consumers, ""),
    ] {
        let found = world.consumers.find_by_identity(&key).await.unwrap();
        assert_eq!(found, None, "{key:?}");
    }
}

pub(super) async fn one_identity_registers_once(world: World) {
    let new = new_consumer("carla");
    world.consumers.register(&new).await.unwrap();
    assert_conflict(world.consumers.register(&new_consumer("carla")).await);
    let elsewhere = NewConsumer {
        key: IdentityKey {
            issuer: "https://elsewhere.example.com".into(),
            ..new.key.clone()
        },
        ..new_consumer("carla")
    };
    let other = world.consumers.register(&elsewhere).await.unwrap();
    assert_ne!(
        other.id, new.id,
        "the same subject elsewhere is somebody else"
    );
}

pub(super) async fn one_address_registers_once_in_any_case(world: World) {
    let first = NewConsumer {
        email: Some(email("carla@example.com")),
        ..new_consumer("carla")
    };
    world.consumers.register(&first).await.unwrap();
    let second = NewConsumer {
        email: Some(email("Carla@Example.COM")),
        ..new_consumer("clara")
    };
    assert_conflict(world.consumers.register(&second).await);
}

pub(super) async fn people_without_an_address_do_not_collide(world: World) {
    for subject in ["carla", "clara"] {
        let new = NewConsumer {
            email: None,
            ..new_consumer(subject)
        };
        world.consumers.register(&new).await.unwrap();
    }
}

pub(super) async fn a_refused_registration_leaves_nothing(world: World) {
    let first = new_consumer("carla");
    world.consumers.register(&first).await.unwrap();
    let second = NewConsumer {
        email: first.email.clone(),
        ..new_consumer("clara")
    };
    assert_conflict(world.consumers.register(&second).await);
    let found = world.consumers.find_by_identity(&second.key).await.unwrap();
    assert_eq!(found, None);
    let again = new_consumer("clara");
    world.consumers.register(&again).await.unwrap();
}

pub(super) async fn one_of_two_registrations_at_once_wins(world: World) {
    let (left, right) = (new_consumer("carla"), new_consumer("carla"));
    assert_one_conflicts(tokio::join!(
        world.consumers.register(&left),
        world.consumers.register(&right),
    ));
}

pub(super) async fn a_revision_keeps_what_is_not_the_profile(world: World) {
    let new = new_consumer("carla");
    let registered = world.consumers.register(&new).await.unwrap();
    let wanted = Consumer {
        name: Some(person_name("Carla the Second")),
        avatar_url: Some(AvatarUrl::parse("https://example.com/Ä b.png?x=1").unwrap()),
        updated_at: later(60),
        ..registered.clone()
    };
    let bent = Consumer {
        subject: "mallory".into(),
        email: Some(email("mallory@example.com")),
        status: PersonStatus::Disabled,
        tokens_valid_after: Some(later(1)),
        credits_balance: Credits::new(1_000_000),
        run_count: 7,
        purchase_count: 8,
        total_credits_spent: Credits::new(9),
        created_at: later(30),
        ..wanted.clone()
    };
    let revised = world.consumers.revise(&bent).await.unwrap();
    let expected = Consumer {
        version: registered.version.next(),
        ..wanted
    };
    assert_eq!(revised, expected);
    let found = world.consumers.find_by_identity(&new.key).await.unwrap();
    assert_eq!(found, Some(expected.clone()));
    let cleared = Consumer {
        name: None,
        avatar_url: None,
        ..expected
    };
    let cleared = world.consumers.revise(&cleared).await.unwrap();
    assert_eq!((cleared.name, cleared.avatar_url), (None, None));
}

pub(super) async fn a_revision_of_an_old_version_is_stale(world: World) {
    let new = new_consumer("carla");
    let registered = world.consumers.register(&new).await.unwrap();
    let revised = world.consumers.revise(&registered).await.unwrap();
    let late = Consumer {
        name: None,
        ..registered.clone()
    };
    assert_stale(world.consumers.revise(&late).await);
    let early = Consumer {
        version: revised.version.next(),
        ..late.clone()
    };
    assert_stale(world.consumers.revise(&early).await);
    let found = world.consumers.find_by_identity(&new.key).await.unwrap();
    assert_eq!(found, Some(revised));
    let stranger = Consumer {
        id: new_consumer("clara").id,
        ..registered
    };
    assert_stale(world.consumers.revise(&stranger).await);
}

pub(super) async fn one_of_two_revisions_at_once_wins(world: World) {
    let registered = world.consumers.register(&new_consumer("carla")).await;
    let registered = registered.unwrap();
    assert_one_is_stale(tokio::join!(
        world.consumers.revise(&registered),
        world.consumers.revise(&registered),
    ));
}
