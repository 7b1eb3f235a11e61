//! The port `Authenticator`: from a token to an identity of one realm. A token that a realm's own
//! issuers did not make for that realm proves nothing there.

use std::sync::Arc;

use async_trait::async_trait;
use tarsify_domain::clock::Clock;
use tarsify_domain::people::{AuthError, Authenticator, Credential, Realm, VerifiedIdentity};
use time::Duration;

use crate::choose_cryptography;
use crate::claims::{Demands, OTHER_ISSUER};
use crate::issuer::{Issuer, KeySource, Unsigned};
use crate::jwks::JwksCache;
use crate::local::{
    LOCAL_CONSUMERS_AUDIENCE, LOCAL_DEVELOPERS_AUDIENCE, LOCAL_ISSUER, LocalIssuer,
};
use crate::token::{MAX_BYTES, Token};
use crate::verified::{Fingerprint, VerifiedTokens};

/// The most by which an issuer's clock may be ahead.
const MAX_LEEWAY: Duration = Duration::seconds(60);

/// Whose tokens are taken.
#[derive(Debug, Clone, Default)]
pub struct AuthSettings {
    /// The Firebase project of consumers. `None`: consumers have no Firebase tokens.
    pub users_project_id: Option<String>,
    /// The Firebase project of developers and administrators. `None`: they have no Firebase
    /// tokens.
    pub devs_project_id: Option<String>,
    /// How far an issuer's clock may be ahead of ours, at most 60 seconds. It softens `iat`,
    /// `auth_time` and `nbf`; a token is never good after its `exp`.
    pub leeway: Duration,
    /// Takes the unsigned tokens of the Firebase emulator as well. Never in production.
    pub emulator: bool,
    /// Takes the tokens of [`LocalIdentities`](crate::LocalIdentities) as well. Never in
    /// production.
    pub local: Option<LocalIssuer>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A project id is not one.
    #[error(
        "the Firebase project id {0:?} is not one: it has 1 to 128 letters, digits, hyphens, dots and colons"
    )]
    ProjectId(String),
    /// Both realms have the same project, so that nothing would stand between them.
    #[error(
        "consumers and developers must have two different Firebase projects, and {0:?} is set for both"
    )]
    SameProject(String),
    /// The leeway is negative or too long.
    #[error("the leeway for tokens must be between 0 and 60 seconds")]
    Leeway,
}

/// Checks the tokens of both realms.
pub struct TokenAuthenticator {
    consumers: Vec<Arc<Issuer>>,
    developers: Vec<Arc<Issuer>>,
    leeway: Duration,
    clock: Arc<dyn Clock>,
    verified: VerifiedTokens,
}

impl TokenAuthenticator {
    /// Builds an authenticator. The keys are those of every Firebase project; they are not asked
    /// for before a Firebase token comes.
    ///
    /// # Errors
    /// When the settings would let tokens through that they should not.
    pub fn new(
        settings: AuthSettings,
        firebase_keys: &JwksCache,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        choose_cryptography();
        let AuthSettings {
            users_project_id,
            devs_project_id,
            leeway,
            emulator,
            local,
        } = settings;
        if leeway.is_negative() || leeway > MAX_LEEWAY {
            return Err(SetupError::Leeway);
        }
        if let Some(project) = &users_project_id
            && users_project_id == devs_project_id
        {
            return Err(SetupError::SameProject(project.clone()));
        }
        let unsigned = if emulator {
            Unsigned::Taken
        } else {
            Unsigned::Refused
        };
        let issuers = |project: Option<String>, local_audience: &str| {
            let firebase = project.map(|project| firebase(project, firebase_keys, unsigned));
            let local = local.as_ref().map(|issuer| {
                let keys = KeySource::Local(Arc::clone(&issuer.keys));
                let audience = local_audience.to_owned();
                Issuer::new(LOCAL_ISSUER.to_owned(), audience, keys, Unsigned::Refused)
            });
            let both = firebase.into_iter().chain(local.map(Ok));
            both.map(|issuer| issuer.map(Arc::new)).collect()
        };
        let consumers: Result<_, SetupError> = issuers(users_project_id, LOCAL_CONSUMERS_AUDIENCE);
        let developers: Result<_, SetupError> = issuers(devs_project_id, LOCAL_DEVELOPERS_AUDIENCE);
        Ok(Self {
            consumers: consumers?,
            developers: developers?,
            leeway,
            clock,
            verified: VerifiedTokens::new(),
        })
    }

    /// The issuer of the realm with exactly that name.
    fn issuer(&self, realm: Realm, name: &str) -> Result<&Arc<Issuer>, AuthError> {
        let issuers = match realm {
            Realm::Consumers => &self.consumers,
            Realm::Developers => &self.developers,
        };
        let found = issuers.iter().find(|issuer| issuer.name == name);
        found.ok_or(AuthError::Invalid(OTHER_ISSUER))
    }

    async fn check(&self, realm: Realm, token: &str) -> Result<VerifiedIdentity, AuthError> {
        if token.len() > MAX_BYTES {
            return Err(AuthError::Invalid("it is longer than 8192 bytes"));
        }
        let fingerprint = Fingerprint::of(realm, token);
        let known = fingerprint
            .as_ref()
            .and_then(|fingerprint| self.verified.find(fingerprint, self.clock.now()));
        if let Some(identity) = known {
            return Ok(identity);
        }
        let token = Token::parse(token).map_err(AuthError::Invalid)?;
        let name = token.claimed_issuer().map_err(AuthError::Invalid)?;
        let issuer = self.issuer(realm, &name)?;
        let sealed = issuer.open(&token).await?;
        let identity = sealed.claims.prove(&Demands {
            realm,
            issuer: &issuer.name,
            audience: &issuer.audience,
            // Read again: finding the key may have taken seconds.
            now: self.clock.now(),
            leeway: self.leeway,
        })?;
        if let (Some(fingerprint), Some(epoch)) = (fingerprint, sealed.epoch) {
            let issuer = Arc::clone(issuer);
            self.verified
                .remember(fingerprint, identity.clone(), issuer, epoch);
        }
        Ok(identity)
    }
}

#[async_trait]
impl Authenticator for TokenAuthenticator {
    async fn authenticate(
        &self,
        realm: Realm,
        credential: Credential<'_>,
    ) -> Result<VerifiedIdentity, AuthError> {
        let Credential::Bearer(token) = credential;
        self.check(realm, token).await
    }
}

fn firebase(project: String, keys: &JwksCache, unsigned: Unsigned) -> Result<Issuer, SetupError> {
    let well_formed = (1..=128).contains(&project.len())
        && project
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.:_".contains(&byte));
    if !well_formed {
        return Err(SetupError::ProjectId(project));
    }
    let name = format!("https://securetoken.google.com/{project}");
    let keys = KeySource::Published(keys.clone());
    Ok(Issuer::new(name, project, keys, unsigned))
}
