//! Turns a credential into an identity: Firebase ID tokens of two wholly separate projects, and
//! the local identities of a development machine. What an identity may do is not decided here.
//!
//! * [`TokenAuthenticator`] is the port `Authenticator` of `tarsify-domain`.
//! * [`JwksCache`] keeps the keys that Google publishes; the host drives [`JwksCache::run`].
//! * [`LocalIdentities`] issues tokens in development, and [`LocalIssuer`] is what the
//!   authenticator needs to check them.

mod authenticator;
mod claims;
mod issuer;
mod jwks;
mod keys;
mod local;
mod token;
mod verified;

pub use authenticator::{AuthSettings, SetupError, TokenAuthenticator};
pub use jwks::{JwksCache, JwksSettings, KeyFetchError, KeysUnavailable};
pub use keys::KeySetError;
pub use local::{
    LOCAL_CONSUMERS_AUDIENCE, LOCAL_DEVELOPERS_AUDIENCE, LOCAL_ISSUER, LocalIdentities,
    LocalIdentityError, LocalIssuer, LocalKind,
};

/// Where Google publishes the keys that sign the ID tokens of every Firebase project.
pub const FIREBASE_JWKS_URL: &str =
    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

/// Names the one source of cryptography, so that a feature that another crate switches on in
/// `jsonwebtoken` cannot leave it undecided, which would be a panic at the first token.
fn choose_cryptography() {
    // An error says that a choice has been made before, which is as good.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}
