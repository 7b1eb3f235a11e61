//! Calling an execution off, as far as the store can do it.

use diesel::QueryableByName;
use diesel::deserialize;
use diesel::pg::Pg;
use diesel::row::NamedRow;
use diesel::sql_types::Text;
use tarsify_domain::execution::{CancelAnswer, EndReason, Ending, Found};
use tarsify_domain::id::ExecutionId;
use tarsify_domain::{RepoError, Scope};

use super::attempts::LIVE;
use super::ends::{How, TOLD, UNTALLIED, ended, error_code};
use super::output::NEXT;
use super::queue::WOKEN;
use super::row::{CONTENT, ExecutionRow, MODELS, SUMMARY, seen_by};
use crate::statement::{Binds, Statement};
use crate::stored;

/// Nobody has the execution `x`, and it is not on its way to a provider.
const IS_IDLE: &str = "(x.stage = 'created' AND (x.lease_until IS NULL OR x.lease_until <= now()))";

/// The statement, which answers the execution as it is then.
///
/// An earlier attempt may have become a job by a callback after its answer was lost; such a job
/// is still called off by a worker.
pub(super) fn statement(scope: Scope, id: ExecutionId) -> Statement {
    let mut binds = Binds::default();
    let seen = seen_by(scope, &mut binds);
    let reason = EndReason::CancelledByCaller;
    let how = ended(&How {
        status: &binds.text(Ending::Cancelled.as_str()),
        reason: &binds.text(reason.as_str()),
        error_code: &binds.optional_text(error_code(Some(reason))),
        error_message: &binds.text(reason.meaning()),
    });
    let id = binds.uuid(id.uuid());
    let sql = format!(
        "WITH found AS MATERIALIZED (\
            SELECT x.* FROM executions x WHERE x.id = {id} FOR NO KEY UPDATE\
         ), idle AS (\
            SELECT x.id FROM found x WHERE {seen} AND {IS_IDLE}\
         ), live AS (\
            UPDATE provider_attempts a \
            SET state = CASE WHEN a.job_id IS NULL THEN a.state ELSE 'orphaned' END \
            FROM idle f WHERE a.execution_id = f.id AND a.state IN ({LIVE}) \
            RETURNING a.job_id\
         ), ended AS (\
            UPDATE executions e SET {how}, {NEXT}, \
                cancel_requested_at = coalesce(e.cancel_requested_at, now()), \
                next_action_at = CASE \
                    WHEN EXISTS (SELECT 1 FROM live WHERE job_id IS NOT NULL) THEN now() END \
            FROM idle f WHERE e.id = f.id \
            RETURNING e.*\
         ), {TOLD}, resolved AS MATERIALIZED (\
            SELECT e.*, CASE WHEN price_credits > 0 \
                THEN release_hold(id) ELSE 0 END AS earned \
            FROM ended e WHERE kind = 'RUN'\
         ), {UNTALLIED}, requested AS (\
            UPDATE executions e SET {WOKEN}, cancel_requested_at = now() \
            FROM found x WHERE e.id = x.id AND {seen} AND x.stage <> 'ended' AND NOT {IS_IDLE} \
                AND x.cancel_requested_at IS NULL \
            RETURNING e.*\
         ), answered AS (\
            SELECT 'ENDED' AS answer, * FROM ended \
            UNION ALL SELECT 'REQUESTED', * FROM requested \
            UNION ALL SELECT 'REQUESTED', * FROM found x WHERE {seen} AND x.stage <> 'ended' \
                AND NOT {IS_IDLE} AND x.cancel_requested_at IS NOT NULL \
            UNION ALL SELECT 'TOO_LATE', * FROM found x WHERE {seen} AND x.stage = 'ended' \
            UNION ALL SELECT 'FOREIGN', * FROM found x WHERE NOT {seen}\
         ) \
         SELECT x.answer, {SUMMARY}, {CONTENT} FROM answered x {MODELS}"
    );
    Statement::new(sql, binds)
}

/// What became of it.
pub(super) struct AnswerRow {
    answer: String,
    execution: ExecutionRow,
}

impl QueryableByName<Pg> for AnswerRow {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        Ok(Self {
            answer: NamedRow::get::<Text, String>(row, "answer")?,
            execution: ExecutionRow::build(row)?,
        })
    }
}

/// What the rows say.
pub(super) fn answer(rows: Vec<AnswerRow>) -> Result<Found<CancelAnswer>, RepoError> {
    let Some(AnswerRow { answer, execution }) = rows.into_iter().next() else {
        return Ok(Found::Nowhere);
    };
    let answer = match answer.as_str() {
        "ENDED" => CancelAnswer::Ended(execution.try_into()?),
        "REQUESTED" => CancelAnswer::Requested(execution.try_into()?),
        "TOO_LATE" => CancelAnswer::TooLate(execution.try_into()?),
        "FOREIGN" => return Ok(Found::Foreign),
        _ => return stored::checked("answer", Err("no such answer")),
    };
    Ok(Found::Here(answer))
}
