//! Removes what is old: of executions in the order of their ids, a few at a time.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool};
use tarsify_domain::RepoError;
use tarsify_domain::retention::{Perishable, Removal, Removed, Retention};

use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;

/// How much longer than necessary an execution is left alone after it was accepted, so that nearly
/// all of them have ended for long enough when their turn comes.
const MARGIN: &str = "interval '1 hour'";

/// What is old, in PostgreSQL.
pub struct PgRetention {
    database: Database,
}

impl PgRetention {
    /// Removes it from `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Retention for PgRetention {
    async fn remove(&self, removal: &Removal) -> Result<Option<Removed>, RepoError> {
        let rows = self.database.write(&removing(removal)).await;
        let rows: Vec<RemovedRow> = rows.map_err(|failure| failure.into_repo())?;
        let RemovedRow {
            is_ours,
            executions,
            is_last,
        } = stored::answered(rows)?;
        let executions = stored::count("executions", executions)?;
        Ok(is_ours.then_some(Removed {
            executions,
            is_last,
        }))
    }

    async fn sweep(&self, limit: u32) -> Result<u64, RepoError> {
        let rows = self.database.write(&sweeping(limit)).await;
        let rows: Vec<SweptRow> = rows.map_err(|failure| failure.into_repo())?;
        stored::count("swept", stored::answered(rows)?.swept)
    }
}

/// Whoever has the row of the kind looks at the next executions, and when there are no more of them
/// at those that were passed by. The limit stands in the text: by a value that it does not know
/// PostgreSQL would choose to read whole tables.
fn removing(removal: &Removal) -> Statement {
    let Removal {
        what,
        age,
        limit,
        rest,
    } = removal;
    let mut binds = Binds::default();
    let kind = binds.text(what.as_str());
    let age = binds.span(*age);
    let rest = binds.span(*rest);
    // With a job that is still to be called off, somebody still writes about it.
    let is_old = format!(
        "x.stage = 'ended' AND x.next_action_at IS NULL AND x.completed_at < now() - {age}"
    );
    let sql = format!(
        "WITH place AS MATERIALIZED (\
            SELECT through FROM retention WHERE kind = {kind} AND rest_until <= now() \
            FOR UPDATE SKIP LOCKED\
         ), next AS MATERIALIZED (\
            SELECT x.id, {is_old} AS is_old FROM executions x \
            WHERE x.id > (SELECT through FROM place) \
                AND x.id < first_id_since(now() - {age} - {MARGIN}) \
            ORDER BY x.id LIMIT {limit}\
         ), late AS MATERIALIZED (\
            SELECT x.id FROM retention_stragglers s JOIN executions x ON x.id = s.execution_id \
            WHERE s.kind = {kind} AND {is_old} AND EXISTS (SELECT 1 FROM place) \
                AND (SELECT count(*) FROM next) < {limit} \
            LIMIT {limit}\
         ), old AS MATERIALIZED (\
            SELECT id FROM next WHERE is_old UNION ALL SELECT id FROM late\
         ), {removed}, passed AS (\
            INSERT INTO retention_stragglers (kind, execution_id) \
            SELECT {kind}, id FROM next WHERE NOT is_old ON CONFLICT DO NOTHING\
         ), caught_up AS (\
            DELETE FROM retention_stragglers s USING late \
            WHERE s.kind = {kind} AND s.execution_id = late.id\
         ), moved AS (\
            UPDATE retention r SET rest_until = clock_timestamp() + {rest}, \
                through = coalesce((SELECT id FROM next ORDER BY id DESC LIMIT 1), r.through), \
                removed_turn = greatest(r.removed_turn, \
                    (SELECT turn FROM told ORDER BY turn DESC LIMIT 1)) \
            WHERE r.kind = {kind} \
                AND (EXISTS (SELECT 1 FROM next) OR EXISTS (SELECT 1 FROM late))\
         ) \
         SELECT EXISTS (SELECT 1 FROM place) AS is_ours, \
            (SELECT count(*) FROM old) AS executions, \
            greatest((SELECT count(*) FROM next), (SELECT count(*) FROM late)) < {limit} \
                AS is_last",
        removed = removed(*what),
    );
    Statement::new(sql, binds)
}

/// The expressions that remove it of those that are `old`. Payloads leave what every constraint and
/// every reader expects: empty objects, and a null where there was a result.
fn removed(what: Perishable) -> &'static str {
    match what {
        Perishable::Events => {
            "told AS (\
                DELETE FROM execution_events v USING old WHERE v.execution_id = old.id \
                RETURNING v.turn\
             )"
        }
        Perishable::Payloads => {
            "emptied AS (\
                UPDATE executions x SET inputs = '{}', payload = '{}', concealed = '{}', \
                    output = CASE WHEN x.output IS NOT NULL THEN 'null'::json END, \
                    progress = NULL, payloads_removed_at = now() \
                FROM old WHERE x.id = old.id AND x.payloads_removed_at IS NULL RETURNING x.id\
             ), unsaid AS (\
                UPDATE provider_attempts a SET exchanges = '[]' \
                FROM emptied e WHERE a.execution_id = e.id AND a.exchanges <> '[]'\
             ), silenced AS (\
                UPDATE execution_events v SET data = '{}' \
                FROM emptied e WHERE v.execution_id = e.id AND v.data::text <> '{}'\
             ), told AS (\
                SELECT NULL::xid8 AS turn WHERE false\
             )"
        }
    }
}

/// What others use again within a moment is left to them. In a database that was restored from a
/// dump, the turn up to which events were removed is of another server, as theirs are.
fn sweeping(limit: u32) -> Statement {
    let mut binds = Binds::default();
    let limit = binds.number(i64::from(limit));
    let sql = format!(
        "WITH expired AS MATERIALIZED (\
            SELECT hash FROM stream_tokens WHERE expires_at < now() \
            ORDER BY expires_at LIMIT {limit} FOR UPDATE SKIP LOCKED\
         ), tokens AS (\
            DELETE FROM stream_tokens t USING expired o WHERE t.hash = o.hash RETURNING 1\
         ), past AS MATERIALIZED (\
            SELECT developer_id, day FROM test_run_quota \
            WHERE day < (now() AT TIME ZONE 'UTC')::date - 1 LIMIT {limit} FOR UPDATE SKIP LOCKED\
         ), quotas AS (\
            DELETE FROM test_run_quota q USING past o \
            WHERE (q.developer_id, q.day) = (o.developer_id, o.day) RETURNING 1\
         ), past_calls AS MATERIALIZED (\
            SELECT endpoint_id, since FROM endpoint_calls \
            WHERE since < now() - interval '10 minutes' LIMIT {limit} FOR UPDATE SKIP LOCKED\
         ), calls AS (\
            DELETE FROM endpoint_calls k USING past_calls o \
            WHERE (k.endpoint_id, k.since) = (o.endpoint_id, o.since) RETURNING 1\
         ), unwatched AS MATERIALIZED (\
            SELECT w.execution_id FROM watched_runs w JOIN executions x ON x.id = w.execution_id \
            WHERE w.watched_until < now() - {MARGIN} AND x.stage = 'ended' \
            LIMIT {limit} FOR UPDATE OF w SKIP LOCKED\
         ), watched AS (\
            DELETE FROM watched_runs w USING unwatched o \
            WHERE w.execution_id = o.execution_id RETURNING 1\
         ) \
         SELECT (SELECT count(*) FROM tokens) + (SELECT count(*) FROM quotas) \
            + (SELECT count(*) FROM calls) + (SELECT count(*) FROM watched) AS swept"
    );
    Statement::new(sql, binds)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct RemovedRow {
    #[diesel(sql_type = Bool)]
    is_ours: bool,
    #[diesel(sql_type = BigInt)]
    executions: i64,
    #[diesel(sql_type = Bool)]
    is_last: bool,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct SweptRow {
    #[diesel(sql_type = BigInt)]
    swept: i64,
}
