//! Keeps consumers' credits, and looks whether all the money is right. What moves money is a
//! function in the database; here it is called, with whoever did it and why remembered in the same
//! statement.

mod adjustment;
mod checkpoint;
mod receipt;
mod statement;
mod verify;
mod wallet;

use async_trait::async_trait;
use tarsify_domain::audit::{Actor, Reason};
use tarsify_domain::execution::Found;
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::ledger::{
    Adjustment, AdjustmentError, EntryKind, NewRefund, Receipt, Refund, RefundError,
    StatementEntry, Wallet, WalletRepository,
};
use tarsify_domain::{Page, PageRequest, RepoError, Scope};

use crate::pool::Database;

use adjustment::{GivenRow, RefundRow};
use receipt::FoundReceiptRow;
use statement::EntryRow;
use wallet::WalletRow;

pub use checkpoint::PgCheckpoints;
pub use verify::PgLedgerVerifier;

/// Wallets in PostgreSQL.
pub struct PgWalletRepository {
    database: Database,
}

impl PgWalletRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl WalletRepository for PgWalletRepository {
    async fn find_wallet(&self, consumer: ConsumerId) -> Result<Wallet, RepoError> {
        let rows = self.database.read(&wallet::statement(consumer)).await;
        let rows: Vec<WalletRow> = rows.map_err(|failure| failure.into_repo())?;
        Ok(rows
            .into_iter()
            .next()
            .map(Wallet::from)
            .unwrap_or_default())
    }

    async fn list_statement(
        &self,
        consumer: ConsumerId,
        kind: Option<EntryKind>,
        page: &PageRequest,
    ) -> Result<Page<StatementEntry>, RepoError> {
        statement::listing(consumer, kind)
            .read(&self.database, page, |row: EntryRow| row.try_into())
            .await
    }

    async fn find_receipt(
        &self,
        scope: Scope,
        run: ExecutionId,
    ) -> Result<Found<Receipt>, RepoError> {
        let rows = self.database.read(&receipt::statement(scope, run)).await;
        let rows: Vec<FoundReceiptRow> = rows.map_err(|failure| failure.into_repo())?;
        receipt::found(rows)
    }

    async fn adjust(&self, adjustment: &Adjustment) -> Result<Wallet, AdjustmentError> {
        let rows = self.database.write(&adjustment::giving(adjustment)).await;
        let rows: Vec<GivenRow> = rows.map_err(|failure| failure.into_repo())?;
        let expected = adjustment::given(adjustment, rows)?;
        // It is done. Who was told of a failure now would do it again.
        let wallet = self.find_wallet(adjustment.consumer).await;
        Ok(wallet.unwrap_or(expected))
    }

    async fn refund(
        &self,
        new: &NewRefund,
        actor: &Actor,
        reason: &Reason,
    ) -> Result<Refund, RefundError> {
        let statement = adjustment::refunding(new, actor, reason);
        let rows = self.database.write(&statement).await;
        let rows: Vec<RefundRow> = rows.map_err(|failure| failure.into_repo())?;
        adjustment::refund(new, rows)
    }
}
