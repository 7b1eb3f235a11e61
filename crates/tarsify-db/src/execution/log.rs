//! The log of all executions' events.

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Json, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use tarsify_domain::execution::{
    EventKind, EventLog, Found, History, LogPage, LogPlace, LoggedEvent, TokenHash,
};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId};
use tarsify_domain::{RepoError, Scope, Timestamp};
use uuid::Uuid;

use super::PgExecutionRepository;
use super::row::seen_by;
use crate::statement::{self, Binds, Statement};
use crate::stored;

/// An event `e` of the execution `x`.
const EVENT: &str = "e.turn::text AS turn, x.id AS execution_id, e.seq, e.kind, e.data, e.at, \
    x.consumer_id, x.tester_id";

/// Every turn below it is settled.
const SETTLED: &str = "pg_snapshot_xmin(pg_current_snapshot())";

/// Longer than any execution is allowed to take: what began before has ended.
const LONGEST: &str = "interval '8 days'";

#[async_trait]
impl EventLog for PgExecutionRepository {
    async fn settled(&self) -> Result<u64, RepoError> {
        let sql = format!("SELECT {SETTLED}::text AS settled");
        let statement = Statement::new(sql, Binds::default());
        let rows = self.database.read(&statement).await;
        let rows: Vec<SettledRow> = rows.map_err(|failure| failure.into_repo())?;
        turn(&stored::answered(rows)?.settled)
    }

    async fn read_log(&self, after: LogPlace, limit: u32) -> Result<LogPage, RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "SELECT {SETTLED}::text AS settled, n.* FROM (SELECT 1) AS one LEFT JOIN (\
                SELECT {EVENT} FROM execution_events e JOIN executions x ON x.id = e.execution_id \
                WHERE (e.turn, e.execution_id, e.seq) > ({}::text::xid8, {}, {}) \
                ORDER BY e.turn, e.execution_id, e.seq LIMIT {limit}\
             ) AS n ON true ORDER BY n.turn::xid8, n.execution_id, n.seq",
            binds.text(after.turn.to_string()),
            binds.uuid(after.execution.uuid()),
            binds.number(after.seq),
        );
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<LogRow> = rows.map_err(|failure| failure.into_repo())?;
        let first = rows.first().map(|row| turn(&row.settled));
        let settled = first.ok_or(RepoError::Stale)??;
        let events = rows.into_iter().filter_map(|row| row.event.read());
        Ok(LogPage {
            events: events.collect::<Result<_, _>>()?,
            settled,
        })
    }

    async fn read_history(
        &self,
        scope: Scope,
        id: ExecutionId,
        after: i64,
        limit: u32,
    ) -> Result<Found<History>, RepoError> {
        let mut binds = Binds::default();
        let id = binds.uuid(id.uuid());
        let seen = seen_by(scope, &mut binds);
        let sql = format!(
            "SELECT {seen} AS is_seen, x.last_seq AS last, x.stage = 'ended' AS has_ended, \
                (SELECT b.streams_output FROM base_models b WHERE b.id = x.base_model_id) \
                    AS streams_output, {EVENT} \
             FROM executions x \
             LEFT JOIN execution_events e ON e.execution_id = x.id AND e.seq > {} \
             WHERE x.id = {id} ORDER BY e.seq LIMIT {limit}",
            binds.number(after),
        );
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<HistoryRow> = rows.map_err(|failure| failure.into_repo())?;
        let (last, has_ended, streams_output) = match rows.first() {
            None => return Ok(Found::Nowhere),
            Some(HistoryRow { is_seen: false, .. }) => return Ok(Found::Foreign),
            Some(row) => (row.last, row.has_ended, row.streams_output),
        };
        let events = rows.into_iter().filter_map(|row| row.event.read());
        let events = events.collect::<Result<_, _>>()?;
        Ok(Found::Here(History {
            events,
            last,
            has_ended,
            streams_output,
        }))
    }

    async fn replay_log(
        &self,
        scope: Scope,
        after: LogPlace,
        limit: u32,
    ) -> Result<Option<Vec<LoggedEvent>>, RepoError> {
        let LogPlace {
            turn,
            execution,
            seq,
        } = after;
        let mut binds = Binds::default();
        let seen = seen_by(scope, &mut binds);
        let turn = format!("{}::text::xid8", binds.text(turn.to_string()));
        let (execution, seq) = (binds.uuid(execution.uuid()), binds.number(seq));
        // Where something that came later is removed is no place to go on from, also when what
        // stands there is not: its run ended later.
        // A scope's runs are found by their age, and everybody's events by their turn.
        let age = match scope {
            Scope::System => String::new(),
            Scope::Consumer(_) | Scope::Developer(_) => {
                format!("AND x.created_at >= known.at - {LONGEST}")
            }
        };
        let place = if after.is_between() {
            format!(
                "SELECT coalesce((\
                    SELECT e.at FROM execution_events e WHERE e.turn >= {turn} \
                    ORDER BY e.turn LIMIT 1\
                 ), now()) AS at \
                 WHERE {turn} <= pg_snapshot_xmax(pg_current_snapshot())"
            )
        } else {
            format!(
                "SELECT e.at FROM execution_events e JOIN executions x ON x.id = e.execution_id \
                 WHERE e.execution_id = {execution} AND e.seq = {seq} AND e.turn = {turn} \
                    AND {seen}"
            )
        };
        let sql = format!(
            "WITH known AS MATERIALIZED (\
                SELECT p.at FROM ({place}) AS p \
                WHERE coalesce({turn} > (SELECT r.removed_turn FROM retention r \
                    WHERE r.kind = 'events'), true)\
             ) \
             SELECT n.* FROM known LEFT JOIN LATERAL (\
                SELECT {EVENT} FROM executions x JOIN execution_events e ON e.execution_id = x.id \
                WHERE {seen} {age} AND e.turn < {SETTLED} \
                    AND (e.turn, e.execution_id, e.seq) > ({turn}, {execution}, {seq}) \
                ORDER BY e.turn, e.execution_id, e.seq LIMIT {limit}\
             ) AS n ON true ORDER BY n.turn::xid8, n.execution_id, n.seq"
        );
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<EventRow> = rows.map_err(|failure| failure.into_repo())?;
        if rows.is_empty() {
            return Ok(None);
        }
        let events = rows.into_iter().filter_map(EventRow::read);
        events.collect::<Result<_, _>>().map(Some)
    }

    async fn watch(&self, ids: &[ExecutionId], life: Duration) -> Result<(), RepoError> {
        let mut binds = Binds::default();
        let (ids, life) = (
            binds.uuids(ids.iter().map(|id| id.uuid()).collect()),
            binds.span(life),
        );
        // Several processes note the same at the same time: in one order, or they would wait for
        // each other in a circle. What was just noted is not written again.
        let sql = format!(
            "INSERT INTO watched_runs AS w (execution_id, watched_until) \
             SELECT x.id, now() + {life} FROM executions x \
             JOIN base_models b ON b.id = x.base_model_id \
             WHERE x.id = ANY ({ids}) AND x.stage <> 'ended' AND b.streams_output ORDER BY x.id \
             ON CONFLICT (execution_id) DO UPDATE SET watched_until = excluded.watched_until \
             WHERE w.watched_until < now() + {life} * 0.7 \
             RETURNING w.execution_id"
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let _rows: Vec<statement::Written> = rows.map_err(|failure| failure.into_repo())?;
        Ok(())
    }

    async fn keep_token(
        &self,
        token: &TokenHash,
        id: ExecutionId,
        life: Duration,
    ) -> Result<(), RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "WITH old AS (\
                DELETE FROM stream_tokens WHERE hash IN (\
                    SELECT hash FROM stream_tokens WHERE expires_at < now() \
                    LIMIT 100 FOR UPDATE SKIP LOCKED\
                )\
             ) \
             INSERT INTO stream_tokens (hash, execution_id, expires_at) \
             VALUES ({}, {}, now() + {}) RETURNING true AS is_done",
            binds.bytes(token.0.to_vec()),
            binds.uuid(id.uuid()),
            binds.span(life),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<DoneRow> = rows.map_err(|failure| failure.into_repo())?;
        stored::changed(rows).map(drop)
    }

    async fn spend_token(&self, token: &TokenHash, id: ExecutionId) -> Result<bool, RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "DELETE FROM stream_tokens \
             WHERE hash = {} AND execution_id = {} AND expires_at >= now() RETURNING true AS is_done",
            binds.bytes(token.0.to_vec()),
            binds.uuid(id.uuid()),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<DoneRow> = rows.map_err(|failure| failure.into_repo())?;
        Ok(rows.iter().any(|row| row.is_done))
    }
}

fn turn(text: &str) -> Result<u64, RepoError> {
    stored::checked("turn", text.parse())
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct SettledRow {
    #[diesel(sql_type = Text)]
    settled: String,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct DoneRow {
    #[diesel(sql_type = Bool)]
    is_done: bool,
}

/// An event, or nothing where there is none.
#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct EventRow {
    #[diesel(sql_type = Nullable<Text>)]
    turn: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    execution_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<BigInt>)]
    seq: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    kind: Option<String>,
    #[diesel(sql_type = Nullable<Json>)]
    data: Option<Value>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    consumer_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    tester_id: Option<Uuid>,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct LogRow {
    #[diesel(sql_type = Text)]
    settled: String,
    #[diesel(embed)]
    event: EventRow,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct HistoryRow {
    #[diesel(sql_type = Bool)]
    is_seen: bool,
    #[diesel(sql_type = BigInt)]
    last: i64,
    #[diesel(sql_type = Bool)]
    has_ended: bool,
    #[diesel(sql_type = Bool)]
    streams_output: bool,
    #[diesel(embed)]
    event: EventRow,
}

impl EventRow {
    fn read(self) -> Option<Result<LoggedEvent, RepoError>> {
        let Self {
            turn: Some(written),
            execution_id: Some(execution),
            seq: Some(seq),
            kind: Some(kind),
            data: Some(data),
            at: Some(at),
            consumer_id,
            tester_id,
        } = self
        else {
            return None;
        };
        let read = || {
            let data = match data {
                Value::Object(data) => Ok(data),
                _ => Err("not an object"),
            };
            Ok(LoggedEvent {
                place: LogPlace {
                    turn: turn(&written)?,
                    execution: ExecutionId::from_uuid(execution),
                    seq,
                },
                kind: stored::parsed("kind", &kind, EventKind::parse)?,
                data: stored::checked("data", data)?,
                at,
                consumer: consumer_id.map(ConsumerId::from_uuid),
                tester: tester_id.map(DeveloperId::from_uuid),
            })
        };
        Some(read())
    }
}
