//! A gate over fakes, with people who knock.

use std::sync::Arc;

use tarsify_domain::people::{
    AdminRule, Consumer, ConsumerRepository, Credential, Developer, DeveloperRepository, Gate,
    NewConsumer, NewDeveloper, Realm, Standings, VerifiedIdentity,
};
use tarsify_testing::builders::{new_consumer, new_developer};
use tarsify_testing::{FakeAuthenticator, FakeStore, TestClock};

use crate::workshop::answer;

pub(super) struct Reception {
    pub(super) store: Arc<FakeStore>,
    pub(super) clock: TestClock,
    pub(super) authenticator: Arc<FakeAuthenticator>,
    pub(super) gate: Gate,
}

impl Reception {
    pub(super) fn new() -> Self {
        Self::with_admins(AdminRule::default())
    }

    pub(super) fn with_admins(admins: AdminRule) -> Self {
        let (store, clock) = (FakeStore::new(), TestClock::new());
        let authenticator = Arc::new(FakeAuthenticator::new(Arc::new(clock.clone())));
        let gate = Gate {
            authenticator: authenticator.clone(),
            consumers: store.clone(),
            developers: store.clone(),
            admins,
            standings: Standings::new(Arc::new(clock.clone())),
        };
        Self {
            store,
            clock,
            authenticator,
            gate,
        }
    }

    /// Stores a consumer for the identity and hands out his token.
    pub(super) async fn consumer(&self, who: VerifiedIdentity) -> (Consumer, String) {
        let new = NewConsumer {
            key: who.key.clone(),
            ..new_consumer("")
        };
        let made = ConsumerRepository::register(&*self.store, &new).await;
        (made.unwrap(), self.authenticator.token(who))
    }

    /// Stores a developer for the identity and hands out his token.
    pub(super) async fn developer(&self, who: VerifiedIdentity) -> (Developer, String) {
        let new = NewDeveloper {
            key: who.key.clone(),
            ..new_developer("")
        };
        let made = DeveloperRepository::register(&*self.store, &new).await;
        (made.unwrap(), self.authenticator.token(who))
    }

    pub(super) async fn knock(&self, door: Door, token: &str) -> String {
        let credential = Credential::Bearer(token);
        match door {
            Door::Consumer => answer(self.gate.consumer(credential).await),
            Door::Developer => answer(self.gate.developer(credential).await),
            Door::Admin => answer(self.gate.admin(credential).await),
            Door::Identity(realm) => answer(self.gate.identity(realm, credential).await),
        }
    }
}

/// Where somebody wants in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Consumer,
    Developer,
    Admin,
    Identity(Realm),
}

pub(super) const DOORS: [Door; 5] = [
    Door::Consumer,
    Door::Developer,
    Door::Admin,
    Door::Identity(Realm::Consumers),
    Door::Identity(Realm::Developers),
];
