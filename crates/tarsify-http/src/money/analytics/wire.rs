//! How the sums of a developer's runs look on the wire, with a row for each day, so that charts
//! have no gaps.

use std::collections::BTreeMap;

use serde::Serialize;
use tarsify_domain::earnings::{Analytics, AnalyticsDay, Period, RunSums, TimeBucket, TopModel};
use time::{Date, Duration};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{QueryFields, QueryIn};
use crate::money::wire;

/// How far back a developer looks.
pub(crate) struct AnalyticsQueryIn {
    pub(super) period: Period,
}

impl QueryIn for AnalyticsQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let period = query.optional("period", Period::parse);
        Some(Self {
            period: period.unwrap_or(Period::Month),
        })
    }
}

/// One day (UTC).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnalyticsDayOut {
    #[schema(format = Date, example = "2026-11-21")]
    date: String,
    /// Runs that have ended.
    #[schema(example = 13)]
    runs: u64,
    /// Those with a result.
    #[schema(example = 11)]
    completed: u64,
    /// Those that failed or timed out.
    #[schema(example = 1)]
    failed: u64,
    /// Those that were called off.
    #[schema(example = 1)]
    cancelled: u64,
    /// What the developer earned, less what was taken back: whole credits, rounded down.
    #[schema(example = 192)]
    earnings: i64,
    #[schema(example = 192_500)]
    earnings_millicredits: i64,
}

impl From<AnalyticsDay> for AnalyticsDayOut {
    fn from(day: AnalyticsDay) -> Self {
        let AnalyticsDay { day, sums } = day;
        let runs = sums.runs();
        let RunSums {
            completed,
            failed,
            cancelled,
            gross: _,
            earned,
        } = sums;
        Self {
            date: day.to_string(),
            runs,
            completed,
            failed,
            cancelled,
            earnings: earned.credits().get(),
            earnings_millicredits: earned.get(),
        }
    }
}

/// One of the models that brought most.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TopModelOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70c")]
    id: Uuid,
    #[schema(example = "anime-generator")]
    slug: String,
    #[schema(example = "Anime Generator")]
    title: String,
    /// Its runs that have ended.
    #[schema(example = 13)]
    runs: u64,
    /// What consumers paid for them, less refunds.
    #[schema(example = 275)]
    gross_credits: i64,
    #[schema(example = 275_000)]
    gross_millicredits: i64,
    /// What the developer earned by them, less what was taken back.
    #[schema(example = 192)]
    earnings: i64,
    #[schema(example = 192_500)]
    earnings_millicredits: i64,
}

impl From<TopModel> for TopModelOut {
    fn from(model: TopModel) -> Self {
        let TopModel {
            id,
            slug,
            title,
            sums,
        } = model;
        Self {
            id: id.uuid(),
            slug,
            title,
            runs: sums.runs(),
            gross_credits: sums.gross.credits().get(),
            gross_millicredits: sums.gross.get(),
            earnings: sums.earned.credits().get(),
            earnings_millicredits: sums.earned.get(),
        }
    }
}

/// How models did.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnalyticsOut {
    #[schema(schema_with = wire::period)]
    period: &'static str,
    /// Runs that have ended.
    #[schema(example = 13)]
    runs: u64,
    /// Those with a result.
    #[schema(example = 11)]
    completed: u64,
    /// Those that failed or timed out.
    #[schema(example = 1)]
    failed: u64,
    /// Those that were called off.
    #[schema(example = 1)]
    cancelled: u64,
    /// How many of the runs that nobody called off had a result: 0 none, 1 all; null where
    /// there were none.
    #[schema(minimum = 0, maximum = 1, example = 0.9166)]
    success_rate: Option<f64>,
    /// Half of the runs with a result took no longer; null where there were none.
    #[schema(example = 8_192)]
    p50_ms: Option<u64>,
    /// Of twenty runs with a result nineteen took no longer; null where there were none.
    #[schema(example = 16_384)]
    p95_ms: Option<u64>,
    /// What consumers paid, less refunds: whole credits, rounded down.
    #[schema(example = 275)]
    gross_credits: i64,
    #[schema(example = 275_000)]
    gross_millicredits: i64,
    /// What the developer earned, less what was taken back: whole credits, rounded down.
    #[schema(example = 192)]
    earnings: i64,
    #[schema(example = 192_500)]
    earnings_millicredits: i64,
    /// Day by day, oldest first, today (UTC) included; with `all` only days that had runs.
    daily: Vec<AnalyticsDayOut>,
    /// The ten models that brought most.
    top_models: Vec<TopModelOut>,
}

impl AnalyticsOut {
    pub(super) fn new(analytics: Analytics, period: Period, today: Date) -> Self {
        let Analytics {
            sums,
            times,
            days,
            top,
        } = analytics;
        let (runs, success) = (sums.runs(), sums.success_ten_thousandths());
        let RunSums {
            completed,
            failed,
            cancelled,
            gross,
            earned,
        } = sums;
        let percentile =
            |hundredths| TimeBucket::percentile(&times, hundredths).map(TimeBucket::middle_ms);
        let days = without_gaps(days, period, today);
        Self {
            period: period.as_str(),
            runs,
            completed,
            failed,
            cancelled,
            success_rate: success.map(rate),
            p50_ms: percentile(50),
            p95_ms: percentile(95),
            gross_credits: gross.credits().get(),
            gross_millicredits: gross.get(),
            earnings: earned.credits().get(),
            earnings_millicredits: earned.get(),
            daily: days.into_iter().map(Into::into).collect(),
            top_models: top.into_iter().map(Into::into).collect(),
        }
    }
}

fn rate(ten_thousandths: u64) -> f64 {
    // A part is never more than the whole.
    f64::from(u16::try_from(ten_thousandths).unwrap_or(10_000)) / 10_000.0
}

/// Every day of the period. A day outside of it stays: the clock of the store may be a moment
/// ahead of ours or behind it.
fn without_gaps(days: Vec<AnalyticsDay>, period: Period, today: Date) -> Vec<AnalyticsDay> {
    let Some(many) = period.days() else {
        return days;
    };
    let mut known: BTreeMap<Date, RunSums> =
        days.into_iter().map(|day| (day.day, day.sums)).collect();
    let first = today.saturating_sub(Duration::days(i64::from(many.saturating_sub(1))));
    let wanted = std::iter::successors(Some(first), |day| day.next_day());
    for day in wanted.take_while(|day| *day <= today) {
        known.entry(day).or_default();
    }
    known
        .into_iter()
        .map(|(day, sums)| AnalyticsDay { day, sums })
        .collect()
}

#[cfg(test)]
mod tests;
