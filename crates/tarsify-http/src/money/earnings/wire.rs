//! How a developer's earnings look on the wire: whole credits, rounded down, each with the exact
//! number of millicredits beside it.

use serde::Serialize;
use tarsify_domain::earnings::{Earning, EarningFilter, Earnings, MonthSums};
use tarsify_domain::money::Share;
use tarsify_domain::{Misfit, PageRequest, Timestamp};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{QueryFields, QueryIn};
use crate::money::wire::{self, NamedModelOut};
use crate::wire::Moment;

/// What came in during a month (UTC).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MonthOut {
    /// What consumers paid.
    #[schema(example = 1_000)]
    gross: i64,
    #[schema(example = 1_000_000)]
    gross_millicredits: i64,
    /// What the platform kept.
    #[schema(example = 300)]
    platform_fee: i64,
    #[schema(example = 300_000)]
    platform_fee_millicredits: i64,
    /// What the developer earned.
    #[schema(example = 700)]
    net: i64,
    #[schema(example = 700_000)]
    net_millicredits: i64,
}

impl From<MonthSums> for MonthOut {
    fn from(sums: MonthSums) -> Self {
        let platform_fee = sums.platform_fee();
        let MonthSums { gross, net } = sums;
        Self {
            gross: gross.credits().get(),
            gross_millicredits: gross.get(),
            platform_fee: platform_fee.credits().get(),
            platform_fee_millicredits: platform_fee.get(),
            net: net.credits().get(),
            net_millicredits: net.get(),
        }
    }
}

/// What a developer has earned and what became of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EarningsOut {
    /// All that he has earned in his life, less what was taken back.
    #[schema(example = 12_000)]
    total_earnings: i64,
    #[schema(example = 12_000_000)]
    total_earnings_millicredits: i64,
    /// What waits until it may be paid out.
    #[schema(example = 700)]
    pending: i64,
    #[schema(example = 700_000)]
    pending_millicredits: i64,
    /// What may be paid out.
    #[schema(example = 6_300)]
    available: i64,
    #[schema(example = 6_300_000)]
    available_millicredits: i64,
    /// What is on its way.
    #[schema(example = 0)]
    in_payout: i64,
    #[schema(example = 0)]
    in_payout_millicredits: i64,
    /// What he was paid.
    #[schema(example = 5_000)]
    paid_out: i64,
    #[schema(example = 5_000_000)]
    paid_out_millicredits: i64,
    /// What he owes, because a payment behind his earnings was taken back after he was paid.
    #[schema(example = 0)]
    owed: i64,
    #[schema(example = 0)]
    owed_millicredits: i64,
    /// What the platform keeps of a price: 0 nothing, 1 all of it.
    #[schema(minimum = 0, maximum = 1, example = 0.3)]
    platform_fee_rate: f64,
    this_month: MonthOut,
    last_month: MonthOut,
}

impl EarningsOut {
    pub(super) fn new(earnings: Earnings, share: Share) -> Self {
        let total = earnings.total();
        let Earnings {
            pending,
            available,
            in_payout,
            paid_out,
            owed,
            this_month,
            last_month,
        } = earnings;
        Self {
            total_earnings: total.credits().get(),
            total_earnings_millicredits: total.get(),
            pending: pending.credits().get(),
            pending_millicredits: pending.get(),
            available: available.credits().get(),
            available_millicredits: available.get(),
            in_payout: in_payout.credits().get(),
            in_payout_millicredits: in_payout.get(),
            paid_out: paid_out.credits().get(),
            paid_out_millicredits: paid_out.get(),
            owed: owed.credits().get(),
            owed_millicredits: owed.get(),
            platform_fee_rate: platform_fee_rate(share),
            this_month: this_month.into(),
            last_month: last_month.into(),
        }
    }
}

/// A rate to be shown, never to be reckoned with.
fn platform_fee_rate(share: Share) -> f64 {
    // A share is never more than 10000.
    let part = u16::try_from(share.platform_ten_thousandths()).unwrap_or(0);
    f64::from(part) / 10_000.0
}

/// Which earnings a developer wants to see.
pub(crate) struct EarningsHistoryQueryIn {
    pub(super) filter: EarningFilter,
    pub(super) page: PageRequest,
}

impl QueryIn for EarningsHistoryQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let from = query.optional("from", beginning);
        let to = query.optional("to", end);
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            query.refuse(Misfit::new("range", "must not be after to").at("/from"));
        }
        let page = query.page(Earning::ORDER);
        Some(Self {
            filter: EarningFilter { from, to },
            page,
        })
    }
}

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// A moment, or the beginning of a day (UTC).
fn beginning(text: &str) -> Result<Timestamp, Misfit> {
    match Date::parse(text, DAY) {
        Ok(day) => Ok(day.midnight().assume_utc()),
        Err(_) => moment(text),
    }
}

/// A moment, or the end of a day (UTC).
fn end(text: &str) -> Result<Timestamp, Misfit> {
    match Date::parse(text, DAY) {
        Ok(day) => Ok(day.next_day().unwrap_or(day).midnight().assume_utc()),
        Err(_) => moment(text),
    }
}

fn moment(text: &str) -> Result<Timestamp, Misfit> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_ignored| {
        let message =
            "must be a day or a moment, such as 2026-11-21 or 2026-11-21T08:30:00Z (a + is written %2B)";
        Misfit::new("format", message)
    })
}

/// What one run brought.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EarningOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70d")]
    execution_id: Uuid,
    tars_model: NamedModelOut,
    /// What the consumer paid.
    #[schema(example = 25)]
    gross: i64,
    #[schema(example = 25_000)]
    gross_millicredits: i64,
    /// What the platform kept.
    #[schema(example = 7)]
    platform_fee: i64,
    #[schema(example = 7_500)]
    platform_fee_millicredits: i64,
    /// What the developer earned.
    #[schema(example = 17)]
    net: i64,
    #[schema(example = 17_500)]
    net_millicredits: i64,
    /// What of that was taken back since, by refunds and disputes.
    #[schema(example = 0)]
    taken_back: i64,
    #[schema(example = 0)]
    taken_back_millicredits: i64,
    #[schema(schema_with = wire::earning_status)]
    status: &'static str,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:09.000Z")]
    created_at: Moment,
}

impl From<Earning> for EarningOut {
    fn from(earning: Earning) -> Self {
        let platform_fee = earning.platform_fee();
        let Earning {
            run,
            model,
            slug,
            title,
            gross,
            earned,
            taken_back,
            earned_at,
            is_mature,
        } = earning;
        Self {
            execution_id: run.uuid(),
            tars_model: NamedModelOut {
                id: model.uuid(),
                slug,
                title,
            },
            gross: gross.credits().get(),
            gross_millicredits: gross.get(),
            platform_fee: platform_fee.credits().get(),
            platform_fee_millicredits: platform_fee.get(),
            net: earned.credits().get(),
            net_millicredits: earned.get(),
            taken_back: taken_back.credits().get(),
            taken_back_millicredits: taken_back.get(),
            status: if is_mature { "AVAILABLE" } else { "PENDING" },
            created_at: Moment(earned_at),
        }
    }
}
