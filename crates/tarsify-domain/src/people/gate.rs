//! The gate: from a credential to a person who may act.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::error::RepoError;
use crate::id::{ConsumerId, DeveloperId};
use crate::people::consumer::{Consumer, ConsumerRepository};
use crate::people::developer::{Developer, DeveloperRepository};
use crate::people::identity::{
    AuthError, Authenticator, Credential, PersonStatus, Realm, Role, VerifiedIdentity,
};
use crate::people::standing::{Standing, Standings};

/// Somebody who may do everything administrators may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Who he is.
    pub identity: VerifiedIdentity,
    /// His developer profile, if he has one.
    pub developer: Option<DeveloperId>,
}

/// Who is an administrator without a role in the store.
#[derive(Debug, Clone, Default)]
pub struct AdminRule {
    /// Subjects of the developers' realm that the operator named.
    pub subjects: BTreeSet<String>,
    /// The issuer of local identities, in development: its subjects that begin with
    /// [`AdminRule::LOCAL_PREFIX`] are administrators.
    pub local_issuer: Option<String>,
}

impl AdminRule {
    /// How the subject of a local administrator begins.
    pub const LOCAL_PREFIX: &'static str = "admin:";

    fn admits(&self, identity: &VerifiedIdentity) -> bool {
        let key = &identity.key;
        if key.realm != Realm::Developers {
            return false;
        }
        if self.local_issuer.as_ref() == Some(&key.issuer) {
            return key.subject.starts_with(Self::LOCAL_PREFIX);
        }
        self.subjects.contains(&key.subject)
    }
}

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The credential proves nothing.
    #[error("the credential is not acceptable: {0}")]
    Invalid(&'static str),
    /// The credential was good once.
    #[error("the credential has expired")]
    Expired,
    /// The person has ended the sign-in that the credential comes from.
    #[error("the sign-in behind the credential has been ended")]
    Revoked,
    /// An administrator locked the person out.
    #[error("the account is disabled")]
    Disabled,
    /// He is no administrator.
    #[error("the account is not an administrator's")]
    NotAdmin,
    /// The identity has no profile in its realm.
    #[error("the identity has no profile")]
    NotRegistered(Realm),
    /// Nothing is known to check the credential with.
    #[error("credentials cannot be checked now")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The store failed.
    #[error("the person could not be looked up")]
    Repo(#[from] RepoError),
}

impl From<AuthError> for GateError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Invalid(reason) => Self::Invalid(reason),
            AuthError::Expired => Self::Expired,
            AuthError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}

/// Lets people in.
pub struct Gate {
    /// Who checks credentials.
    pub authenticator: Arc<dyn Authenticator>,
    /// Where consumers are kept.
    pub consumers: Arc<dyn ConsumerRepository>,
    /// Where developers are kept.
    pub developers: Arc<dyn DeveloperRepository>,
    /// Who is an administrator by configuration.
    pub admins: AdminRule,
    /// How consumers stood a moment ago.
    pub standings: Standings,
}

impl Gate {
    /// Lets in anybody whom a realm's issuer vouches for, registered or not.
    ///
    /// # Errors
    /// When the credential proves nothing.
    pub async fn identity(
        &self,
        realm: Realm,
        credential: Credential<'_>,
    ) -> Result<VerifiedIdentity, GateError> {
        Ok(self.authenticator.authenticate(realm, credential).await?)
    }

    /// Lets in a registered consumer, and tells who he is. That he may act may be half a second old.
    ///
    /// # Errors
    /// When the credential proves nothing, or its owner has no profile or may not act.
    pub async fn consumer(
        &self,
        credential: Credential<'_>,
    ) -> Result<(VerifiedIdentity, ConsumerId), GateError> {
        let identity = self.identity(Realm::Consumers, credential).await?;
        let Some(standing) = self.standings.find(&identity.key) else {
            let id = self.profile(&identity).await?.id;
            return Ok((identity, id));
        };
        may_act(&identity, standing.status, standing.tokens_valid_after)?;
        Ok((identity, standing.id))
    }

    /// The profile of a consumer, as it is.
    ///
    /// # Errors
    /// When he has none or may not act, or the store fails.
    pub async fn profile(&self, identity: &VerifiedIdentity) -> Result<Consumer, GateError> {
        let since = self.standings.now();
        let found = self.consumers.find_by_identity(&identity.key).await?;
        let consumer = found.ok_or(GateError::NotRegistered(Realm::Consumers))?;
        let standing = Standing {
            id: consumer.id,
            status: consumer.status,
            tokens_valid_after: consumer.tokens_valid_after,
        };
        self.standings.remember(&identity.key, since, standing);
        may_act(identity, consumer.status, consumer.tokens_valid_after)?;
        Ok(consumer)
    }

    /// Lets in a registered developer.
    ///
    /// # Errors
    /// When the credential proves nothing, or its owner has no profile or may not act.
    pub async fn developer(&self, credential: Credential<'_>) -> Result<Developer, GateError> {
        let identity = self.identity(Realm::Developers, credential).await?;
        let found = self.developers.find_by_identity(&identity.key).await?;
        let developer = found.ok_or(GateError::NotRegistered(Realm::Developers))?;
        may_act(&identity, developer.status, developer.tokens_valid_after)?;
        Ok(developer)
    }

    /// Lets in an administrator.
    ///
    /// # Errors
    /// When the credential proves nothing, or its owner is no administrator or may not act.
    pub async fn admin(&self, credential: Credential<'_>) -> Result<Admin, GateError> {
        let identity = self.identity(Realm::Developers, credential).await?;
        let developer = self.developers.find_by_identity(&identity.key).await?;
        if let Some(developer) = &developer {
            may_act(&identity, developer.status, developer.tokens_valid_after)?;
        }
        let by_role = developer
            .as_ref()
            .is_some_and(|developer| developer.role == Role::Admin);
        if by_role || self.admins.admits(&identity) {
            Ok(Admin {
                identity,
                developer: developer.map(|developer| developer.id),
            })
        } else {
            Err(GateError::NotAdmin)
        }
    }
}

fn may_act(
    identity: &VerifiedIdentity,
    status: PersonStatus,
    valid_after: Option<Timestamp>,
) -> Result<(), GateError> {
    if status == PersonStatus::Disabled {
        return Err(GateError::Disabled);
    }
    match valid_after {
        Some(moment) if identity.authenticated_at < moment => Err(GateError::Revoked),
        _ => Ok(()),
    }
}
