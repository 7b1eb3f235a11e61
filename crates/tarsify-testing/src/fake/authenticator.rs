//! An authenticator that knows the tokens that tests hand out, and no others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tarsify_domain::Clock;
use tarsify_domain::people::{AuthError, Authenticator, Credential, Realm, VerifiedIdentity};

use crate::builders::{identity, unique};

/// Accepts what a test told it to accept, in that realm only and until the identity's
/// `expires_at`.
pub struct FakeAuthenticator {
    clock: Arc<dyn Clock>,
    tokens: Mutex<HashMap<(Realm, String), VerifiedIdentity>>,
    is_out_of_order: AtomicBool,
}

impl FakeAuthenticator {
    /// A token that has always expired.
    pub const EXPIRED: &'static str = "expired";

    /// Knows no token but [`FakeAuthenticator::EXPIRED`].
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            tokens: Mutex::new(HashMap::new()),
            is_out_of_order: AtomicBool::new(false),
        }
    }

    /// Lets `token` stand for `identity` in `realm`. Accepting it again replaces the identity.
    pub fn accept(&self, realm: Realm, token: &str, identity: VerifiedIdentity) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert((realm, token.to_owned()), identity);
    }

    /// Makes a token for an identity, in its own realm.
    pub fn token(&self, identity: VerifiedIdentity) -> String {
        let token = format!("token-{}", unique());
        self.accept(identity.key.realm, &token, identity);
        token
    }

    /// Makes a token for the identity that [`identity`] builds.
    pub fn token_of(&self, realm: Realm, subject: &str) -> String {
        self.token(identity(realm, subject))
    }

    /// Nothing can be checked from now on, as when there has never been a key.
    pub fn start_outage(&self) {
        self.is_out_of_order.store(true, Ordering::SeqCst);
    }

    /// Tokens can be checked again.
    pub fn end_outage(&self) {
        self.is_out_of_order.store(false, Ordering::SeqCst);
    }
}

#[async_trait]
impl Authenticator for FakeAuthenticator {
    async fn authenticate(
        &self,
        realm: Realm,
        credential: Credential<'_>,
    ) -> Result<VerifiedIdentity, AuthError> {
        if self.is_out_of_order.load(Ordering::SeqCst) {
            return Err(AuthError::Unavailable("a test took the keys away".into()));
        }
        let Credential::Bearer(token) = credential;
        if token == Self::EXPIRED {
            return Err(AuthError::Expired);
        }
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        match tokens.get(&(realm, token.to_owned())) {
            None => Err(AuthError::Invalid("no test handed it out for this realm")),
            Some(identity) if identity.expires_at <= self.clock.now() => Err(AuthError::Expired),
            Some(identity) => Ok(identity.clone()),
        }
    }
}
