//! Payouts: from what a developer may have, over what is on its way, to his account.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::{Clock, Timestamp};
use crate::earnings::{Delivery, Outbox};
use crate::error::{Misfit, RepoError};
use crate::id::{DeveloperId, PayoutId};
use crate::money::Credits;
use crate::page::{KeyKind, Order, Page, PageRequest};
use crate::payments::{
    AccountRef, OnboardingLink, PaymentError, PaymentProvider, TransferOutcome, TransferRef,
};
use crate::people::Developer;
use crate::words::words;

words!(
    /// What became of a payout.
    PayoutStatus {
        /// It is reserved and on its way.
        Pending = "PENDING",
        /// It is on the developer's account.
        Paid = "PAID",
        /// It is not, and the money is his to be paid out again.
        Failed = "FAILED",
    }
);

/// A payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// Its id.
    pub id: PayoutId,
    /// Who is paid.
    pub developer: DeveloperId,
    /// How much; a credit is a cent.
    pub amount: Credits,
    /// What became of it.
    pub status: PayoutStatus,
    /// The transfer that it was made by.
    pub transfer: Option<TransferRef>,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it was paid or failed.
    pub ended_at: Option<Timestamp>,
}

impl Payout {
    /// The order of payouts: newest first.
    pub const ORDER: Order = Order {
        name: "newest",
        key: KeyKind::Integer,
    };
    /// Most credits at once.
    pub const MAX: i64 = 1_000_000_000;

    /// Checks an amount.
    ///
    /// # Errors
    /// When it is below 1 or too much.
    pub fn parse_amount(credits: i64) -> Result<Credits, Misfit> {
        if (1..=Self::MAX).contains(&credits) {
            Ok(Credits::new(credits))
        } else {
            Err(Misfit::new("range", "must be between 1 and 1000000000"))
        }
    }
}

/// A payout that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPayout {
    /// Its id.
    pub id: PayoutId,
    /// Who is to be paid.
    pub developer: DeveloperId,
    /// How much.
    pub amount: Credits,
}

/// How a payout ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutEnd {
    /// The money is on the developer's account.
    Paid(TransferRef),
    /// The provider refuses it, for this reason.
    Failed(String),
}

/// Why nothing is paid out.
#[derive(Debug, thiserror::Error)]
pub enum PayoutError {
    /// The provider does not know yet who the developer is.
    #[error("the developer has no account that can be paid")]
    NotVerified,
    /// It is less than the smallest payout.
    #[error("the smallest payout is {0:?}")]
    BelowMinimum(Credits),
    /// It is more than he may have.
    #[error("it is more than may be paid out")]
    Insufficient {
        /// What he asked for.
        required: Credits,
        /// What he may have.
        available: Credits,
    },
    /// The provider did not do it.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// The store failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// Stores payouts. Every method is one atomic step.
#[async_trait]
pub trait PayoutRepository: Send + Sync {
    /// Reserves the money and has it sent, together. One that was asked for under the same id is
    /// answered as it is by now.
    async fn request(&self, new: &NewPayout) -> Result<Payout, PayoutError>;

    /// A page of the developer's payouts, newest first; only those in one status, if wanted.
    async fn list(
        &self,
        developer: DeveloperId,
        status: Option<PayoutStatus>,
        page: &PageRequest,
    ) -> Result<Page<Payout>, RepoError>;

    /// Ends a payout that is on its way. One that has ended stays as it is.
    async fn finish(&self, id: PayoutId, end: &PayoutEnd) -> Result<(), RepoError>;

    /// Notes the developer's account, and answers the one that he has: of two noted at the same
    /// time the first.
    async fn attach_account(
        &self,
        developer: DeveloperId,
        account: &AccountRef,
    ) -> Result<AccountRef, RepoError>;
}

/// Paying developers.
pub struct Payouts {
    /// Where payouts are kept.
    pub repository: Arc<dyn PayoutRepository>,
    /// Where those are that have to be sent.
    pub outbox: Arc<dyn Outbox>,
    /// Who brings the money.
    pub provider: Arc<dyn PaymentProvider>,
    /// The smallest payout.
    pub minimum: Credits,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Payouts {
    /// How long a delivery is one worker's.
    const LEASE: Duration = Duration::from_secs(60);

    /// Makes a page on which the developer tells the provider who he is.
    ///
    /// # Errors
    /// When the provider makes none, or the store fails.
    pub async fn connect(
        &self,
        developer: &Developer,
        return_url: &str,
        refresh_url: &str,
    ) -> Result<OnboardingLink, PayoutError> {
        let known = developer.stripe_account_id.as_deref();
        let account = match known.and_then(|known| AccountRef::parse(known).ok()) {
            Some(known) => known,
            None => {
                let email = developer.email.as_ref();
                let opened = self.provider.open_account(developer.id, email).await?;
                self.repository
                    .attach_account(developer.id, &opened)
                    .await?
            }
        };
        let link = self
            .provider
            .link_onboarding(&account, return_url, refresh_url);
        Ok(link.await?)
    }

    /// Asks for a payout. With an `id` it is the one of a request that keeps its name when it is
    /// sent again, and is made once.
    ///
    /// # Errors
    /// When it is too little or too much, he cannot be paid yet, or the store fails.
    pub async fn request(
        &self,
        developer: &Developer,
        amount: Credits,
        id: Option<PayoutId>,
    ) -> Result<Payout, PayoutError> {
        if !developer.is_verified || developer.stripe_account_id.is_none() {
            return Err(PayoutError::NotVerified);
        }
        if amount < self.minimum {
            return Err(PayoutError::BelowMinimum(self.minimum));
        }
        let new = NewPayout {
            id: id.unwrap_or_else(|| PayoutId::new(self.clock.now())),
            developer: developer.id,
            amount,
        };
        self.repository.request(&new).await
    }

    /// A page of the developer's payouts.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        developer: DeveloperId,
        status: Option<PayoutStatus>,
        page: &PageRequest,
    ) -> Result<Page<Payout>, PayoutError> {
        Ok(self.repository.list(developer, status, page).await?)
    }

    /// Sends at most `limit` payouts that are due, and answers how many these were. Whether one
    /// that brought no answer was sent is looked up at the next try, under the same key.
    ///
    /// # Errors
    /// When the store fails. What was sent and could not be noted is found when it is looked up.
    pub async fn deliver_due(&self, limit: u32) -> Result<u32, RepoError> {
        // One after the other, so that each has all of its lease to be sent in.
        for sent in 0..limit {
            let due = self.outbox.claim(1, Self::LEASE).await?;
            let Some(delivery) = due.into_iter().next() else {
                return Ok(sent);
            };
            self.deliver(delivery).await?;
        }
        Ok(limit)
    }

    async fn deliver(&self, delivery: Delivery) -> Result<(), RepoError> {
        let payout = delivery.transfer.payout;
        let end = match self.provider.transfer(&delivery.transfer).await {
            Ok(TransferOutcome::Made(transfer)) => PayoutEnd::Paid(transfer),
            Ok(TransferOutcome::Refused(why)) => PayoutEnd::Failed(why),
            Err(error) => {
                let (said, wait) = (error.to_string(), delivery.wait());
                self.outbox.defer(&delivery, &said, wait).await?;
                return Ok(());
            }
        };
        self.repository.finish(payout, &end).await
    }
}
