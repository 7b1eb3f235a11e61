//! Buying credits. Nothing here grants any: that is for the payment provider's messages.

mod wire;

use actix_web::web::Data;
use tarsify_domain::id::PurchaseId;
use tarsify_domain::payments::Purchases;
use tarsify_domain::people::Gate;

pub(crate) use wire::{PurchaseCreditsIn, PurchaseOut, PurchasesQueryIn};

use crate::envelope::{Listed, Made, Tagged};
use crate::error::ApiError;
use crate::extract::{PathId, Query, RegisteredConsumer, Valid, VerifiedCaller};
use crate::limits::TaskBudget;

/// Begins a purchase; the caller pays on the page that the answer names.
pub(crate) async fn purchase_credits(
    purchases: Data<Purchases>,
    gate: Data<Gate>,
    VerifiedCaller(identity): VerifiedCaller,
    Valid(PurchaseCreditsIn { wish }): Valid<PurchaseCreditsIn>,
    budget: TaskBudget,
) -> Result<Made<PurchaseOut>, ApiError> {
    budget.take().await?;
    let consumer = gate.profile(&identity).await?;
    let purchase = purchases.buy(&consumer, wish).await?;
    Ok(Made {
        location: Some(format!(
            "/api/marketplace/credits/purchases/{}",
            purchase.id
        )),
        body: purchase.into(),
    })
}

/// Shows one of the caller's purchases.
pub(crate) async fn show_purchase(
    purchases: Data<Purchases>,
    RegisteredConsumer(consumer): RegisteredConsumer,
    path: PathId<PurchaseId>,
) -> Result<Tagged<PurchaseOut>, ApiError> {
    let purchase = purchases.find(consumer, path.id()?).await?;
    Ok(Tagged(purchase.into()))
}

/// Lists the caller's purchases, newest first.
pub(crate) async fn list_purchases(
    purchases: Data<Purchases>,
    RegisteredConsumer(consumer): RegisteredConsumer,
    Query(PurchasesQueryIn { page }): Query<PurchasesQueryIn>,
) -> Result<Listed<PurchaseOut>, ApiError> {
    let bought = purchases.list(consumer, &page).await?;
    Ok(Listed::new(bought, &page))
}
