//! A developer's accounts.

use std::time::Duration;

use async_trait::async_trait;

use crate::earnings::{Earning, EarningFilter};
use crate::error::RepoError;
use crate::id::DeveloperId;
use crate::money::Millicredits;
use crate::page::{Page, PageRequest};

/// What came in during a month (UTC).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MonthSums {
    /// What consumers paid.
    pub gross: Millicredits,
    /// What of it the developer earned.
    pub net: Millicredits,
}

impl MonthSums {
    /// What the platform kept.
    #[must_use]
    pub const fn platform_fee(&self) -> Millicredits {
        Millicredits::new(self.gross.get().saturating_sub(self.net.get()))
    }
}

/// What a developer has earned and what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Earnings {
    /// What waits until it may be paid out.
    pub pending: Millicredits,
    /// What may be paid out.
    pub available: Millicredits,
    /// What is on its way.
    pub in_payout: Millicredits,
    /// What he was paid.
    pub paid_out: Millicredits,
    /// What he owes, because a payment behind his earnings was taken back after he was paid.
    pub owed: Millicredits,
    /// This month.
    pub this_month: MonthSums,
    /// The month before.
    pub last_month: MonthSums,
}

impl Earnings {
    /// All that he has earned in his life, less what was taken back.
    #[must_use]
    pub const fn total(&self) -> Millicredits {
        let has = self.pending.get() + self.available.get() + self.in_payout.get();
        Millicredits::new(has + self.paid_out.get() - self.owed.get())
    }
}

/// Keeps what developers earn. Every method is one atomic step.
#[async_trait]
pub trait EarningsRepository: Send + Sync {
    /// What the developer has earned; nothing for one who does not exist.
    async fn find_earnings(&self, developer: DeveloperId) -> Result<Earnings, RepoError>;

    /// A page of the runs that he earned by, newest first.
    async fn list_history(
        &self,
        developer: DeveloperId,
        filter: &EarningFilter,
        page: &PageRequest,
    ) -> Result<Page<Earning>, RepoError>;

    /// Lets earnings older than `after` be paid out, of at most `limit` runs, and answers how
    /// many these were. What a developer owes is taken from them first.
    async fn mature(&self, after: Duration, limit: u32) -> Result<u64, RepoError>;
}
