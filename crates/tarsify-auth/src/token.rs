//! The outside of a compact JWS token: three parts, a header, and who it says it is from.
//! Nothing read here is proven yet; a header that names any other algorithm than RS256, or none,
//! goes no further.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Bytes of the longest token that is looked at.
pub(crate) const MAX_BYTES: usize = 8 * 1_024;

/// What stands behind the claims.
pub(crate) enum Seal {
    /// An RS256 signature by the key of this id.
    Signed {
        /// The id of the key.
        key_id: String,
    },
    /// Nothing: the Firebase emulator made it.
    Nothing,
}

/// A token that has the form of one.
pub(crate) struct Token<'a> {
    /// The whole.
    pub(crate) text: &'a str,
    /// What stands behind it.
    pub(crate) seal: Seal,
    /// Its claims, as JSON.
    pub(crate) payload: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Takes the token apart, the header first.
    pub(crate) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("it is not made of three parts joined by dots");
        };
        let seal = seal(header, signature)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok();
        let payload = payload.ok_or("its claims are not base64url")?;
        Ok(Self {
            text,
            seal,
            payload,
        })
    }

    /// Who it says it is from. It may lie.
    pub(crate) fn claimed_issuer(&self) -> Result<String, &'static str> {
        match serde_json::from_slice::<Origin>(&self.payload) {
            Ok(origin) => Ok(origin.iss),
            Err(_) => Err("its claims are not a JSON object with a text named iss"),
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    // Extensions that we would have to understand. We know none.
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Origin {
    iss: String,
}

fn seal(header: &str, signature: &str) -> Result<Seal, &'static str> {
    let bytes = URL_SAFE_NO_PAD.decode(header).ok();
    let bytes = bytes.ok_or("its header is not base64url")?;
    let header: Header = match serde_json::from_slice(&bytes) {
        Ok(header) => header,
        Err(_) => return Err("its header is not a JSON object with a text named alg"),
    };
    let seal = match (header.alg.as_str(), header.kid) {
        ("RS256", Some(key_id)) => Seal::Signed { key_id },
        ("RS256", None) => return Err("its header names no key"),
        ("none", None) if signature.is_empty() => Seal::Nothing,
        _ => return Err("it is not signed with RS256"),
    };
    if header.crit.is_some() {
        return Err("its header demands extensions that are not known here");
    }
    Ok(seal)
}
