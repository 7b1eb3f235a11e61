//! The claims of a token and the rules they must meet. A claim of another JSON type than the
//! rules name is not taken for an absent one: the token is refused.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tarsify_domain::clock::Timestamp;
use tarsify_domain::people::{AuthError, IdentityKey, Realm, VerifiedIdentity};
use tarsify_domain::text::{EmailAddress, without_nul};
use time::Duration;

/// Characters of the longest subject.
pub(crate) const MAX_SUBJECT: usize = 128;

/// What a token says.
#[derive(Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: String,
    sub: String,
    exp: i64,
    iat: i64,
    auth_time: i64,
    nbf: Option<i64>,
    // What follows is told, not relied upon: an unexpected type is nothing said.
    #[serde(default, deserialize_with = "text_or_nothing")]
    email: Option<String>,
    #[serde(default, deserialize_with = "true_or_not")]
    email_verified: bool,
    #[serde(default, deserialize_with = "text_or_nothing")]
    name: Option<String>,
}

/// What the claims are held against.
pub(crate) struct Demands<'a> {
    /// The population the token is shown to.
    pub(crate) realm: Realm,
    /// Who must have issued it.
    pub(crate) issuer: &'a str,
    /// For whom it must have been issued.
    pub(crate) audience: &'a str,
    /// The current moment.
    pub(crate) now: Timestamp,
    /// How far the issuer's clock may be ahead of ours.
    pub(crate) leeway: Duration,
}

impl Claims {
    /// Reads the claims of a token that nobody signed.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, AuthError> {
        match serde_json::from_slice(payload) {
            Ok(claims) => Ok(claims),
            Err(_) => Err(AuthError::Invalid(WRONG_CLAIMS)),
        }
    }

    /// Holds the claims against the demands. The signature has been checked before, and the
    /// expiry comes last: only a token that was good once is called expired.
    pub(crate) fn prove(self, demands: &Demands<'_>) -> Result<VerifiedIdentity, AuthError> {
        if self.iss != demands.issuer {
            return Err(AuthError::Invalid(OTHER_ISSUER));
        }
        if self.aud != demands.audience {
            return Err(AuthError::Invalid(OTHER_AUDIENCE));
        }
        if self.sub.is_empty()
            || self.sub.chars().count() > MAX_SUBJECT
            || without_nul(&self.sub).is_err()
        {
            return Err(AuthError::Invalid(
                "its subject does not have 1 to 128 characters",
            ));
        }
        let latest = demands.now.saturating_add(demands.leeway);
        if moment(self.iat)? > latest {
            return Err(AuthError::Invalid("it was issued in the future"));
        }
        let authenticated_at = moment(self.auth_time)?;
        if authenticated_at > latest {
            return Err(AuthError::Invalid("its sign-in is in the future"));
        }
        if let Some(begin) = self.nbf
            && moment(begin)? > latest
        {
            return Err(AuthError::Invalid("it is not good yet"));
        }
        let expires_at = moment(self.exp)?;
        if expires_at <= demands.now {
            return Err(AuthError::Expired);
        }
        let email = self.email.as_deref();
        let email = email.and_then(|email| EmailAddress::parse(email).ok());
        Ok(VerifiedIdentity {
            key: IdentityKey {
                realm: demands.realm,
                issuer: self.iss,
                subject: self.sub,
            },
            email_is_verified: self.email_verified && email.is_some(),
            email,
            name: self.name.filter(|name| without_nul(name).is_ok()),
            authenticated_at,
            expires_at,
        })
    }
}

/// What is said of a token whose claims are missing or of the wrong type.
pub(crate) const WRONG_CLAIMS: &str =
    "one of its claims iss, aud, sub, exp, iat and auth_time is missing or of the wrong type";
/// What is said of a token of another issuer.
pub(crate) const OTHER_ISSUER: &str = "it was issued by somebody else, or for the other realm";
/// What is said of a token for another audience.
pub(crate) const OTHER_AUDIENCE: &str = "it was issued for another audience";

fn moment(seconds: i64) -> Result<Timestamp, AuthError> {
    match Timestamp::from_unix_timestamp(seconds) {
        Ok(moment) => Ok(moment),
        Err(_) => Err(AuthError::Invalid("one of its moments is out of bounds")),
    }
}

fn text_or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

fn true_or_not<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Value::deserialize(deserializer)? == Value::Bool(true))
}

#[cfg(test)]
mod tests;
