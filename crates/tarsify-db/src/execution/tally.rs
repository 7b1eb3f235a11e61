//! Adds runs that have ended, and money that went back, to the counts and sums of their models,
//! days and consumers, each once.

use crate::earnings::BUCKET;
use crate::statement::{Binds, Statement};

/// The statement, which answers how many it added.
///
/// Whoever else is at it has other runs. Models are locked first, then their days, then their
/// times, then consumers, each in the order of their keys, so no two of them can wait for each
/// other in a circle. A model is locked also when only money went back, for its days are guarded
/// by it.
pub(super) fn statement(limit: u32) -> Statement {
    let mut binds = Binds::default();
    let limit = binds.number(i64::from(limit));
    let sql = format!(
        "WITH taken AS MATERIALIZED (\
            SELECT id FROM untallied ORDER BY id LIMIT {limit} FOR UPDATE SKIP LOCKED\
         ), gone AS (\
            DELETE FROM untallied u USING taken k WHERE u.id = k.id RETURNING u.*\
         ), {MODELS}, {DAYS}, {times}, {CONSUMERS} \
         SELECT count(*) AS count FROM gone",
        times = times(),
    );
    Statement::new(sql, binds)
}

const MODELS: &str = "by_model AS MATERIALIZED (\
        SELECT tars_model_id AS id, count(*) FILTER (WHERE status = 'COMPLETED') AS runs \
        FROM gone GROUP BY tars_model_id\
     ), models AS MATERIALIZED (\
        SELECT t.id, g.runs FROM tars_models t JOIN by_model g ON g.id = t.id \
        ORDER BY t.id FOR NO KEY UPDATE OF t\
     ), counted_models AS (\
        UPDATE tars_models t SET total_runs = t.total_runs + m.runs FROM models m \
        WHERE t.id = m.id AND m.runs > 0 RETURNING t.id\
     ), locked AS MATERIALIZED (\
        SELECT count(*) + (SELECT count(*) FROM counted_models) AS many FROM models\
     )";

const DAYS: &str = "days AS (\
        INSERT INTO model_days AS d \
            (tars_model_id, day, developer_id, completed, failed, cancelled, gross, earned) \
        SELECT tars_model_id, day, developer_id, \
            count(*) FILTER (WHERE status = 'COMPLETED'), \
            count(*) FILTER (WHERE status IN ('FAILED', 'TIMED_OUT')), \
            count(*) FILTER (WHERE status = 'CANCELLED'), sum(gross), sum(earned) \
        FROM gone WHERE (SELECT many FROM locked) >= 0 \
        GROUP BY tars_model_id, day, developer_id ORDER BY tars_model_id, day \
        ON CONFLICT (tars_model_id, day) DO UPDATE SET \
            completed = d.completed + excluded.completed, failed = d.failed + excluded.failed, \
            cancelled = d.cancelled + excluded.cancelled, gross = d.gross + excluded.gross, \
            earned = d.earned + excluded.earned \
        RETURNING d.day\
     )";

fn times() -> String {
    format!(
        "times AS (\
            INSERT INTO model_day_times AS s (tars_model_id, day, bucket, runs) \
            SELECT tars_model_id, day, {BUCKET}, count(*) FROM gone \
            WHERE status = 'COMPLETED' AND took_ms IS NOT NULL \
                AND (SELECT count(*) FROM days) >= 0 \
            GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 \
            ON CONFLICT (tars_model_id, day, bucket) DO UPDATE SET runs = s.runs + excluded.runs \
            RETURNING s.day\
         )"
    )
}

const CONSUMERS: &str = "by_consumer AS MATERIALIZED (\
        SELECT consumer_id AS id, count(status) AS ended, \
            count(*) FILTER (WHERE status = 'COMPLETED') AS runs, \
            count(*) FILTER (WHERE status = 'FAILED') AS failed, \
            count(*) FILTER (WHERE status = 'TIMED_OUT') AS timed_out, \
            count(*) FILTER (WHERE status = 'CANCELLED') AS cancelled, \
            (sum(gross) / 1000)::bigint AS spent \
        FROM gone WHERE (SELECT count(*) FROM times) >= 0 GROUP BY consumer_id\
     ), consumed AS MATERIALIZED (\
        SELECT g.* FROM consumers c JOIN by_consumer g ON g.id = c.id \
        WHERE g.ended <> 0 OR g.spent <> 0 ORDER BY c.id FOR NO KEY UPDATE OF c\
     ), counted_consumers AS (\
        UPDATE consumers c SET run_count = c.run_count + m.runs, \
            failed_runs = c.failed_runs + m.failed, \
            timed_out_runs = c.timed_out_runs + m.timed_out, \
            cancelled_runs = c.cancelled_runs + m.cancelled, \
            credits_spent = c.credits_spent + m.spent \
        FROM consumed m WHERE c.id = m.id RETURNING c.id\
     )";
