//! What an admission came to, read from what its statement answered.

use diesel::QueryableByName;
use diesel::deserialize;
use diesel::pg::Pg;
use diesel::row::NamedRow;
use diesel::sql_types::{BigInt, Bool, Nullable, Timestamptz, Uuid as SqlUuid};
use tarsify_domain::RepoError;
use tarsify_domain::Timestamp;
use tarsify_domain::execution::{
    AdmitError, Admitted, Execution, ExecutionStatus, ExecutionSummary, ModelRef, NewExecution,
    Requester,
};
use tarsify_domain::money::{Credits, Millicredits};
use uuid::Uuid;

use super::admission::price;
use super::row::ExecutionRow;
use crate::stored;

/// What the statement answered for one of them.
pub(super) struct AdmissionRow {
    /// Whether the key was known, and for the same body.
    is_same: Option<bool>,
    fits: bool,
    is_within_quota: bool,
    /// What the consumer can spend, when that is too little.
    available: Option<i64>,
    accepted_at: Option<Timestamp>,
    found: Option<ExecutionRow>,
}

impl QueryableByName<Pg> for AdmissionRow {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let found = NamedRow::get::<Nullable<SqlUuid>, Option<Uuid>>(row, "id")?;
        let found = found.map(|_id| ExecutionRow::build(row)).transpose()?;
        Ok(Self {
            is_same: NamedRow::get::<Nullable<Bool>, Option<bool>>(row, "is_same")?,
            fits: NamedRow::get::<Bool, bool>(row, "fits")?,
            is_within_quota: NamedRow::get::<Bool, bool>(row, "is_within_quota")?,
            available: NamedRow::get::<Nullable<BigInt>, Option<i64>>(row, "available")?,
            accepted_at: NamedRow::get::<Nullable<Timestamptz>, Option<Timestamp>>(
                row,
                "accepted_at",
            )?,
            found,
        })
    }
}

/// An execution and whether it was accepted with the same body.
#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct ReplayRow {
    #[diesel(sql_type = Bool)]
    is_same: bool,
    #[diesel(embed)]
    execution: ExecutionRow,
}

/// What the rows say that were found under a key.
pub(super) fn replay(rows: Vec<ReplayRow>) -> Result<Option<Admitted>, AdmitError> {
    match rows.into_iter().next() {
        None => Ok(None),
        Some(ReplayRow { is_same: false, .. }) => Err(AdmitError::KeyReused),
        Some(ReplayRow { execution, .. }) => Ok(Some(Admitted {
            execution: execution.try_into()?,
            is_replay: true,
        })),
    }
}

/// What the row of an admission says.
pub(super) fn outcome(new: &NewExecution, row: AdmissionRow) -> Result<Admitted, AdmitError> {
    let AdmissionRow {
        is_same,
        fits,
        is_within_quota,
        available,
        accepted_at,
        found,
    } = row;
    if let Some(available) = available {
        return Err(AdmitError::InsufficientCredits {
            required: price(new)?.credits(),
            available: Millicredits::new(available).credits(),
        });
    }
    match (is_same, found, new.requester) {
        (Some(true), Some(row), _) => Ok(Admitted {
            execution: row.try_into()?,
            is_replay: true,
        }),
        // The key belongs to a request that made no execution.
        (Some(_), _, _) => Err(AdmitError::KeyReused),
        (None, _, _) if !fits => Err(AdmitError::ModelChanged),
        (None, _, Requester::Developer { daily_quota, .. }) if !is_within_quota => {
            Err(AdmitError::QuotaUsedUp(daily_quota))
        }
        (None, _, Requester::Consumer(_)) if !is_within_quota => Err(AdmitError::TooManyAtOnce(
            new.max_concurrent_runs.unwrap_or_default(),
        )),
        (None, _, _) => {
            let accepted_at = accepted_at.ok_or("it was not stored");
            let accepted_at = stored::checked("execution", accepted_at)?;
            Ok(Admitted {
                execution: accepted(new, accepted_at)?,
                is_replay: false,
            })
        }
    }
}

/// The execution as it was just stored.
fn accepted(new: &NewExecution, created_at: Timestamp) -> Result<Execution, RepoError> {
    let model = &new.model;
    let (consumer_id, tester_id) = match new.requester {
        Requester::Consumer(consumer) => (Some(consumer), None),
        Requester::Developer { id, .. } => (None, Some(id)),
    };
    let summary = ExecutionSummary {
        id: new.id,
        kind: new.requester.kind(),
        consumer_id,
        tester_id,
        model: ModelRef {
            id: model.id,
            slug: model.slug.clone(),
            title: model.title.clone(),
            base_model_name: model.base_model.name.clone(),
            category: model.base_model.category,
            output_type: model.base_model.output_type,
            estimated_seconds: model.base_model.estimated_seconds,
        },
        status: ExecutionStatus::Pending,
        reason: None,
        message: None,
        price: price(new)?,
        charged: Credits::ZERO,
        created_at,
        started_at: None,
        completed_at: None,
        queue_time_ms: None,
        execution_time_ms: None,
    };
    Ok(Execution {
        summary,
        inputs: new.inputs.clone(),
        output: None,
        payloads_removed_at: None,
    })
}
