//! How much there is to do, for whoever watches the installation: what waits, what is under way,
//! what failed lately and what has to be sent. One question of bounded work, however much is stored.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{Array, BigInt, Double, Nullable, Text};
use tarsify_domain::RepoError;

use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;

/// How many executions that have not ended are looked at, those with the earliest deadlines first.
const MOST_UNFINISHED: i64 = 100_000;
/// How many of those that ended badly are looked at for each way, the newest first.
const MOST_FAILED: i64 = 1_000;
/// How many messages that were not sent are looked at, those that are due first.
const MOST_MESSAGES: i64 = 10_000;

/// How much there is to do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pulse {
    /// Executions that wait to be submitted; of all that have not ended, a hundred thousand are
    /// looked at.
    pub waiting: u64,
    /// Executions that have neither ended nor wait to be submitted, counted so as well.
    pub active: u64,
    /// How long ago the oldest of those that wait was accepted.
    pub oldest_waiting: Option<Duration>,
    /// Executions that should have ended a minute ago or longer.
    pub overdue: u64,
    /// Executions that failed or timed out in the last hour, of the newest thousand each.
    pub failed: u64,
    /// Runs that have not ended and have their price set aside, of those looked at.
    pub holds: u64,
    /// What is set aside for them, in credits.
    pub held_credits: u64,
    /// What has to be sent, by what it is; kinds of which there is nothing are absent.
    pub outbox: Vec<Unsent>,
}

/// What has to be sent of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsent {
    /// What it is, such as `payout`.
    pub kind: String,
    /// How many, of ten thousand that are looked at.
    pub waiting: u64,
    /// How many of them could not be sent when it was last tried.
    pub failed: u64,
    /// How long the oldest has waited.
    pub oldest: Duration,
}

/// Takes the pulse of an installation in PostgreSQL.
#[derive(Clone)]
pub struct PgPulse {
    database: Database,
}

impl PgPulse {
    /// Takes that of `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// How much there is to do now.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn take(&self) -> Result<Pulse, RepoError> {
        let rows = self.database.read(&statement()).await;
        let rows: Vec<PulseRow> = rows.map_err(|failure| failure.into_repo())?;
        stored::answered(rows)?.try_into()
    }

    /// What all accounts together hold, in millicredits: anything but 0 is money from nowhere, or
    /// gone there. It reads every account, so it is for once in a while.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn imbalance(&self) -> Result<i64, RepoError> {
        let sql = "SELECT ((SELECT coalesce(sum(balance), 0) FROM ledger_accounts \
                WHERE owner_id IS NOT NULL) \
            + (SELECT coalesce(sum(balance), 0) FROM ledger_platform))::bigint AS imbalance";
        let statement = Statement::new(sql.to_owned(), Binds::default());
        let rows = self.database.read(&statement).await;
        let rows: Vec<ImbalanceRow> = rows.map_err(|failure| failure.into_repo())?;
        Ok(stored::answered(rows)?.imbalance)
    }
}

/// Each part goes by an index in its order, so that what has ended long ago is not met.
fn statement() -> Statement {
    let mut binds = Binds::default();
    let unfinished = binds.number(MOST_UNFINISHED);
    let failed = binds.number(MOST_FAILED);
    let messages = binds.number(MOST_MESSAGES);
    let sql = format!(
        "WITH unfinished AS MATERIALIZED (\
            SELECT stage, price_credits, created_at, deadline_at FROM executions \
            WHERE stage <> 'ended' ORDER BY deadline_at, id LIMIT {unfinished}\
         ), failed AS MATERIALIZED (\
            SELECT f.completed_at FROM (VALUES ('FAILED'), ('TIMED_OUT')) AS how (status) \
            CROSS JOIN LATERAL (\
                SELECT x.completed_at FROM executions x WHERE x.status = how.status \
                ORDER BY x.created_at DESC, x.id DESC LIMIT {failed}\
            ) f\
         ), unsent AS MATERIALIZED (\
            SELECT kind, created_at, last_error FROM outbox \
            WHERE done_at IS NULL ORDER BY next_attempt_at LIMIT {messages}\
         ), kinds AS (\
            SELECT kind, count(*) AS waiting, count(last_error) AS failed, \
                extract(epoch FROM now() - min(created_at))::float8 AS oldest \
            FROM unsent GROUP BY kind\
         ) \
         SELECT q.waiting, q.active, q.oldest, q.overdue, q.holds, q.held, f.failed, \
            o.kinds, o.kinds_waiting, o.kinds_failed, o.kinds_oldest \
         FROM (\
            SELECT count(*) FILTER (WHERE stage = 'created') AS waiting, \
                count(*) FILTER (WHERE stage <> 'created') AS active, \
                extract(epoch FROM now() - min(created_at) FILTER (WHERE stage = 'created'))::float8 \
                    AS oldest, \
                count(*) FILTER (WHERE deadline_at < now() - interval '60 seconds') AS overdue, \
                count(*) FILTER (WHERE price_credits > 0) AS holds, \
                coalesce(sum(price_credits), 0)::bigint AS held \
            FROM unfinished\
         ) q CROSS JOIN (\
            SELECT count(*) AS failed FROM failed WHERE completed_at > now() - interval '1 hour'\
         ) f CROSS JOIN (\
            SELECT coalesce(array_agg(kind), '{{}}') AS kinds, \
                coalesce(array_agg(waiting), '{{}}') AS kinds_waiting, \
                coalesce(array_agg(failed), '{{}}') AS kinds_failed, \
                coalesce(array_agg(oldest), '{{}}') AS kinds_oldest \
            FROM kinds\
         ) o"
    );
    Statement::new(sql, binds)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct ImbalanceRow {
    #[diesel(sql_type = BigInt)]
    imbalance: i64,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct PulseRow {
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    active: i64,
    #[diesel(sql_type = Nullable<Double>)]
    oldest: Option<f64>,
    #[diesel(sql_type = BigInt)]
    overdue: i64,
    #[diesel(sql_type = BigInt)]
    holds: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
    #[diesel(sql_type = Array<Text>)]
    kinds: Vec<String>,
    #[diesel(sql_type = Array<BigInt>)]
    kinds_waiting: Vec<i64>,
    #[diesel(sql_type = Array<BigInt>)]
    kinds_failed: Vec<i64>,
    #[diesel(sql_type = Array<Double>)]
    kinds_oldest: Vec<f64>,
}

impl TryFrom<PulseRow> for Pulse {
    type Error = RepoError;

    fn try_from(row: PulseRow) -> Result<Self, RepoError> {
        let PulseRow {
            waiting,
            active,
            oldest,
            overdue,
            holds,
            held,
            failed,
            kinds,
            kinds_waiting,
            kinds_failed,
            kinds_oldest,
        } = row;
        let numbers = kinds_waiting.into_iter().zip(kinds_failed);
        let outbox = kinds.into_iter().zip(numbers.zip(kinds_oldest));
        let outbox = outbox.map(|(kind, ((waiting, failed), oldest))| {
            Ok(Unsent {
                kind,
                waiting: stored::count("waiting", waiting)?,
                failed: stored::count("failed", failed)?,
                oldest: span(oldest),
            })
        });
        Ok(Self {
            waiting: stored::count("waiting", waiting)?,
            active: stored::count("active", active)?,
            oldest_waiting: oldest.map(span),
            overdue: stored::count("overdue", overdue)?,
            failed: stored::count("failed", failed)?,
            holds: stored::count("holds", holds)?,
            held_credits: stored::count("held", held)?,
            outbox: outbox.collect::<Result<_, RepoError>>()?,
        })
    }
}

/// What was written by a clock that was ahead waits for nothing.
fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}
