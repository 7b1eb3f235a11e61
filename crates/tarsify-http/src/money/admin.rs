//! What administrators do with credits, and whether the ledger is right.

mod wire;

use actix_web::web::Data;
use tarsify_domain::audit::Actor;
use tarsify_domain::id::{ConsumerId, ExecutionId, GrantId, RefundId};
use tarsify_domain::ledger::{AdjustmentWish, Adjustments, LedgerVerifier, RefundWish};

pub(crate) use wire::{
    AdjustCreditsIn, AdjustedCreditsOut, LedgerReportOut, RefundExecutionIn, RefundOut,
};

use crate::envelope::{Made, Tagged};
use crate::error::ApiError;
use crate::extract::{Administrator, Named, PathId, Valid};

/// Gives credits to a consumer or takes some from him.
pub(crate) async fn adjust_consumer_credits(
    adjustments: Data<Adjustments>,
    Administrator(admin): Administrator,
    path: PathId<ConsumerId>,
    (Named(id), Valid(body)): (Named, Valid<AdjustCreditsIn>),
) -> Result<Made<AdjustedCreditsOut>, ApiError> {
    let (actor, consumer) = (Actor::from(&admin), path.id()?);
    let AdjustCreditsIn { amount, reason } = body;
    let wish = AdjustmentWish {
        id: id.map(GrantId::from_uuid),
        consumer,
        amount,
        reason,
    };
    let adjusted = adjustments.adjust(actor, wish).await?;
    Ok(Made {
        location: None,
        body: AdjustedCreditsOut::new(consumer, amount, adjusted),
    })
}

/// Gives a run's price back, or a part of it.
pub(crate) async fn refund_execution(
    adjustments: Data<Adjustments>,
    Administrator(admin): Administrator,
    path: PathId<ExecutionId>,
    (Named(id), Valid(body)): (Named, Valid<RefundExecutionIn>),
) -> Result<Made<RefundOut>, ApiError> {
    let (actor, run) = (Actor::from(&admin), path.id()?);
    let RefundExecutionIn { amount, reason } = body;
    let wish = RefundWish {
        id: id.map(RefundId::from_uuid),
        run,
        amount,
    };
    let refund = adjustments.refund(&actor, wish, &reason).await?;
    Ok(Made {
        location: None,
        body: refund.into(),
    })
}

/// Sums the whole ledger up again and compares.
pub(crate) async fn verify_ledger(
    ledger: Data<dyn LedgerVerifier>,
    _admin: Administrator,
) -> Result<Tagged<LedgerReportOut>, ApiError> {
    Ok(Tagged(ledger.verify().await?.into()))
}
