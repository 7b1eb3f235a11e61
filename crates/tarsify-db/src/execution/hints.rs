//! The statement by which callbacks make executions due, with the jobs that they tell of.

use std::panic::Location;
use std::sync::Arc;

use tarsify_domain::execution::ProviderJobId;
use tarsify_domain::id::ExecutionId;
use uuid::Uuid;

use super::queue::WOKEN;
use crate::statement::{AS_FOR_ONE, Binds, Statement, Written};
use crate::together::Together;

/// That there is something to be seen of an attempt.
pub(super) struct Hint {
    pub(super) id: ExecutionId,
    pub(super) attempt: u32,
    /// Its job, where that was not known.
    pub(super) job: Option<ProviderJobId>,
}

/// Hints about many executions.
pub(super) struct Hints;

impl Together for Hints {
    type Item = Hint;
    type Answer = Written;

    const MADE_AT: &'static Location<'static> = Location::caller();

    fn key(item: &Hint) -> Uuid {
        item.id.uuid()
    }

    /// The rows are locked before the attempts, as in every write. A job that another attempt has is
    /// not taken from it.
    fn statement(items: &[Arc<Hint>]) -> Statement {
        let mut binds = Binds::default();
        let ids = binds.uuids(items.iter().map(|hint| hint.id.uuid()).collect());
        let attempts = items.iter().map(|hint| i64::from(hint.attempt));
        let attempts = binds.numbers(attempts.collect());
        let jobs = items.iter().map(|hint| hint.job.as_ref());
        let jobs = jobs.map(|job| job.map(ProviderJobId::as_str));
        let jobs = binds.optional_texts(jobs.collect());
        let adopted = if items.iter().any(|hint| hint.job.is_some()) {
            ", adopted AS (\
                UPDATE provider_attempts a SET job_id = f.job_id FROM found f \
                WHERE a.execution_id = f.id AND a.number = f.attempt AND a.job_id IS NULL \
                    AND f.job_id IS NOT NULL AND NOT EXISTS (\
                        SELECT 1 FROM provider_attempts o \
                        WHERE o.provider = a.provider AND o.job_id = f.job_id\
                    )\
             )"
        } else {
            ""
        };
        let sql = format!(
            "WITH asked AS MATERIALIZED (\
                SELECT * FROM unnest({ids}, {attempts}, {jobs}) AS q (id, attempt, job_id) \
                {AS_FOR_ONE}\
             ), found AS MATERIALIZED (\
                SELECT q.* FROM asked q CROSS JOIN LATERAL (\
                    SELECT e.id FROM executions e WHERE e.id = q.id AND e.stage <> 'ended' \
                    FOR NO KEY UPDATE\
                ) e\
             ){adopted}, woken AS (\
                UPDATE executions e SET {WOKEN} FROM found f WHERE e.id = f.id\
             ) SELECT FROM asked"
        );
        Statement::new(sql, binds)
    }
}
