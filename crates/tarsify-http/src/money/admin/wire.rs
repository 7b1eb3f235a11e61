//! How adjustments, refunds and a check of the ledger look on the wire.

use serde::Serialize;
use tarsify_domain::audit::Reason;
use tarsify_domain::id::{ConsumerId, GrantId};
use tarsify_domain::ledger::{AdjustmentAmount, LedgerFault, LedgerReport, Refund, Wallet};
use tarsify_domain::money::Price;
use tarsify_domain::{Credits, Misfit};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{Body, Fields, integer, text};
use crate::wire::Moment;

/// How an administrator changes what a consumer has.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct AdjustCreditsIn {
    /// How many credits he is given; below nothing, how many are taken. Not 0.
    #[schema(value_type = i64, minimum = -1_000_000_000, maximum = 1_000_000_000, example = 500)]
    pub(super) amount: AdjustmentAmount,
    /// Why, for those who ask later.
    #[schema(value_type = String, min_length = 1, max_length = 1000, example = "Made good for the outage of Friday.")]
    pub(super) reason: Reason,
}

impl Body for AdjustCreditsIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let amount = fields.required("amount", integer(AdjustmentAmount::parse));
        let reason = fields.required("reason", text(Reason::parse));
        Some(Self {
            amount: amount?,
            reason: reason?,
        })
    }
}

/// What a consumer has after an administrator changed it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdjustedCreditsOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f713")]
    grant_id: Uuid,
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f708")]
    consumer_id: Uuid,
    /// By how much it was changed.
    #[schema(example = 500)]
    amount: i64,
    /// All that is his now.
    #[schema(example = 1_734)]
    balance: i64,
    /// What he can spend now.
    #[schema(example = 1_700)]
    available: i64,
}

impl AdjustedCreditsOut {
    pub(super) fn new(
        consumer: ConsumerId,
        amount: AdjustmentAmount,
        (grant, wallet): (GrantId, Wallet),
    ) -> Self {
        Self {
            grant_id: grant.uuid(),
            consumer_id: consumer.uuid(),
            amount: amount.credits().get(),
            balance: wallet.balance().credits().get(),
            available: wallet.available.credits().get(),
        }
    }
}

/// What of a run's price an administrator gives back.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct RefundExecutionIn {
    /// How many credits; all that is left when it is not sent.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000, example = 10)]
    pub(super) amount: Option<Credits>,
    /// Why, for those who ask later.
    #[schema(value_type = String, min_length = 1, max_length = 1000, example = "The picture was black.")]
    pub(super) reason: Reason,
}

impl Body for RefundExecutionIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let amount = fields.optional("amount", integer(part_of_a_price));
        let reason = fields.required("reason", text(Reason::parse));
        Some(Self {
            amount,
            reason: reason?,
        })
    }
}

fn part_of_a_price(credits: i64) -> Result<Credits, Misfit> {
    if (1..=Price::MAX).contains(&credits) {
        Ok(Credits::new(credits))
    } else {
        Err(Misfit::new("range", "must be between 1 and 1000000"))
    }
}

/// A run's price given back, or a part of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefundOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f714")]
    id: Uuid,
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    execution_id: Uuid,
    /// How many credits the consumer got.
    #[schema(example = 10)]
    amount: i64,
    /// What of it the developer gave back; the platform gave the rest.
    #[schema(example = 7_000)]
    from_developer_millicredits: i64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
}

impl From<Refund> for RefundOut {
    fn from(refund: Refund) -> Self {
        let Refund {
            id,
            run,
            amount,
            from_developer,
            created_at,
        } = refund;
        Self {
            id: id.uuid(),
            execution_id: run.uuid(),
            amount: amount.get(),
            from_developer_millicredits: from_developer.get(),
            created_at: Moment(created_at),
        }
    }
}

/// Something that is wrong with the ledger.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LedgerFaultOut {
    /// The rule that is broken.
    #[schema(example = "replay")]
    rule: String,
    /// Whose account, which run, which purchase.
    #[schema(example = "consumer_available of 019d2c1e-7b3a-7c00-9f3e-2f1f6a0c1b2d")]
    subject: String,
    /// What is found instead.
    #[schema(example = "holds 1000, its transfers come to 2000")]
    detail: String,
}

impl From<LedgerFault> for LedgerFaultOut {
    fn from(fault: LedgerFault) -> Self {
        let LedgerFault {
            rule,
            subject,
            detail,
        } = fault;
        Self {
            rule,
            subject,
            detail,
        }
    }
}

/// The outcome of a check of the whole ledger.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LedgerReportOut {
    /// Whether nothing is wrong.
    #[schema(example = true)]
    sound: bool,
    /// How many accounts were looked at.
    #[schema(example = 42)]
    accounts: u64,
    /// How many transfers.
    #[schema(example = 4_711)]
    transfers: u64,
    /// How many faults there are.
    #[schema(example = 0)]
    faults_total: u64,
    /// The first of them.
    #[schema(example = json!([]))]
    faults: Vec<LedgerFaultOut>,
    /// How long it took.
    #[schema(example = 35)]
    took_ms: u64,
}

impl From<LedgerReport> for LedgerReportOut {
    fn from(report: LedgerReport) -> Self {
        let sound = report.is_sound();
        let LedgerReport {
            accounts,
            transfers,
            faults_total,
            faults,
            took,
        } = report;
        Self {
            sound,
            accounts,
            transfers,
            faults_total,
            faults: faults.into_iter().map(Into::into).collect(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
