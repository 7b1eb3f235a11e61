//! Identities that Tarsify vouches for itself, on a development machine only. They look like
//! Firebase's in everything but the issuer, the audience and the key.

mod key_file;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use serde_json::Value;
use tarsify_domain::clock::Timestamp;
use tarsify_domain::people::{AdminRule, Realm};
use tarsify_domain::text::EmailAddress;
use time::Duration;

use crate::choose_cryptography;
use crate::claims::MAX_SUBJECT;
use crate::keys::{KeySet, KeySetError};

/// The issuer of local identities.
pub const LOCAL_ISSUER: &str = "https://tarsify.local";
/// The audience of local consumers' tokens.
pub const LOCAL_CONSUMERS_AUDIENCE: &str = "tarsify-local-consumers";
/// The audience of local developers' and administrators' tokens.
pub const LOCAL_DEVELOPERS_AUDIENCE: &str = "tarsify-local-developers";

/// What a local identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LocalKind {
    /// A consumer.
    Consumer,
    /// A developer.
    Developer,
    /// An administrator, which is a developer whose subject says so.
    Admin,
}

impl LocalKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Consumer, Self::Developer, Self::Admin];

    /// The word for it on the command line and in the demo.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Developer => "developer",
            Self::Admin => "admin",
        }
    }

    /// The population it belongs to.
    #[must_use]
    pub const fn realm(self) -> Realm {
        match self {
            Self::Consumer => Realm::Consumers,
            Self::Developer | Self::Admin => Realm::Developers,
        }
    }

    /// The audience of its tokens.
    #[must_use]
    pub const fn audience(self) -> &'static str {
        match self.realm() {
            Realm::Consumers => LOCAL_CONSUMERS_AUDIENCE,
            Realm::Developers => LOCAL_DEVELOPERS_AUDIENCE,
        }
    }

    /// The subject of its tokens for an e-mail address. An address too long to be in it is
    /// replaced by its SHA-256.
    #[must_use]
    pub fn subject(self, email: &EmailAddress) -> String {
        let prefix = match self {
            Self::Consumer => "consumer:",
            Self::Developer => "developer:",
            Self::Admin => AdminRule::LOCAL_PREFIX,
        };
        let subject = format!("{prefix}{email}");
        if subject.chars().count() <= MAX_SUBJECT {
            return subject;
        }
        let hash = digest(&SHA256, email.as_str().as_bytes());
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(hash))
    }

    const fn display_name(self) -> &'static str {
        match self {
            Self::Consumer => "Local consumer",
            Self::Developer => "Local developer",
            Self::Admin => "Local administrator",
        }
    }
}

/// Why there are no local identities, or one could not be issued.
#[derive(Debug, thiserror::Error)]
pub enum LocalIdentityError {
    /// The file or folder of the key could not be used.
    #[error(
        "{path} could not be {action}: make sure that Tarsify may read and write in its data folder"
    )]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The file does not hold a usable key.
    #[error(
        "{path} does not hold an RSA key of at least 2048 bits in PEM form: delete it, and a new one is made at the next start"
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No key could be generated.
    #[error("no key for local identities could be generated")]
    Generation(#[source] aws_lc_rs::error::Unspecified),
    /// The token could not be signed.
    #[error("the local token could not be signed")]
    Signature(#[source] jsonwebtoken::errors::Error),
}

/// Issues tokens for local identities.
pub struct LocalIdentities {
    signing: EncodingKey,
    key_id: String,
    jwks: Value,
    keys: Arc<KeySet>,
}

/// What it takes to check the tokens of local identities.
#[derive(Clone)]
pub struct LocalIssuer {
    pub(crate) keys: Arc<KeySet>,
}

impl LocalIdentities {
    /// Loads the key from the folder `identity` in the data folder. If there is none yet it is
    /// made; of several processes that do so at once, one makes it and all have the same.
    ///
    /// This blocks for up to a second, when a key is made.
    ///
    /// # Errors
    /// When the folder cannot be used, or the file does not hold a usable key.
    pub fn open(data_dir: &Path) -> Result<Self, LocalIdentityError> {
        choose_cryptography();
        let file = key_file::load_or_create(&data_dir.join("identity"))?;
        Self::from_pem(file.pem.as_bytes()).map_err(|source| LocalIdentityError::Malformed {
            path: file.path,
            source,
        })
    }

    fn from_pem(pem: &[u8]) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let signing = EncodingKey::from_rsa_pem(pem)?;
        let mut jwk = Jwk::from_encoding_key(&signing, Algorithm::RS256)?;
        let key_id = jwk.thumbprint(ThumbprintHash::SHA256)?;
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_id = Some(key_id.clone());
        let jwks = serde_json::to_value(JwkSet { keys: vec![jwk] })?;
        let keys = Arc::new(KeySet::parse(&serde_json::to_vec(&jwks)?)?);
        // A key that has other parameters than RSA's would be found out here, not at a sign-in.
        keys.find(&key_id).ok_or(KeySetError::Empty)?;
        Ok(Self {
            signing,
            key_id,
            jwks,
            keys,
        })
    }

    /// A token for the identity of that kind and address, good from now on for the lifetime. A
    /// negative lifetime gives one that has expired.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn issue(
        &self,
        kind: LocalKind,
        email: &EmailAddress,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<String, LocalIdentityError> {
        let seconds = now.unix_timestamp();
        let claims = LocalClaims {
            iss: LOCAL_ISSUER,
            aud: kind.audience(),
            sub: kind.subject(email),
            email: email.as_str(),
            email_verified: true,
            name: kind.display_name(),
            auth_time: seconds,
            iat: seconds,
            exp: seconds.saturating_add(lifetime.whole_seconds()),
        };
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.key_id.clone());
        encode(&header, &claims, &self.signing).map_err(LocalIdentityError::Signature)
    }

    /// What an authenticator needs to check the tokens.
    #[must_use]
    pub fn issuer(&self) -> LocalIssuer {
        LocalIssuer {
            keys: Arc::clone(&self.keys),
        }
    }

    /// The public key as a JWK set, for `/local/jwks.json`.
    #[must_use]
    pub const fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// The id of the key, which is its thumbprint (RFC 7638).
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }
}

impl fmt::Debug for LocalIdentities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("LocalIdentities");
        debug.field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl fmt::Debug for LocalIssuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LocalIssuer")
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct LocalClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: String,
    email: &'a str,
    email_verified: bool,
    name: &'a str,
    auth_time: i64,
    iat: i64,
    exp: i64,
}

#[cfg(test)]
mod tests;
