//! Adds runs that completed to the counts of their models and consumers, each once.

use crate::statement::{Binds, Statement};

/// The statement, which answers how many it added.
///
/// Whoever else is at it has other runs. Models are locked before consumers and both in the
/// order of their ids, so no two of them can wait for each other in a circle.
pub(super) fn statement(limit: u32) -> Statement {
    let mut binds = Binds::default();
    let limit = binds.number(i64::from(limit));
    let sql = format!(
        "WITH taken AS MATERIALIZED (\
            SELECT execution_id FROM untallied_runs ORDER BY execution_id LIMIT {limit} \
            FOR UPDATE SKIP LOCKED\
         ), gone AS (\
            DELETE FROM untallied_runs u USING taken k WHERE u.execution_id = k.execution_id \
            RETURNING u.tars_model_id, u.consumer_id\
         ), by_model AS MATERIALIZED (\
            SELECT tars_model_id AS id, count(*) AS runs FROM gone GROUP BY tars_model_id\
         ), models AS MATERIALIZED (\
            SELECT t.id, g.runs FROM tars_models t JOIN by_model g ON g.id = t.id \
            ORDER BY t.id FOR NO KEY UPDATE OF t\
         ), counted_models AS (\
            UPDATE tars_models t SET total_runs = t.total_runs + m.runs FROM models m \
            WHERE t.id = m.id RETURNING t.id\
         ), by_consumer AS MATERIALIZED (\
            SELECT consumer_id AS id, count(*) AS runs FROM gone \
            WHERE (SELECT count(*) FROM counted_models) >= 0 GROUP BY consumer_id\
         ), consumed AS MATERIALIZED (\
            SELECT c.id, g.runs FROM consumers c JOIN by_consumer g ON g.id = c.id \
            ORDER BY c.id FOR NO KEY UPDATE OF c\
         ), counted_consumers AS (\
            UPDATE consumers c SET run_count = c.run_count + m.runs FROM consumed m \
            WHERE c.id = m.id RETURNING c.id\
         ) \
         SELECT count(*) AS count FROM gone"
    );
    Statement::new(sql, binds)
}
