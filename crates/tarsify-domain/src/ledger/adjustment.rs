//! What administrators do with consumers' credits.

use std::sync::Arc;

use crate::audit::{Actor, Reason};
use crate::clock::{Clock, Timestamp};
use crate::error::{Misfit, RepoError};
use crate::id::{ConsumerId, ExecutionId, GrantId, RefundId};
use crate::ledger::{Wallet, WalletRepository};
use crate::money::{Credits, Millicredits};

/// How many credits an administrator gives, or takes when it is below nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdjustmentAmount(Credits);

impl AdjustmentAmount {
    /// The most at once, either way.
    pub const MAX: i64 = 1_000_000_000;

    /// Checks the bounds.
    ///
    /// # Errors
    /// When it is nothing, or too much.
    pub fn parse(credits: i64) -> Result<Self, Misfit> {
        if credits == 0 {
            return Err(Misfit::new("not", "must not be 0: it would change nothing"));
        }
        if !(-Self::MAX..=Self::MAX).contains(&credits) {
            return Err(Misfit::new(
                "range",
                "must be between -1000000000 and 1000000000",
            ));
        }
        Ok(Self(Credits::new(credits)))
    }

    /// The amount.
    #[must_use]
    pub const fn credits(self) -> Credits {
        self.0
    }
}

/// Credits given to a consumer or taken from him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Its id.
    pub id: GrantId,
    /// Whose credits.
    pub consumer: ConsumerId,
    /// How many.
    pub amount: AdjustmentAmount,
    /// Why.
    pub reason: Reason,
    /// Who does it.
    pub actor: Actor,
}

/// Why a consumer's credits were not changed.
#[derive(Debug, thiserror::Error)]
pub enum AdjustmentError {
    /// There is no such consumer.
    #[error("there is no such consumer")]
    NoConsumer,
    /// He has less than is to be taken.
    #[error("the consumer has less than is to be taken")]
    Insufficient {
        /// What is to be taken.
        required: Credits,
        /// What he can spend.
        available: Credits,
    },
    /// The store failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// What an administrator wants done with a consumer's credits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustmentWish {
    /// The adjustment's id, when the request that asks for it has a name that it keeps when it is
    /// sent again: it is done once.
    pub id: Option<GrantId>,
    /// Whose credits.
    pub consumer: ConsumerId,
    /// How many.
    pub amount: AdjustmentAmount,
    /// Why.
    pub reason: Reason,
}

/// What is to be given back of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundWish {
    /// The refund's id, when the request has a name, as in [`AdjustmentWish`].
    pub id: Option<RefundId>,
    /// Which run.
    pub run: ExecutionId,
    /// How much; all that is left when none.
    pub amount: Option<Credits>,
}

/// A refund that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRefund {
    /// Its id.
    pub id: RefundId,
    /// Which run.
    pub run: ExecutionId,
    /// How much; all that is left when none.
    pub amount: Option<Credits>,
}

/// A run's price given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// Which run.
    pub run: ExecutionId,
    /// How much.
    pub amount: Credits,
    /// What of it the developer gave back.
    pub from_developer: Millicredits,
    /// When.
    pub created_at: Timestamp,
}

/// Why a run was not refunded.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// There is no such run.
    #[error("there is no such run")]
    NoRun,
    /// Not so much of its price is left to be given back; so much is.
    #[error("only {0:?} of the price can be given back")]
    TooMuch(Credits),
    /// The store failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}

/// What administrators do with credits.
pub struct Adjustments {
    wallets: Arc<dyn WalletRepository>,
    clock: Arc<dyn Clock>,
}

impl Adjustments {
    /// Builds the use cases on their ports.
    #[must_use]
    pub fn new(wallets: Arc<dyn WalletRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { wallets, clock }
    }

    /// Gives credits to a consumer or takes some from him; answers his wallet.
    ///
    /// # Errors
    /// When there is no such consumer, he has too little, or the store fails.
    pub async fn adjust(
        &self,
        actor: Actor,
        wish: AdjustmentWish,
    ) -> Result<(GrantId, Wallet), AdjustmentError> {
        let AdjustmentWish {
            id,
            consumer,
            amount,
            reason,
        } = wish;
        let adjustment = Adjustment {
            id: id.unwrap_or_else(|| GrantId::new(self.clock.now())),
            consumer,
            amount,
            reason,
            actor,
        };
        let wallet = self.wallets.adjust(&adjustment).await?;
        Ok((adjustment.id, wallet))
    }

    /// Gives a run's price back, or a part of it.
    ///
    /// # Errors
    /// When there is no such run, not so much was paid for it, or the store fails.
    pub async fn refund(
        &self,
        actor: &Actor,
        wish: RefundWish,
        reason: &Reason,
    ) -> Result<Refund, RefundError> {
        let RefundWish { id, run, amount } = wish;
        let new = NewRefund {
            id: id.unwrap_or_else(|| RefundId::new(self.clock.now())),
            run,
            amount,
        };
        self.wallets.refund(&new, actor, reason).await
    }
}
