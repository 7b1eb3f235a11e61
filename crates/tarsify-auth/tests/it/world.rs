//! An authenticator of two projects, its key server, and a clock that tests set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration as Span;

use serde_json::{Value, json};
use tarsify_auth::{AuthSettings, JwksCache, JwksSettings, TokenAuthenticator};
use tarsify_domain::clock::{Clock, Timestamp};
use tarsify_domain::people::{AuthError, Authenticator, Credential, Realm, VerifiedIdentity};
use time::Duration;

use crate::forge::{first_key, key_set};
use crate::key_server::{Answer, KeyServer};

/// Both realms.
pub(crate) const REALMS: [Realm; 2] = [Realm::Consumers, Realm::Developers];

/// A clock that stands still until it is moved.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_750_000_000)))
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_timestamp(self.seconds()).unwrap()
    }
}

/// All that a test needs.
pub(crate) struct World {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) server: KeyServer,
    pub(crate) keys: JwksCache,
    pub(crate) authenticator: TokenAuthenticator,
}

impl World {
    /// Two Firebase projects, and the first key fresh for an hour.
    pub(crate) async fn new() -> Self {
        Self::with(firebase_settings(), hour_of_first_key()).await
    }

    pub(crate) async fn with(settings: AuthSettings, answer: Answer) -> Self {
        let clock = TestClock::new();
        let server = KeyServer::start(answer).await;
        let keys = JwksCache::new(
            JwksSettings {
                timeout: Span::from_secs(2),
                ..JwksSettings::new(server.url.as_str())
            },
            clock.clone(),
        );
        let keys = keys.unwrap();
        let authenticator = TokenAuthenticator::new(settings, &keys, clock.clone()).unwrap();
        Self {
            clock,
            server,
            keys,
            authenticator,
        }
    }

    pub(crate) async fn check(
        &self,
        realm: Realm,
        token: &str,
    ) -> Result<VerifiedIdentity, AuthError> {
        let credential = Credential::Bearer(token);
        self.authenticator.authenticate(realm, credential).await
    }

    /// The claims of a good token of the realm, good for an hour.
    pub(crate) fn claims(&self, realm: Realm) -> Value {
        self.claims_of("ada", realm)
    }

    pub(crate) fn claims_of(&self, subject: &str, realm: Realm) -> Value {
        let project = project(realm);
        let now = self.clock.seconds();
        json!({
            "iss": format!("https://securetoken.google.com/{project}"),
            "aud": project,
            "sub": subject,
            "user_id": subject,
            "exp": now + 3_600,
            "iat": now - 1,
            "auth_time": now - 100,
            "email": "Ada@Example.com",
            "email_verified": true,
            "name": "Ada Lovelace",
            "firebase": {"sign_in_provider": "password", "identities": {}},
        })
    }
}

pub(crate) fn hour_of_first_key() -> Answer {
    Answer::fresh_for(3_600, key_set(&[first_key()]))
}

pub(crate) fn firebase_settings() -> AuthSettings {
    AuthSettings {
        users_project_id: Some(project(Realm::Consumers).to_owned()),
        devs_project_id: Some(project(Realm::Developers).to_owned()),
        leeway: Duration::seconds(30),
        emulator: false,
        local: None,
    }
}

/// The Firebase project of a realm.
pub(crate) fn project(realm: Realm) -> &'static str {
    match realm {
        Realm::Consumers => "shop-users",
        Realm::Developers => "shop-devs",
    }
}

/// The realm that it is not.
pub(crate) fn other(realm: Realm) -> Realm {
    match realm {
        Realm::Consumers => Realm::Developers,
        Realm::Developers => Realm::Consumers,
    }
}

/// The claims with one of them changed.
pub(crate) fn with(mut claims: Value, field: &str, value: Value) -> Value {
    claims[field] = value;
    claims
}

/// The claims without one of them.
pub(crate) fn without(mut claims: Value, field: &str) -> Value {
    claims.as_object_mut().unwrap().remove(field);
    claims
}

pub(crate) fn is_invalid(outcome: &Result<VerifiedIdentity, AuthError>) -> bool {
    matches!(outcome, Err(AuthError::Invalid(_)))
}

pub(crate) fn is_expired(outcome: &Result<VerifiedIdentity, AuthError>) -> bool {
    matches!(outcome, Err(AuthError::Expired))
}

pub(crate) fn is_unavailable(outcome: &Result<VerifiedIdentity, AuthError>) -> bool {
    matches!(outcome, Err(AuthError::Unavailable(_)))
}
