//! What a credential proves, and the port to those who check credentials.

use std::error::Error as StdError;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::error::{Issue, Misfit, RepoError};
use crate::text::EmailAddress;

/// One of the two wholly separate populations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Realm {
    /// Those who run models.
    Consumers,
    /// Those who make models, and administrators.
    Developers,
}

impl Realm {
    /// The word it is stored as.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consumers => "CONSUMERS",
            Self::Developers => "DEVELOPERS",
        }
    }
}

/// Names somebody, whoever vouches for him.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdentityKey {
    /// Which population.
    pub realm: Realm,
    /// Who vouches.
    pub issuer: String,
    /// The name at the issuer; for Firebase, the UID.
    pub subject: String,
}

/// What a good credential proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedIdentity {
    /// Who it is.
    pub key: IdentityKey,
    /// The e-mail address the issuer knows.
    pub email: Option<EmailAddress>,
    /// Whether the issuer has seen that the address is his.
    pub email_is_verified: bool,
    /// The name the issuer knows.
    pub name: Option<String>,
    /// When he signed in.
    pub authenticated_at: Timestamp,
    /// Until when the credential is good.
    pub expires_at: Timestamp,
}

/// Something that a caller shows to prove who he is.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// A signed token.
    Bearer(&'a str),
}

/// Why a credential proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Malformed, forged, or meant for somebody else.
    #[error("the token is not acceptable: {0}")]
    Invalid(&'static str),
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// Nothing is known to check it with.
    #[error("the keys to check tokens with cannot be had")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
}

/// Turns a credential into an identity. It does not know what the identity may do.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Checks the credential for a realm.
    async fn authenticate(
        &self,
        realm: Realm,
        credential: Credential<'_>,
    ) -> Result<VerifiedIdentity, AuthError>;
}

/// Whether a person may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonStatus {
    /// He may.
    Active,
    /// An administrator locked him out.
    Disabled,
}

/// What a developer may do beyond his own things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nothing.
    User,
    /// Everything administrators may.
    Admin,
}

/// Why a profile could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The identity, or its e-mail address, has a profile already.
    #[error("there is a profile for this identity or its e-mail address already")]
    AlreadyRegistered,
    /// What was sent does not agree with the token.
    #[error("the profile does not agree with the token")]
    Disagrees(Issue),
    /// There is no such person.
    #[error("there is no such profile")]
    NotFound,
    /// It is not at the version the caller named.
    #[error("the profile is not at the expected version")]
    PreconditionFailed,
    /// The store failed.
    #[error("the profile could not be read or written")]
    Repo(#[source] RepoError),
}

impl From<RepoError> for ProfileError {
    fn from(error: RepoError) -> Self {
        match error {
            RepoError::Conflict => Self::AlreadyRegistered,
            other => Self::Repo(other),
        }
    }
}

/// The address to store: the token's. One in the body must be the same.
pub(crate) fn agreed_email(
    identity: &VerifiedIdentity,
    sent: Option<&EmailAddress>,
) -> Result<Option<EmailAddress>, ProfileError> {
    match sent {
        Some(sent) if identity.email.as_ref() != Some(sent) => {
            let misfit = Misfit::new(
                "const",
                "must be the e-mail address of the token, or absent",
            );
            Err(ProfileError::Disagrees(misfit.at("/email")))
        }
        _ => Ok(identity.email.clone()),
    }
}
