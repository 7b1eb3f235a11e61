//! Keeps the keys of requests that may be repeated, with their answers.

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable};
use tarsify_domain::RepoError;
use tarsify_domain::idempotency::{Begun, IdempotencyClaim, IdempotencyRepository, StoredAnswer};

use crate::pool::Database;
use crate::statement::{Binds, Statement, Written};
use crate::stored;

/// Idempotency keys in PostgreSQL.
pub struct PgIdempotencyRepository {
    database: Database,
}

impl PgIdempotencyRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl IdempotencyRepository for PgIdempotencyRepository {
    async fn begin(
        &self,
        claim: &IdempotencyClaim,
        patience: Duration,
    ) -> Result<Begun, RepoError> {
        let statement = beginning(claim, patience);
        // A twin that takes the key at the same moment makes our insertion wait and then give way
        // to a row that this statement cannot see yet; the next one can.
        for _attempt in 0..3 {
            let rows = self.database.write(&statement).await;
            let rows: Vec<KeyRow> = rows.map_err(|failure| failure.into_repo())?;
            let Some(row) = rows.into_iter().next() else {
                continue;
            };
            return Ok(match row {
                KeyRow { is_taken: true, .. } => Begun::Fresh,
                // Also one by which an execution was accepted: that was another request.
                KeyRow { is_same: false, .. } => Begun::Reused,
                KeyRow {
                    answer: Some(answer),
                    ..
                } => Begun::Answered(StoredAnswer(answer)),
                KeyRow { answer: None, .. } => Begun::Running,
            });
        }
        Err(RepoError::Unavailable(
            "the key was taken and given back again and again".into(),
        ))
    }

    async fn finish(
        &self,
        claim: &IdempotencyClaim,
        answer: &StoredAnswer,
    ) -> Result<(), RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "UPDATE idempotency_keys SET answer = {}, locked_until = NULL WHERE {} RETURNING key",
            binds.bytes(answer.0.clone()),
            unfinished(claim, &mut binds),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        // Whoever lost his key to another has nothing to keep.
        let rows: Result<Vec<Written>, _> = rows;
        rows.map(drop).map_err(|failure| failure.into_repo())
    }

    async fn give_up(&self, claim: &IdempotencyClaim) -> Result<(), RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "DELETE FROM idempotency_keys WHERE {} RETURNING key",
            unfinished(claim, &mut binds)
        );
        let rows: Result<Vec<Written>, _> = self.database.write(&Statement::new(sql, binds)).await;
        rows.map(drop).map_err(|failure| failure.into_repo())
    }

    async fn forget(&self, age: Duration, limit: u32) -> Result<u64, RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "WITH old AS MATERIALIZED (\
                SELECT principal, route, key FROM idempotency_keys \
                WHERE taken_at < now() - {} ORDER BY taken_at LIMIT {} FOR UPDATE SKIP LOCKED\
             ), gone AS (\
                DELETE FROM idempotency_keys k USING old \
                WHERE (k.principal, k.route, k.key) = (old.principal, old.route, old.key) \
                RETURNING k.key\
             ) \
             SELECT count(*) AS count FROM gone",
            binds.span(age),
            binds.number(i64::from(limit)),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<CountRow> = rows.map_err(|failure| failure.into_repo())?;
        stored::count("count", stored::answered(rows)?.count)
    }
}

/// Takes the key where it is free or was abandoned, and answers what is known of it otherwise.
fn beginning(claim: &IdempotencyClaim, patience: Duration) -> Statement {
    let IdempotencyClaim {
        principal,
        route,
        key,
        fingerprint,
    } = claim;
    let mut binds = Binds::default();
    let principal = binds.text(principal);
    let route = binds.text(route);
    let key = binds.text(key.as_str());
    let fingerprint = binds.bytes(fingerprint.to_vec());
    let until = format!("now() + {}", binds.span(patience));
    let sql = format!(
        "WITH taken AS (\
            INSERT INTO idempotency_keys AS k \
                (principal, route, key, fingerprint, taken_at, locked_until) \
            VALUES ({principal}, {route}, {key}, {fingerprint}, now(), {until}) \
            ON CONFLICT (principal, route, key) DO UPDATE \
                SET taken_at = now(), locked_until = {until} \
                WHERE k.fingerprint = {fingerprint} AND k.locked_until <= now() \
            RETURNING k.key\
         ) \
         SELECT true AS is_taken, true AS is_same, NULL::bytea AS answer FROM taken \
         UNION ALL SELECT false, fingerprint = {fingerprint} AND execution_id IS NULL, answer \
         FROM idempotency_keys \
         WHERE principal = {principal} AND route = {route} AND key = {key} \
            AND NOT EXISTS (SELECT 1 FROM taken)"
    );
    Statement::new(sql, binds)
}

/// The key is taken for this very request, and there is no answer yet.
fn unfinished(claim: &IdempotencyClaim, binds: &mut Binds) -> String {
    let IdempotencyClaim {
        principal,
        route,
        key,
        fingerprint,
    } = claim;
    format!(
        "principal = {} AND route = {} AND key = {} AND fingerprint = {} \
         AND locked_until IS NOT NULL",
        binds.text(principal),
        binds.text(route),
        binds.text(key.as_str()),
        binds.bytes(fingerprint.to_vec()),
    )
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct KeyRow {
    #[diesel(sql_type = Bool)]
    is_taken: bool,
    #[diesel(sql_type = Bool)]
    is_same: bool,
    #[diesel(sql_type = Nullable<Binary>)]
    answer: Option<Vec<u8>>,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}
