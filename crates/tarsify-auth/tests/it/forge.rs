//! Makes keys, and tokens good and bad.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::sign;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// A key pair of a pretended issuer.
pub(crate) struct TestKey {
    pub(crate) id: &'static str,
    pub(crate) public_pem: String,
    signing: EncodingKey,
}

impl TestKey {
    fn generate(id: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let private_pem = pem("PRIVATE KEY", private.as_ref());
        Self {
            id,
            public_pem: pem("PUBLIC KEY", public.as_ref()),
            signing: EncodingKey::from_rsa_pem(private_pem.as_bytes()).unwrap(),
        }
    }

    /// The key as its issuer publishes it.
    pub(crate) fn published(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.signing, Algorithm::RS256).unwrap();
        jwk.common.key_id = Some(self.id.to_owned());
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk["use"] = json!("sig");
        jwk
    }

    /// A good header for this key.
    pub(crate) fn header(&self) -> Value {
        json!({"alg": "RS256", "kid": self.id, "typ": "JWT"})
    }

    /// Signs a token.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with_header(&self.header(), claims)
    }

    /// Signs a token whose header says anything.
    pub(crate) fn token_with_header(&self, header: &Value, claims: &Value) -> String {
        seal(header, claims, &self.signing, Algorithm::RS256)
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// The key in use.
pub(crate) fn first_key() -> &'static TestKey {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    KEY.get_or_init(|| TestKey::generate("first"))
}

/// The key that follows it.
pub(crate) fn second_key() -> &'static TestKey {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    KEY.get_or_init(|| TestKey::generate("second"))
}

/// A key of somebody else, under the name of the one in use.
pub(crate) fn strangers_key() -> &'static TestKey {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    KEY.get_or_init(|| TestKey::generate("first"))
}

/// A key set.
pub(crate) fn key_set(keys: &[&TestKey]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| key.published()).collect();
    json!({ "keys": keys }).to_string()
}

/// A token with an HMAC of a secret for its signature.
pub(crate) fn hmac_token(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let key = EncodingKey::from_secret(secret);
    seal(header, claims, &key, Algorithm::HS256)
}

/// A token without a signature.
pub(crate) fn unsigned_token(header: &Value, claims: &Value) -> String {
    format!("{}.{}.", part(header), part(claims))
}

/// One part of a token.
pub(crate) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn seal(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}
