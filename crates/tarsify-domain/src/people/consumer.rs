//! Consumers: those who run models and pay for what worked.

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::{Clock, Timestamp};
use crate::error::RepoError;
use crate::id::ConsumerId;
use crate::money::Credits;
use crate::patch::Patch;
use crate::people::identity::{
    IdentityKey, PersonStatus, ProfileError, VerifiedIdentity, agreed_email,
};
use crate::text::{AvatarUrl, EmailAddress, PersonName};
use crate::version::{Expected, Version};

/// A consumer as he is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// His id.
    pub id: ConsumerId,
    /// Who he is at the issuer of his tokens.
    pub subject: String,
    /// His e-mail address, if the issuer knew one.
    pub email: Option<EmailAddress>,
    /// His name.
    pub name: Option<PersonName>,
    /// His picture.
    pub avatar_url: Option<AvatarUrl>,
    /// Whether he may act.
    pub status: PersonStatus,
    /// Tokens of sign-ins before this moment are void.
    pub tokens_valid_after: Option<Timestamp>,
    /// What he has, what is set aside included.
    pub credits_balance: Credits,
    /// How many runs he started.
    pub run_count: u64,
    /// How often he bought credits.
    pub purchase_count: u64,
    /// What he has paid for runs.
    pub total_credits_spent: Credits,
    /// Grows with every revision.
    pub version: Version,
    /// When he registered.
    pub created_at: Timestamp,
    /// When his profile was last revised.
    pub updated_at: Timestamp,
}

/// What is stored of a consumer who registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConsumer {
    /// His new id.
    pub id: ConsumerId,
    /// Who he is.
    pub key: IdentityKey,
    /// His e-mail address.
    pub email: Option<EmailAddress>,
    /// Whether his issuer has seen that the address is his.
    pub email_is_verified: bool,
    /// His name.
    pub name: Option<PersonName>,
    /// What he gets for coming.
    pub welcome: Credits,
    /// Now.
    pub registered_at: Timestamp,
}

/// What a consumer changes of his profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsumerProfile {
    /// His name.
    pub name: Patch<PersonName>,
    /// His picture.
    pub avatar_url: Patch<AvatarUrl>,
}

/// Stores consumers. Every method is one atomic step.
#[async_trait]
pub trait ConsumerRepository: Send + Sync {
    /// The consumer behind an identity.
    async fn find_by_identity(&self, key: &IdentityKey) -> Result<Option<Consumer>, RepoError>;

    /// Stores a new consumer with his identity and his welcome credits; `Conflict` when the identity is taken, or the
    /// verified e-mail address by another who verified it.
    async fn register(&self, new: &NewConsumer) -> Result<Consumer, RepoError>;

    /// Replaces name and picture of the consumer who stands at `consumer.version` and gives
    /// him the next version; `Stale` when he no longer stands there.
    async fn revise(&self, consumer: &Consumer) -> Result<Consumer, RepoError>;
}

/// What consumers do with their own profile.
pub struct Consumers {
    repository: Arc<dyn ConsumerRepository>,
    clock: Arc<dyn Clock>,
    welcome: Credits,
}

impl Consumers {
    /// Builds the use cases on their ports. Whoever comes gets `welcome`.
    #[must_use]
    pub fn new(
        repository: Arc<dyn ConsumerRepository>,
        clock: Arc<dyn Clock>,
        welcome: Credits,
    ) -> Self {
        Self {
            repository,
            clock,
            welcome,
        }
    }

    /// Makes a profile for an identity; the name falls back to the one in the token.
    ///
    /// # Errors
    /// When there is one already, or `email` is not the token's.
    pub async fn register(
        &self,
        identity: &VerifiedIdentity,
        email: Option<&EmailAddress>,
        name: Option<PersonName>,
    ) -> Result<Consumer, ProfileError> {
        let now = self.clock.now();
        let new = NewConsumer {
            id: ConsumerId::new(now),
            key: identity.key.clone(),
            email: agreed_email(identity, email)?,
            email_is_verified: identity.email_is_verified,
            name: name.or_else(|| {
                identity
                    .name
                    .as_deref()
                    .and_then(|name| PersonName::parse(name).ok())
            }),
            welcome: self.welcome,
            registered_at: now,
        };
        Ok(self.repository.register(&new).await?)
    }

    /// Changes what `profile` mentions.
    ///
    /// # Errors
    /// When the profile is not what the caller expects, or somebody else changed it meanwhile.
    pub async fn revise(
        &self,
        mut consumer: Consumer,
        expected: &Expected,
        profile: ConsumerProfile,
    ) -> Result<Consumer, ProfileError> {
        if !expected.admits(consumer.version) {
            return Err(ProfileError::PreconditionFailed);
        }
        let ConsumerProfile { name, avatar_url } = profile;
        name.apply(&mut consumer.name);
        avatar_url.apply(&mut consumer.avatar_url);
        consumer.updated_at = self.clock.now();
        match self.repository.revise(&consumer).await {
            Err(RepoError::Stale) if expected.is_stated() => Err(ProfileError::PreconditionFailed),
            other => Ok(other?),
        }
    }
}
