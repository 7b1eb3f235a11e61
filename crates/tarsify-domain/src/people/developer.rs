//! Developers: those who brand base models and earn from their runs.

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::{Clock, Timestamp};
use crate::error::RepoError;
use crate::id::DeveloperId;
use crate::money::Credits;
use crate::patch::Patch;
use crate::people::identity::{
    IdentityKey, PersonStatus, ProfileError, Role, VerifiedIdentity, agreed_email,
};
use crate::text::{AvatarUrl, Bio, Country, EmailAddress, PersonName};
use crate::version::{Expected, Version};

/// A developer as he is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Developer {
    /// His id.
    pub id: DeveloperId,
    /// Who he is at the issuer of his tokens.
    pub subject: String,
    /// His e-mail address, if the issuer knew one.
    pub email: Option<EmailAddress>,
    /// The name the market shows.
    pub display_name: Option<PersonName>,
    /// His picture.
    pub avatar_url: Option<AvatarUrl>,
    /// What he says about himself.
    pub bio: Option<Bio>,
    /// Where he lives.
    pub country: Option<Country>,
    /// Where messages about payouts go.
    pub payout_email: Option<EmailAddress>,
    /// His account at the payment provider.
    pub stripe_account_id: Option<String>,
    /// Whether he may be paid.
    pub is_verified: bool,
    /// Whether he has completed his profile.
    pub profile_is_complete: bool,
    /// What he may do beyond his own things.
    pub role: Role,
    /// Whether he may act.
    pub status: PersonStatus,
    /// Tokens of sign-ins before this moment are void.
    pub tokens_valid_after: Option<Timestamp>,
    /// What he has earned.
    pub total_earnings: Credits,
    /// What he has earned and not been paid.
    pub pending_payout: Credits,
    /// How many tars models he has.
    pub model_count: u64,
    /// Grows with every revision.
    pub version: Version,
    /// When he registered.
    pub created_at: Timestamp,
    /// When his profile was last revised.
    pub updated_at: Timestamp,
}

/// What is stored of a developer who registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeveloper {
    /// His new id.
    pub id: DeveloperId,
    /// Who he is.
    pub key: IdentityKey,
    /// His e-mail address.
    pub email: Option<EmailAddress>,
    /// Whether his issuer has seen that the address is his.
    pub email_is_verified: bool,
    /// The name the market shows.
    pub display_name: Option<PersonName>,
    /// Now.
    pub registered_at: Timestamp,
}

/// What a developer changes of his profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeveloperProfile {
    /// The name the market shows.
    pub display_name: Patch<PersonName>,
    /// His picture.
    pub avatar_url: Patch<AvatarUrl>,
    /// What he says about himself.
    pub bio: Patch<Bio>,
    /// Where he lives.
    pub country: Patch<Country>,
    /// Where messages about payouts go.
    pub payout_email: Patch<EmailAddress>,
}

/// Stores developers. Every method is one atomic step.
#[async_trait]
pub trait DeveloperRepository: Send + Sync {
    /// The developer behind an identity.
    async fn find_by_identity(&self, key: &IdentityKey) -> Result<Option<Developer>, RepoError>;

    /// Stores a new developer with his identity; `Conflict` when the identity is taken, or the
    /// verified e-mail address by another who verified it.
    async fn register(&self, new: &NewDeveloper) -> Result<Developer, RepoError>;

    /// Replaces the profile of the developer who stands at `developer.version` and gives him
    /// the next version; `Stale` when he no longer stands there. Role, status and
    /// verification are not part of it.
    async fn revise(&self, developer: &Developer) -> Result<Developer, RepoError>;

    /// Gives the developer with this e-mail address a role; `None` when there is none who has
    /// verified it: anybody can sign up with an address that is not his.
    async fn assign_role(
        &self,
        email: &EmailAddress,
        role: Role,
    ) -> Result<Option<Developer>, RepoError>;
}

/// What developers do with their own profile, and operators with their roles.
pub struct Developers {
    repository: Arc<dyn DeveloperRepository>,
    changes: Arc<crate::catalog::CatalogChanges>,
    clock: Arc<dyn Clock>,
}

impl Developers {
    /// Builds the use cases on their ports.
    #[must_use]
    pub fn new(
        repository: Arc<dyn DeveloperRepository>,
        changes: Arc<crate::catalog::CatalogChanges>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            repository,
            changes,
            clock,
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
        display_name: Option<PersonName>,
    ) -> Result<Developer, ProfileError> {
        let now = self.clock.now();
        let new = NewDeveloper {
            id: DeveloperId::new(now),
            key: identity.key.clone(),
            email: agreed_email(identity, email)?,
            email_is_verified: identity.email_is_verified,
            display_name: display_name.or_else(|| {
                identity
                    .name
                    .as_deref()
                    .and_then(|name| PersonName::parse(name).ok())
            }),
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
        developer: Developer,
        expected: &Expected,
        profile: DeveloperProfile,
    ) -> Result<Developer, ProfileError> {
        self.store(developer, expected, profile).await
    }

    /// Changes what `profile` mentions and marks the profile complete.
    ///
    /// # Errors
    /// As [`Developers::revise`].
    pub async fn complete(
        &self,
        mut developer: Developer,
        expected: &Expected,
        profile: DeveloperProfile,
    ) -> Result<Developer, ProfileError> {
        developer.profile_is_complete = true;
        self.store(developer, expected, profile).await
    }

    /// Makes a developer an administrator, or an ordinary one again.
    ///
    /// # Errors
    /// When no developer has verified this e-mail address.
    pub async fn assign_role(
        &self,
        email: &EmailAddress,
        role: Role,
    ) -> Result<Developer, ProfileError> {
        self.repository
            .assign_role(email, role)
            .await?
            .ok_or(ProfileError::NotFound)
    }

    async fn store(
        &self,
        mut developer: Developer,
        expected: &Expected,
        profile: DeveloperProfile,
    ) -> Result<Developer, ProfileError> {
        if !expected.admits(developer.version) {
            return Err(ProfileError::PreconditionFailed);
        }
        let DeveloperProfile {
            display_name,
            avatar_url,
            bio,
            country,
            payout_email,
        } = profile;
        display_name.apply(&mut developer.display_name);
        avatar_url.apply(&mut developer.avatar_url);
        bio.apply(&mut developer.bio);
        country.apply(&mut developer.country);
        payout_email.apply(&mut developer.payout_email);
        developer.updated_at = self.clock.now();
        let revised = match self.repository.revise(&developer).await {
            Err(RepoError::Stale) if expected.is_stated() => {
                return Err(ProfileError::PreconditionFailed);
            }
            other => other?,
        };
        // The market shows the developer's name.
        self.changes.changed_here();
        Ok(revised)
    }
}
