//! Consumers' own profiles: registering once, and changing what is mentioned.

use std::sync::Arc;

use tarsify_domain::people::{
    Consumer, ConsumerProfile, ConsumerRepository, Consumers, PersonStatus, ProfileError, Realm,
    VerifiedIdentity,
};
use tarsify_domain::text::AvatarUrl;
use tarsify_domain::{Credits, Expected, Patch, Version};
use tarsify_testing::builders::{email, identity, person_name};
use tarsify_testing::{FakeStore, TestClock};
use time::Duration;

use crate::workshop::{answer, one_of};

struct Counter {
    store: Arc<FakeStore>,
    clock: TestClock,
    consumers: Consumers,
}

impl Counter {
    fn new() -> Self {
        let (store, clock) = (FakeStore::new(), TestClock::new());
        let consumers = Consumers::new(store.clone(), Arc::new(clock.clone()), Credits::new(50));
        Self {
            store,
            clock,
            consumers,
        }
    }

    async fn stored(&self, who: &VerifiedIdentity) -> Option<Consumer> {
        ConsumerRepository::find_by_identity(&*self.store, &who.key)
            .await
            .unwrap()
    }
}

fn carla() -> VerifiedIdentity {
    identity(Realm::Consumers, "carla")
}

#[tokio::test]
async fn a_new_consumer_has_what_he_gets_for_coming_and_may_act() {
    let counter = Counter::new();
    let now = counter.clock.advance(Duration::minutes(1));
    let made = counter.consumers.register(&carla(), None, None).await;
    let made = made.unwrap();
    assert_eq!(made.subject, "carla");
    assert_eq!(made.email, Some(email("carla@example.com")));
    assert_eq!(made.name, Some(person_name("carla of the token")));
    assert_eq!(made.status, PersonStatus::Active);
    assert_eq!(made.credits_balance, Credits::new(50));
    assert_eq!(made.version, Version::FIRST);
    assert_eq!((made.created_at, made.updated_at), (now, now));
    assert_eq!(counter.stored(&carla()).await, Some(made));
}

#[tokio::test]
async fn the_name_in_the_body_wins_and_an_unfit_one_in_the_token_is_left_out() {
    let table = [
        (Some("Carla"), Some("Token"), Some("Carla")),
        (Some("Carla"), None, Some("Carla")),
        (None, Some("  Token  "), Some("Token")),
        (None, Some("T"), None),
        (None, Some(""), None),
        (None, Some("To\0ken"), None),
        (None, None, None),
    ];
    for (body, token, wanted) in table {
        let counter = Counter::new();
        let who = VerifiedIdentity {
            name: token.map(str::to_owned),
            ..carla()
        };
        let register = counter
            .consumers
            .register(&who, None, body.map(person_name));
        let name = register.await.unwrap().name;
        assert_eq!(name, wanted.map(person_name), "{body:?}, {token:?}");
    }
}

#[tokio::test]
async fn the_email_is_the_tokens_and_one_in_the_body_must_be_the_same() {
    let known = "carla@example.com";
    let table = [
        (None, Some(known), Ok(Some(known))),
        (None, None, Ok(None)),
        (Some(known), Some(known), Ok(Some(known))),
        (Some(" Carla@Example.COM "), Some(known), Ok(Some(known))),
        (Some("emil@example.com"), Some(known), Err("/email")),
        (Some(known), None, Err("/email")),
    ];
    for (body, token, wanted) in table {
        let counter = Counter::new();
        let who = VerifiedIdentity {
            email: token.map(email),
            ..carla()
        };
        let body = body.map(email);
        let register = counter.consumers.register(&who, body.as_ref(), None).await;
        let answered = match register {
            Ok(made) => Ok(made.email),
            Err(ProfileError::Disagrees(issue)) => Err(issue.path),
            Err(other) => panic!("{other:?}"),
        };
        let wanted = wanted.map(|known| known.map(email)).map_err(str::to_owned);
        assert_eq!(answered, wanted, "{body:?}, {token:?}");
        let is_stored = counter.stored(&who).await.is_some();
        assert_eq!(is_stored, wanted.is_ok());
    }
}

#[tokio::test]
async fn nobody_registers_twice_nor_with_anothers_email() {
    let counter = Counter::new();
    let made = counter.consumers.register(&carla(), None, None).await;
    let again = Some(person_name("Another name"));
    let twice = counter.consumers.register(&carla(), None, again).await;
    assert_eq!(answer(twice), "AlreadyRegistered");
    assert_eq!(counter.stored(&carla()).await, made.ok());
    let emil = VerifiedIdentity {
        email: carla().email,
        ..identity(Realm::Consumers, "emil")
    };
    let taken = counter.consumers.register(&emil, None, None).await;
    assert_eq!(answer(taken), "AlreadyRegistered");
    let nameless = |subject| VerifiedIdentity {
        email: None,
        ..identity(Realm::Consumers, subject)
    };
    for subject in ["no-email", "none-either"] {
        let who = nameless(subject);
        let register = counter.consumers.register(&who, None, None).await;
        assert_eq!(answer(register), "ok");
    }
}

#[tokio::test]
async fn the_same_subject_of_another_issuer_is_somebody_else() {
    let counter = Counter::new();
    let mut other = identity(Realm::Consumers, "carla");
    other.key.issuer = "https://other.example.com".to_owned();
    other.email = Some(email("other@example.com"));
    let first = counter.consumers.register(&carla(), None, None).await;
    let second = counter.consumers.register(&other, None, None).await;
    assert_ne!(first.unwrap().id, second.unwrap().id);
}

#[tokio::test]
async fn only_what_is_mentioned_of_the_profile_changes() {
    let picture = AvatarUrl::parse("https://example.com/carla.png").unwrap();
    let table = [
        (Patch::Keep, Patch::Keep),
        (Patch::Keep, Patch::Set(picture.clone())),
        (Patch::Set(person_name("Carla C.")), Patch::Keep),
        (Patch::Clear, Patch::Clear),
    ];
    for (name, avatar_url) in table {
        let counter = Counter::new();
        let made = counter.consumers.register(&carla(), None, None).await;
        let made = made.unwrap();
        let now = counter.clock.advance(Duration::minutes(1));
        let mut wanted = Consumer {
            version: made.version.next(),
            updated_at: now,
            ..made.clone()
        };
        name.clone().apply(&mut wanted.name);
        avatar_url.clone().apply(&mut wanted.avatar_url);
        let profile = ConsumerProfile { name, avatar_url };
        let revise = counter.consumers.revise(made, &Expected::Any, profile);
        assert_eq!(revise.await.unwrap(), wanted);
        assert_eq!(counter.stored(&carla()).await, Some(wanted));
    }
}

#[tokio::test]
async fn the_version_he_read_is_the_one_he_changes() {
    let table = [
        // What he says, whether somebody was quicker, and the answer.
        (Expected::Any, false, "ok"),
        (one_of(&[1]), false, "ok"),
        (one_of(&[3, 1]), false, "ok"),
        (one_of(&[2]), false, "PreconditionFailed"),
        (one_of(&[]), false, "PreconditionFailed"),
        (Expected::Any, true, "Repo(Stale)"),
        (one_of(&[1]), true, "PreconditionFailed"),
    ];
    for (expected, somebody_was_quicker, wanted) in table {
        let counter = Counter::new();
        let made = counter.consumers.register(&carla(), None, None).await;
        let made = made.unwrap();
        if somebody_was_quicker {
            let quick = ConsumerProfile::default();
            let any = &Expected::Any;
            let revise = counter.consumers.revise(made.clone(), any, quick);
            revise.await.unwrap();
        }
        let before = counter.stored(&carla()).await;
        let profile = ConsumerProfile {
            name: Patch::Set(person_name("Late Carla")),
            avatar_url: Patch::Keep,
        };
        let revise = counter.consumers.revise(made, &expected, profile).await;
        assert_eq!(answer(revise), wanted, "{expected:?}");
        let untouched = counter.stored(&carla()).await == before;
        assert_eq!(untouched, wanted != "ok", "{expected:?}");
    }
}

#[tokio::test]
async fn an_outage_is_not_taken_for_a_registration() {
    let counter = Counter::new();
    counter.store.start_outage();
    let register = counter.consumers.register(&carla(), None, None).await;
    let answer = answer(register);
    assert!(answer.starts_with("Repo(Unavailable"), "{answer}");
}
