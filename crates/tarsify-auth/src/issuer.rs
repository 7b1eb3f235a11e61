//! Somebody whose word counts in a realm: his name, the audience he must name, and his keys.
//! Firebase projects and local identities differ in nothing else.

use std::collections::HashSet;
use std::sync::Arc;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode};
use tarsify_domain::clock::Timestamp;
use tarsify_domain::people::AuthError;

use crate::claims::{Claims, OTHER_AUDIENCE, OTHER_ISSUER, WRONG_CLAIMS};
use crate::jwks::{JwksCache, KeyError};
use crate::keys::{KeySet, SignatureKey};
use crate::token::{Seal, Token};

/// Where an issuer's keys come from.
pub(crate) enum KeySource {
    /// He publishes them.
    Published(JwksCache),
    /// They are on this machine and never change while the process lives.
    Local(Arc<KeySet>),
}

/// A key and the age it belongs to.
pub(crate) struct KeyOfEpoch {
    /// The key.
    pub(crate) key: Arc<SignatureKey>,
    /// Counts the changes of the key set.
    pub(crate) epoch: u64,
}

impl KeySource {
    async fn find(&self, id: &str) -> Result<KeyOfEpoch, KeyError> {
        match self {
            Self::Published(cache) => cache.find(id).await,
            Self::Local(keys) => {
                let key = keys.find(id).ok_or(KeyError::Unknown)?;
                Ok(KeyOfEpoch { key, epoch: 0 })
            }
        }
    }

    /// The age of the key set, while it is fresh. What was proven in another age has to be
    /// proven again.
    pub(crate) fn epoch(&self, now: Timestamp) -> Option<u64> {
        match self {
            Self::Published(cache) => cache.epoch(now),
            Self::Local(_) => Some(0),
        }
    }
}

/// Whether tokens without a signature are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsigned {
    /// Never.
    Refused,
    /// They come from the Firebase emulator.
    Taken,
}

/// Somebody whose word counts.
pub(crate) struct Issuer {
    /// What he calls himself.
    pub(crate) name: String,
    /// For whom his tokens must be.
    pub(crate) audience: String,
    /// His keys.
    pub(crate) keys: KeySource,
    unsigned: Unsigned,
    validation: Validation,
}

/// Claims that an issuer stands for.
pub(crate) struct Sealed {
    /// What he says.
    pub(crate) claims: Claims,
    /// The age of the key that signed it; `None` when nothing did.
    pub(crate) epoch: Option<u64>,
}

impl Issuer {
    pub(crate) fn new(name: String, audience: String, keys: KeySource, unsigned: Unsigned) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.iss = Some(HashSet::from([name.clone()]));
        validation.aud = Some(HashSet::from([audience.clone()]));
        // The library reads the system's clock. `Claims` holds the times against ours.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            name,
            audience,
            keys,
            unsigned,
            validation,
        }
    }

    /// Checks the seal of a token and reads its claims.
    pub(crate) async fn open(&self, token: &Token<'_>) -> Result<Sealed, AuthError> {
        let key_id = match &token.seal {
            Seal::Signed { key_id } => key_id,
            Seal::Nothing if self.unsigned == Unsigned::Taken => {
                let claims = Claims::parse(&token.payload)?;
                return Ok(Sealed {
                    claims,
                    epoch: None,
                });
            }
            Seal::Nothing => return Err(AuthError::Invalid("it is not signed with RS256")),
        };
        let found = match self.keys.find(key_id).await {
            Ok(found) => found,
            Err(KeyError::Unknown) => {
                return Err(AuthError::Invalid("its issuer has no key of that name"));
            }
            Err(KeyError::Unavailable(error)) => {
                return Err(AuthError::Unavailable(Box::new(error)));
            }
        };
        match decode::<Claims>(token.text, &found.key.decoding, &self.validation) {
            Ok(data) => Ok(Sealed {
                claims: data.claims,
                epoch: Some(found.epoch),
            }),
            Err(error) => Err(AuthError::Invalid(reason(error.kind()))),
        }
    }
}

fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidAudience => OTHER_AUDIENCE,
        ErrorKind::InvalidIssuer => OTHER_ISSUER,
        ErrorKind::Json(_)
        | ErrorKind::MissingRequiredClaim(_)
        | ErrorKind::InvalidClaimFormat(_) => WRONG_CLAIMS,
        _ => "it is malformed",
    }
}
