//! Tokens that were found good, so that the signature of each is checked once. An entry counts
//! until its token expires, and only while the issuer's keys are those it was proven with.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::sync::Cache;
use tarsify_domain::clock::Timestamp;
use tarsify_domain::people::{Realm, VerifiedIdentity};

use crate::issuer::Issuer;

/// How many tokens are remembered.
const CAPACITY: usize = 10_000;

/// Names a token in a realm without holding it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint {
    realm: Realm,
    token: [u8; 32],
}

impl Fingerprint {
    /// The fingerprint of a token.
    pub(crate) fn of(realm: Realm, token: &str) -> Option<Self> {
        let token = digest(&SHA256, token.as_bytes());
        let token = token.as_ref().try_into().ok()?;
        Some(Self { realm, token })
    }
}

struct Proof {
    identity: VerifiedIdentity,
    issuer: Arc<Issuer>,
    epoch: u64,
}

/// The tokens that were found good.
pub(crate) struct VerifiedTokens {
    proofs: Cache<Fingerprint, Arc<Proof>>,
}

impl VerifiedTokens {
    pub(crate) fn new() -> Self {
        Self {
            proofs: Cache::new(CAPACITY),
        }
    }

    /// What the token has proven, if it still does.
    pub(crate) fn find(&self, token: &Fingerprint, now: Timestamp) -> Option<VerifiedIdentity> {
        let proof = self.proofs.get(token)?;
        let holds =
            proof.identity.expires_at > now && proof.issuer.keys.epoch(now) == Some(proof.epoch);
        if holds {
            return Some(proof.identity.clone());
        }
        self.proofs.remove(token);
        None
    }

    /// Remembers what a token has proven with the keys of an epoch.
    pub(crate) fn remember(
        &self,
        token: Fingerprint,
        identity: VerifiedIdentity,
        issuer: Arc<Issuer>,
        epoch: u64,
    ) {
        let proof = Proof {
            identity,
            issuer,
            epoch,
        };
        self.proofs.insert(token, Arc::new(proof));
    }
}
