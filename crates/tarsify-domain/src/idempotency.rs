//! Requests that may be repeated: the key a caller gives to a request, and the store that
//! remembers what was answered.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Misfit, RepoError};

/// What a caller calls one request of his, so that sending it again is harmless.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Most characters.
    pub const MAX: usize = 255;

    /// Reads the key, bare or in double quotes.
    ///
    /// # Errors
    /// When it is empty, too long, or holds anything but printable ASCII.
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        let text = text.trim();
        let bare = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(text);
        if bare.is_empty() || bare.len() > Self::MAX {
            return Err(Misfit::new("length", "must have 1 to 255 characters"));
        }
        if !bare.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(Misfit::new(
                "pattern",
                "may hold only printable ASCII characters",
            ));
        }
        Ok(Self(bare.to_owned()))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One request that may be repeated: who sends it, to which route, under which key, with which
/// body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyClaim {
    /// Whose key it is; everybody has his own.
    pub principal: String,
    /// The method and the address.
    pub route: String,
    /// The key.
    pub key: IdempotencyKey,
    /// The SHA-256 of what was sent.
    pub fingerprint: [u8; 32],
}

/// An answer as whoever gave it wrote it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer(pub Vec<u8>);

/// What is known of a request when it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is new, and the caller of this method is to see it through.
    Fresh,
    /// It was answered before.
    Answered(StoredAnswer),
    /// Somebody is seeing it through right now.
    Running,
    /// The key was used with another body.
    Reused,
}

/// Remembers requests that may be repeated. Every method is one atomic step.
#[async_trait]
pub trait IdempotencyRepository: Send + Sync {
    /// Takes the key. Whoever took it and neither finished nor gave up within `patience` has
    /// lost it to the next.
    async fn begin(&self, claim: &IdempotencyClaim, patience: Duration)
    -> Result<Begun, RepoError>;

    /// Keeps the answer to a request that took its key.
    async fn finish(
        &self,
        claim: &IdempotencyClaim,
        answer: &StoredAnswer,
    ) -> Result<(), RepoError>;

    /// Gives the key back after a request that changed nothing.
    async fn give_up(&self, claim: &IdempotencyClaim) -> Result<(), RepoError>;

    /// Forgets keys that were taken longer ago than `age`, at most `limit`, and answers how
    /// many these were.
    async fn forget(&self, age: Duration, limit: u32) -> Result<u64, RepoError>;
}

#[cfg(test)]
mod tests;
