//! What a store of developers must do.

use tarsify_domain::people::{
    Developer, IdentityKey, NewConsumer, NewDeveloper, PersonStatus, Realm, Role,
};
use tarsify_domain::text::{AvatarUrl, Bio, Country};
use tarsify_domain::{Credits, Scope, Version};

use super::World;
use super::check::{assert_conflict, assert_one_conflicts, assert_one_is_stale, assert_stale};
use super::world::later;
use crate::builders::{email, identity_key, new_consumer, new_developer, person_name, tars_model};

pub(super) async fn registration_round_trips(world: World) {
    let new = new_developer("dora");
    let registered = world.developers.register(&new).await.unwrap();
    let expected = Developer {
        id: new.id,
        subject: "dora".into(),
        email: new.email.clone(),
        display_name: new.display_name.clone(),
        avatar_url: None,
        bio: None,
        country: None,
        payout_email: None,
        stripe_account_id: None,
        is_verified: false,
        profile_is_complete: false,
        role: Role::User,
        status: PersonStatus::Active,
        tokens_valid_after: None,
        total_earnings: Credits::ZERO,
        pending_payout: Credits::ZERO,
        model_count: 0,
        version: Version::FIRST,
        created_at: new.registered_at,
        updated_at: new.registered_at,
    };
    assert_eq!(registered, expected);
    let found = world.developers.find_by_identity(&new.key).await.unwrap();
    assert_eq!(found, Some(expected));
}

pub(super) async fn absent_details_stay_absent(world: World) {
    let new = NewDeveloper {
        email: None,
        display_name: None,
        ..new_developer("dora")
    };
    world.developers.register(&new).await.unwrap();
    let found = world.developers.find_by_identity(&new.key).await.unwrap();
    let found = found.unwrap();
    assert_eq!((found.email, found.display_name), (None, None));
}

pub(super) async fn nobody_is_found_by_another_identity(world: World) {
    let new = new_developer("dora");
    world.developers.register(&new).await.unwrap();
    let other_issuer = IdentityKey {
        issuer: new.key.issuer.to_uppercase(),
        ..new.key.clone()
    };
    for key in [
        other_issuer,
        identity_key(Realm::Developers, "DORA"),
        identity_key(Realm::Developers, "dora "),
    ] {
        let found = world.developers.find_by_identity(&key).await.unwrap();
        assert_eq!(found, None, "{key:?}");
    }
}

pub(super) async fn one_identity_registers_once(world: World) {
    world.developer("dora").await;
    assert_conflict(world.developers.register(&new_developer("dora")).await);
}

pub(super) async fn one_address_registers_once_in_any_case(world: World) {
    let first = NewDeveloper {
        email: Some(email("dora@example.com")),
        ..new_developer("dora")
    };
    world.developers.register(&first).await.unwrap();
    let second = NewDeveloper {
        email: Some(email("DORA@example.com")),
        ..new_developer("dolores")
    };
    assert_conflict(world.developers.register(&second).await);
    let found = world
        .developers
        .find_by_identity(&second.key)
        .await
        .unwrap();
    assert_eq!(found, None, "a refused registration leaves nothing");
}

pub(super) async fn people_without_an_address_do_not_collide(world: World) {
    for subject in ["dora", "dolores"] {
        let new = NewDeveloper {
            email: None,
            ..new_developer(subject)
        };
        world.developers.register(&new).await.unwrap();
    }
}

pub(super) async fn realms_are_apart(world: World) {
    let developer = world.developers.register(&new_developer("alex")).await;
    let developer = developer.unwrap();
    let twin = NewConsumer {
        key: IdentityKey {
            realm: Realm::Consumers,
            ..identity_key(Realm::Developers, "alex")
        },
        email: developer.email.clone(),
        ..new_consumer("alex")
    };
    assert_eq!(
        world.consumers.find_by_identity(&twin.key).await.unwrap(),
        None
    );
    let consumer = world.consumers.register(&twin).await.unwrap();
    assert_eq!(consumer.email, developer.email);
    let found = world.consumers.find_by_identity(&twin.key).await.unwrap();
    assert_eq!(found, Some(consumer));
    let key = identity_key(Realm::Developers, "alex");
    let found = world.developers.find_by_identity(&key).await.unwrap();
    assert_eq!(found, Some(developer));
}

/// Anybody can sign up with an address that is not his. He neither keeps its owner out nor
/// gets what was meant for him.
pub(super) async fn an_unverified_address_claims_nothing(world: World) {
    let address = email("boss@example.com");
    for subject in ["mallory", "marvin"] {
        let new = NewDeveloper {
            email: Some(address.clone()),
            email_is_verified: false,
            ..new_developer(subject)
        };
        world.developers.register(&new).await.unwrap();
    }
    let assigned = world.developers.assign_role(&address, Role::Admin).await;
    assert_eq!(assigned.unwrap(), None);
    let owner = NewDeveloper {
        email: Some(address.clone()),
        ..new_developer("boss")
    };
    world.developers.register(&owner).await.unwrap();
    let assigned = world.developers.assign_role(&address, Role::Admin).await;
    assert_eq!(assigned.unwrap().unwrap().id, owner.id);
}

pub(super) async fn one_of_two_registrations_at_once_wins(world: World) {
    let left = new_developer("dora");
    let right = NewDeveloper {
        email: left.email.clone(),
        ..new_developer("dolores")
    };
    assert_one_conflicts(tokio::join!(
        world.developers.register(&left),
        world.developers.register(&right),
    ));
}

fn with_a_full_profile(developer: &Developer) -> Developer {
    Developer {
        display_name: Some(person_name("Dora 明 D'Arc")),
        avatar_url: Some(AvatarUrl::parse("https://example.com/dora.png").unwrap()),
        bio: Some(Bio::parse("I draw.\nOn weekdays:\tcats 🐈").unwrap()),
        country: Some(Country::parse("DE").unwrap()),
        payout_email: Some(email("payouts@example.com")),
        profile_is_complete: true,
        updated_at: later(60),
        ..developer.clone()
    }
}

pub(super) async fn a_revision_stores_the_whole_profile(world: World) {
    let registered = world.developer("dora").await;
    let wanted = with_a_full_profile(&registered);
    let revised = world.developers.revise(&wanted).await.unwrap();
    let expected = Developer {
        version: registered.version.next(),
        ..wanted
    };
    assert_eq!(revised, expected);
    let key = identity_key(Realm::Developers, "dora");
    let found = world.developers.find_by_identity(&key).await.unwrap();
    assert_eq!(found, Some(expected.clone()));
    let wanted = Developer {
        display_name: None,
        avatar_url: None,
        bio: None,
        country: None,
        payout_email: None,
        ..expected
    };
    let cleared = world.developers.revise(&wanted).await.unwrap();
    let expected = Developer {
        version: wanted.version.next(),
        ..wanted
    };
    assert_eq!(cleared, expected);
}

pub(super) async fn a_revision_keeps_what_is_not_the_profile(world: World) {
    let registered = world.developer("dora").await;
    let bent = Developer {
        subject: "mallory".into(),
        email: Some(email("mallory@example.com")),
        stripe_account_id: Some("acct_mallory".into()),
        is_verified: true,
        role: Role::Admin,
        status: PersonStatus::Disabled,
        tokens_valid_after: Some(later(1)),
        total_earnings: Credits::new(5),
        pending_payout: Credits::new(6),
        model_count: 7,
        created_at: later(30),
        updated_at: later(60),
        ..registered.clone()
    };
    let revised = world.developers.revise(&bent).await.unwrap();
    let expected = Developer {
        version: registered.version.next(),
        updated_at: later(60),
        ..registered
    };
    assert_eq!(revised, expected);
}

pub(super) async fn a_revision_of_an_old_version_is_stale(world: World) {
    let registered = world.developer("dora").await;
    let revised = world.developers.revise(&registered).await.unwrap();
    let late = with_a_full_profile(&registered);
    assert_stale(world.developers.revise(&late).await);
    let key = identity_key(Realm::Developers, "dora");
    let found = world.developers.find_by_identity(&key).await.unwrap();
    assert_eq!(found, Some(revised));
    let stranger = Developer {
        id: new_developer("dolores").id,
        ..registered
    };
    assert_stale(world.developers.revise(&stranger).await);
}

pub(super) async fn one_of_two_revisions_at_once_wins(world: World) {
    let registered = world.developer("dora").await;
    assert_one_is_stale(tokio::join!(
        world.developers.revise(&registered),
        world.developers.revise(&registered),
    ));
}

pub(super) async fn a_role_is_given_by_address_in_any_case(world: World) {
    let new = NewDeveloper {
        email: Some(email("dora@example.com")),
        ..new_developer("dora")
    };
    world.developers.register(&new).await.unwrap();
    let bystander = world.developer("dolores").await;
    for role in [Role::Admin, Role::Admin, Role::User] {
        let given = world
            .developers
            .assign_role(&email("Dora@EXAMPLE.com"), role)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((given.id, given.role), (new.id, role));
        let found = world.developers.find_by_identity(&new.key).await.unwrap();
        assert_eq!(found, Some(given));
    }
    let key = identity_key(Realm::Developers, "dolores");
    let found = world.developers.find_by_identity(&key).await.unwrap();
    assert_eq!(found, Some(bystander));
}

pub(super) async fn nobody_gets_a_role_by_a_strange_address(world: World) {
    world.developer("dora").await;
    let consumer = NewConsumer {
        email: Some(email("carla@example.com")),
        ..new_consumer("carla")
    };
    world.consumers.register(&consumer).await.unwrap();
    for stranger in ["nobody@example.com", "carla@example.com", "%@example.com"] {
        let given = world
            .developers
            .assign_role(&email(stranger), Role::Admin)
            .await
            .unwrap();
        assert_eq!(given, None, "{stranger}");
    }
}

pub(super) async fn models_are_counted(world: World) {
    let developer = world.developer("dora").await;
    let base = world.base_model().await;
    let draft = world
        .store_tars_model(tars_model(&base, developer.id))
        .await;
    world.publish(tars_model(&base, developer.id)).await;
    world.draft("dolores").await;
    let key = identity_key(Realm::Developers, "dora");
    let found = world.developers.find_by_identity(&key).await.unwrap();
    assert_eq!(found.unwrap().model_count, 2);
    let revised = world.developers.revise(&developer).await.unwrap();
    assert_eq!(revised.model_count, 2);
    let scope = Scope::Developer(developer.id);
    world
        .tars_models
        .delete(scope, draft.id, draft.version)
        .await
        .unwrap();
    let found = world.developers.find_by_identity(&key).await.unwrap();
    assert_eq!(found.unwrap().model_count, 1);
}
