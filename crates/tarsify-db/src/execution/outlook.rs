//! What is known about when an execution may be done, in one bounded question.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Text};
use serde_json::Value;
use tarsify_domain::RepoError;
use tarsify_domain::earnings::TimeBucket;
use tarsify_domain::execution::{Outlook, Stage, Standing};
use tarsify_domain::id::ExecutionId;

use super::attempts::small;
use super::budget::JOBS;
use crate::base_model::seconds;
use crate::statement::{Binds, Statement};
use crate::stored;

/// The statement: a row for each length of time that runs of its model took, or one row without.
/// Neither the line before it nor what is under way is counted further than anybody is told.
pub(super) fn statement(id: ExecutionId) -> Statement {
    let mut binds = Binds::default();
    let id = binds.uuid(id.uuid());
    let most = binds.number(i64::from(Outlook::MOST_COUNTED));
    let days = binds.number(i64::from(Outlook::DAYS));
    let sql = format!(
        "WITH x AS MATERIALIZED (\
            SELECT e.*, p.limits, b.estimated_seconds \
            FROM executions e JOIN endpoints p ON p.id = e.endpoint_id \
                JOIN base_models b ON b.id = e.base_model_id \
            WHERE e.id = {id}\
         ) \
         SELECT x.stage, x.limits, x.estimated_seconds, \
            coalesce(extract(epoch FROM now() - x.started_at) * 1000, 0)::bigint AS worked_ms, \
            CASE WHEN x.stage = 'created' THEN (\
                SELECT count(*) FROM (\
                    SELECT 1 FROM executions e \
                    WHERE e.endpoint_id = x.endpoint_id AND e.stage = 'created' \
                        AND (e.fair_rank, e.next_action_at, e.id) \
                            < (x.fair_rank, x.next_action_at, x.id) \
                    LIMIT {most}\
                ) a\
            ) ELSE 0 END AS ahead, \
            CASE WHEN x.stage = 'created' THEN (\
                SELECT count(*) FROM (\
                    SELECT 1 FROM executions e \
                    WHERE e.endpoint_id = x.endpoint_id AND {JOBS} LIMIT {most}\
                ) j\
            ) ELSE 0 END AS under_way, h.bucket, coalesce(h.runs, 0)::bigint AS runs \
         FROM x LEFT JOIN LATERAL (\
            SELECT t.bucket, sum(t.runs) AS runs FROM model_day_times t \
            WHERE t.tars_model_id = x.tars_model_id AND x.stage <> 'ended' \
                AND t.day > (now() AT TIME ZONE 'UTC')::date - {days}::integer \
            GROUP BY t.bucket\
         ) h ON true ORDER BY h.bucket"
    );
    Statement::new(sql, binds)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct OutlookRow {
    #[diesel(sql_type = Text)]
    stage: String,
    #[diesel(sql_type = Jsonb)]
    limits: Value,
    #[diesel(sql_type = Integer)]
    estimated_seconds: i32,
    #[diesel(sql_type = BigInt)]
    worked_ms: i64,
    #[diesel(sql_type = BigInt)]
    ahead: i64,
    #[diesel(sql_type = BigInt)]
    under_way: i64,
    #[diesel(sql_type = Nullable<Integer>)]
    bucket: Option<i32>,
    #[diesel(sql_type = BigInt)]
    runs: i64,
}

/// What the rows say; nothing when there are none.
pub(super) fn outlook(rows: Vec<OutlookRow>) -> Result<Option<Outlook>, RepoError> {
    let mut times = Vec::new();
    for row in &rows {
        if let Some(bucket) = row.bucket {
            let bucket = stored::checked("bucket", u16::try_from(bucket))?;
            times.push((TimeBucket(bucket), stored::count("runs", row.runs)?));
        }
    }
    let Some(row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let standing = match stored::parsed("stage", &row.stage, Stage::parse)? {
        Stage::Created => Standing::Waiting {
            ahead: small("ahead", row.ahead)?,
            under_way: small("under_way", row.under_way)?,
        },
        Stage::Submitting | Stage::Unknown | Stage::Queued | Stage::Running => {
            // Whoever wrote the start may have had a clock that was ahead.
            let worked = u64::try_from(row.worked_ms).unwrap_or_default();
            Standing::Submitted {
                worked: Duration::from_millis(worked),
            }
        }
        Stage::Ended => Standing::Ended,
    };
    let estimated = seconds("estimated_seconds", row.estimated_seconds)?.get();
    Ok(Some(Outlook {
        standing,
        limits: stored::checked("limits", serde_json::from_value(row.limits))?,
        times,
        estimated: Duration::from_secs(estimated.into()),
    }))
}
