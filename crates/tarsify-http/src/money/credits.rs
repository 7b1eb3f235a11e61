//! What a consumer has, what happened to it, and the money of his runs.

mod wire;

use actix_web::web::Data;
use tarsify_domain::Scope;
use tarsify_domain::execution::Found;
use tarsify_domain::id::ExecutionId;
use tarsify_domain::ledger::WalletRepository;
use tarsify_engine::ReadError;

pub(crate) use wire::{CreditsOut, ReceiptOut, TransactionOut, TransactionsQueryIn};

use crate::envelope::{Listed, Tagged};
use crate::error::ApiError;
use crate::extract::{PathId, Query, RegisteredConsumer};
use crate::limits::CallerLimits;

/// Shows what the caller has.
pub(crate) async fn show_credits(
    wallets: Data<dyn WalletRepository>,
    limits: Data<CallerLimits>,
    RegisteredConsumer(consumer): RegisteredConsumer,
) -> Result<Tagged<CreditsOut>, ApiError> {
    let wallet = wallets.find_wallet(consumer).await?;
    let settings = limits.limits().known();
    let tier = settings.tier_of(wallet.lifetime_purchased);
    Ok(Tagged(CreditsOut::new(wallet, tier)))
}

/// Lists what happened to what the caller can spend, newest first.
pub(crate) async fn list_credit_transactions(
    wallets: Data<dyn WalletRepository>,
    RegisteredConsumer(consumer): RegisteredConsumer,
    Query(TransactionsQueryIn { kind, page }): Query<TransactionsQueryIn>,
) -> Result<Listed<TransactionOut>, ApiError> {
    let lines = wallets.list_statement(consumer, kind, &page).await?;
    Ok(Listed::new(lines, &page))
}

/// Shows what one of the caller's runs cost and how that was paid.
pub(crate) async fn show_run_receipt(
    wallets: Data<dyn WalletRepository>,
    RegisteredConsumer(consumer): RegisteredConsumer,
    path: PathId<ExecutionId>,
) -> Result<Tagged<ReceiptOut>, ApiError> {
    let scope = Scope::Consumer(consumer);
    match wallets.find_receipt(scope, path.id()?).await? {
        Found::Here(receipt) => Ok(Tagged(receipt.into())),
        Found::Foreign => Err(ReadError::NotOwned.into()),
        Found::Nowhere => Err(ReadError::NotFound.into()),
    }
}
