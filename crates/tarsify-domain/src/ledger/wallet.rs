//! A consumer's credits, and the store of them.

use async_trait::async_trait;

use crate::audit::{Actor, Reason};
use crate::error::RepoError;
use crate::execution::Found;
use crate::id::{ConsumerId, ExecutionId};
use crate::ledger::{
    Adjustment, AdjustmentError, EntryKind, NewRefund, Receipt, Refund, RefundError, StatementEntry,
};
use crate::money::{Credits, Millicredits};
use crate::page::{Page, PageRequest};
use crate::scope::Scope;

/// What a consumer has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wallet {
    /// What he can spend.
    pub available: Millicredits,
    /// What is set aside for runs that have not ended.
    pub held: Millicredits,
    /// What he has bought, bonus included, less what went back to his card.
    pub lifetime_purchased: Credits,
    /// What he has paid for runs, less what was refunded.
    pub lifetime_spent: Credits,
}

impl Wallet {
    /// All that is his.
    #[must_use]
    pub const fn balance(&self) -> Millicredits {
        Millicredits::new(self.available.get().saturating_add(self.held.get()))
    }
}

/// Keeps wallets. Every method is one atomic step.
#[async_trait]
pub trait WalletRepository: Send + Sync {
    /// What the consumer has; nothing for one who does not exist.
    async fn find_wallet(&self, consumer: ConsumerId) -> Result<Wallet, RepoError>;

    /// A page of what happened to what he can spend, newest first; only of one kind, if wanted.
    async fn list_statement(
        &self,
        consumer: ConsumerId,
        kind: Option<EntryKind>,
        page: &PageRequest,
    ) -> Result<Page<StatementEntry>, RepoError>;

    /// The money of a run.
    async fn find_receipt(
        &self,
        scope: Scope,
        run: ExecutionId,
    ) -> Result<Found<Receipt>, RepoError>;

    /// Gives credits to a consumer or takes some from him, and remembers who did it and why. What
    /// was done under the same id before is not done again.
    async fn adjust(&self, adjustment: &Adjustment) -> Result<Wallet, AdjustmentError>;

    /// Gives the price of a captured run back, or a part of it, and remembers who did it and
    /// why. The developer gives back his part as far as he still has it, the platform the rest.
    /// What was done under the same id before is answered again.
    async fn refund(
        &self,
        new: &NewRefund,
        actor: &Actor,
        reason: &Reason,
    ) -> Result<Refund, RefundError>;
}
