//! The public keys of an issuer, by key id. A key that is not an RSA key of at least 2,048 bits,
//! published for RS256 signatures, is left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;

/// Bits of the shortest modulus that is taken.
const MIN_MODULUS_BITS: usize = 2_048;
/// Bits of the longest one, which is what the verifier can handle.
const MAX_MODULUS_BITS: usize = 8_192;
/// Bytes of the longest public exponent.
const MAX_EXPONENT_BYTES: usize = 4;

/// Why a document holds no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeySetError {
    /// It is no JWK set.
    #[error("it is not a JSON object with a list named `keys`")]
    Malformed(#[source] serde_json::Error),
    /// None of its keys can be used.
    #[error("it holds no RSA key of at least 2048 bits with `use` sig, `alg` RS256 and a `kid`")]
    Empty,
}

/// A key that checks RS256 signatures.
pub(crate) struct SignatureKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    /// The key as the verifier wants it.
    pub(crate) decoding: DecodingKey,
}

/// The keys of an issuer.
pub(crate) struct KeySet {
    keys: BTreeMap<String, Arc<SignatureKey>>,
}

impl KeySet {
    /// Reads a JWK set. Keys that cannot be used are left out with a warning.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, KeySetError> {
        let document: Document =
            serde_json::from_slice(document).map_err(KeySetError::Malformed)?;
        let mut keys = BTreeMap::new();
        for (position, published) in document.keys.into_iter().enumerate() {
            match usable(published) {
                Ok((id, key)) => {
                    keys.entry(id).or_insert_with(|| Arc::new(key));
                }
                Err(reason) => {
                    tracing::warn!(position, reason, "a published key was left out");
                }
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::Empty);
        }
        Ok(Self { keys })
    }

    /// The key of that id.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<SignatureKey>> {
        self.keys.get(id).cloned()
    }

    /// Whether the other set holds the very same keys under the same ids.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.keys.len() == other.keys.len()
            && self.keys.iter().zip(&other.keys).all(|(mine, theirs)| {
                mine.0 == theirs.0
                    && mine.1.modulus == theirs.1.modulus
                    && mine.1.exponent == theirs.1.exponent
            })
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct PublishedKey {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

fn usable(published: Value) -> Result<(String, SignatureKey), &'static str> {
    let key: PublishedKey = match serde_json::from_value(published) {
        Ok(key) => key,
        Err(_) => return Err("it is no JWK"),
    };
    if key.kty != "RSA" {
        return Err("it is no RSA key");
    }
    if key.purpose.as_deref() != Some("sig") {
        return Err("its `use` is not sig");
    }
    if key.alg.as_deref() != Some("RS256") {
        return Err("its `alg` is not RS256");
    }
    let id = key.kid.filter(|id| !id.is_empty());
    let id = id.ok_or("it has no `kid`")?;
    let modulus = number(key.n.as_deref()).ok_or("its modulus is malformed")?;
    let exponent = number(key.e.as_deref()).ok_or("its exponent is malformed")?;
    let bits = bit_length(&modulus);
    if !(MIN_MODULUS_BITS..=MAX_MODULUS_BITS).contains(&bits) {
        return Err("its modulus is not between 2048 and 8192 bits long");
    }
    // An even exponent is no RSA exponent, and 1 would make every message its own signature.
    let is_odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    if !is_odd || exponent == [1] || exponent.len() > MAX_EXPONENT_BYTES {
        return Err("its exponent is not an odd number between 3 and 2^32");
    }
    let decoding = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
    let key = SignatureKey {
        modulus,
        exponent,
        decoding,
    };
    Ok((id, key))
}

/// The big-endian bytes without leading zeros, which the verifier does not take.
fn number(text: Option<&str>) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text?).ok()?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    bytes.get(first..).map(<[u8]>::to_vec)
}

fn bit_length(number: &[u8]) -> usize {
    let zeros = number.first().map_or(0, |byte| byte.leading_zeros());
    let zeros = usize::try_from(zeros).unwrap_or(0);
    (number.len() * 8).saturating_sub(zeros)
}

#[cfg(test)]
mod tests;
