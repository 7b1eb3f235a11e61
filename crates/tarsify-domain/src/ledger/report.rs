//! Whether the money is right, as anybody may check at any moment.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::RepoError;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFault {
    /// The rule that is broken, in a word.
    pub rule: String,
    /// Whose account, which run, which purchase.
    pub subject: String,
    /// What is found instead.
    pub detail: String,
}

/// The outcome of a check of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerReport {
    /// How many accounts were looked at.
    pub accounts: u64,
    /// How many transfers.
    pub transfers: u64,
    /// How many faults there are.
    pub faults_total: u64,
    /// The first of them.
    pub faults: Vec<LedgerFault>,
    /// How long it took.
    pub took: Duration,
}

impl LedgerReport {
    /// How many faults are named at the most.
    pub const NAMED: u32 = 100;

    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.faults_total == 0
    }
}

/// Checks the ledger.
#[async_trait]
pub trait LedgerVerifier: Send + Sync {
    /// Sums everything up again and compares.
    async fn verify(&self) -> Result<LedgerReport, RepoError>;
}
