//! Keeps executions, which are their own queue. Every method is one statement, or a part of
//! one that does the same for others; what it may do is decided by the guards in it, never by what
//! was read before.

mod admission;
mod admitted;
mod attempts;
mod budget;
mod cancel;
mod claim;
mod claimed;
mod crew;
mod ends;
mod hints;
mod listed;
mod log;
mod material;
mod moves;
mod outlook;
mod output;
mod queue;
mod report;
pub(crate) mod row;
mod runnable;
mod tally;
mod write;

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::Bool;
use tarsify_domain::execution::{
    AdmitError, Admitted, CancelAnswer, Execution, ExecutionFilter, ExecutionKind, ExecutionReport,
    ExecutionRepository, ExecutionStatus, ExecutionSummary, Found, NewExecution, Outlook,
};
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::idempotency::IdempotencyClaim;
use tarsify_domain::money::{Credits, Millicredits};
use tarsify_domain::{Page, PageRequest, RepoError, Scope};

use crate::error::Failure;
use crate::listing::{Counted, Direction, Listing, Sort, SortKey};
use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;
use crate::together::Writers;

use admission::{Admission, Admissions, ID_UNIQUE, KEY_UNIQUE};
use admitted::ReplayRow;
use cancel::AnswerRow;
use ends::Ends;
use hints::Hints;
use listed::Named;
use moves::Moves;
use queue::CountRow;
use report::ReportRow;
use row::{CONTENT, ExecutionRow, MODELS, SUMMARY, seen_by};

/// Executions in PostgreSQL, the queue of their workers, and the models to run.
pub struct PgExecutionRepository {
    database: Database,
    admissions: Writers<Admissions>,
    moves: Writers<Moves>,
    ends: Writers<Ends>,
    hints: Writers<Hints>,
    named: Named,
}

impl PgExecutionRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            admissions: Writers::new(&database),
            moves: Writers::new(&database),
            ends: Writers::new(&database),
            hints: Writers::new(&database),
            named: Named::default(),
            database,
        }
    }

    /// Settles the events of a database that was restored from a dump: their turns are of another
    /// server, and may still be to come here. A process does so before it reads any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_restored(&self) -> Result<(), RepoError> {
        // Other processes may be about it too: what they have in hand is not waited for, but there
        // is nothing left only when there is nothing to be seen.
        let mut has_more = true;
        while has_more {
            let sql = "SELECT settle_turns(5000)".to_owned();
            let statement = Statement::new(sql, Binds::default());
            let rows = self.database.write(&statement).await;
            let rows: Vec<SettlingRow> = rows.map_err(|failure| failure.into_repo())?;
            has_more = stored::answered(rows)?.settle_turns;
        }
        // What was removed there was removed before everything here.
        let sql = "UPDATE retention SET removed_turn = '0' \
             WHERE removed_turn >= pg_snapshot_xmax(pg_current_snapshot()) \
             RETURNING true AS settle_turns";
        let statement = Statement::new(sql.to_owned(), Binds::default());
        let rows = self.database.write(&statement).await;
        let _: Vec<SettlingRow> = rows.map_err(|failure| failure.into_repo())?;
        Ok(())
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct SettlingRow {
    #[diesel(sql_type = Bool)]
    settle_turns: bool,
}

#[async_trait]
impl ExecutionRepository for PgExecutionRepository {
    async fn find(&self, scope: Scope, id: ExecutionId) -> Result<Found<Execution>, RepoError> {
        let mut binds = Binds::default();
        let id = binds.uuid(id.uuid());
        let seen = seen_by(scope, &mut binds);
        let sql = format!(
            "SELECT {SUMMARY}, {CONTENT}, {seen} AS is_seen FROM executions x {MODELS} \
             WHERE x.id = {id}"
        );
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<FoundRow> = rows.map_err(|failure| failure.into_repo())?;
        match rows.into_iter().next() {
            None => Ok(Found::Nowhere),
            Some(FoundRow { is_seen: false, .. }) => Ok(Found::Foreign),
            Some(FoundRow { execution, .. }) => Ok(Found::Here(execution.try_into()?)),
        }
    }

    async fn list(
        &self,
        scope: Scope,
        filter: &ExecutionFilter,
        page: &PageRequest,
    ) -> Result<Page<ExecutionSummary>, RepoError> {
        let mut binds = Binds::default();
        let listing = Listing {
            with: String::new(),
            columns: listed::columns(),
            tables: "executions x".to_owned(),
            counted: counted(scope, filter, &mut binds),
            filter: conditions(scope, filter, &mut binds),
            binds,
            sort: Sort {
                order: Execution::ORDER,
                key: SortKey::Moment("x.created_at"),
                id: "x.id",
                direction: Direction::Descending,
            },
        };
        let page = listing.read(&self.database, page, Ok).await?;
        self.named.name(&self.database, page).await
    }

    async fn admit(&self, new: &NewExecution) -> Result<Admitted, AdmitError> {
        let row = match self.admissions.write(Admission::of(new)?).await {
            // A twin took the key at this very moment, and nothing of ours was stored.
            Err(Failure::Taken { constraint, .. }) if constraint == KEY_UNIQUE => {
                self.admissions.write(Admission::of(new)?).await
            }
            other => other,
        };
        let row = row.map_err(|failure| failure.or_conflict(&ID_UNIQUE))?;
        match admitted::outcome(new, row) {
            // Perhaps because a twin of this request has just taken the last that there was.
            Err(
                refused @ (AdmitError::InsufficientCredits { .. }
                | AdmitError::TooManyAtOnce(_)
                | AdmitError::QuotaUsedUp(_)),
            ) => match &new.idempotency {
                Some(claim) => self.find_replay(claim).await?.ok_or(refused),
                None => Err(refused),
            },
            other => other,
        }
    }

    async fn find_replay(&self, claim: &IdempotencyClaim) -> Result<Option<Admitted>, AdmitError> {
        let rows = self.database.read(&admission::replaying(claim)).await;
        let rows: Vec<ReplayRow> = rows.map_err(|failure| failure.into_repo())?;
        admitted::replay(rows)
    }

    async fn find_funds(&self, consumer: ConsumerId) -> Result<Credits, RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "SELECT balance AS count FROM ledger_accounts \
             WHERE owner_id = {} AND kind = 'consumer_available'",
            binds.uuid(consumer.uuid()),
        );
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<CountRow> = rows.map_err(|failure| failure.into_repo())?;
        let balance = rows.first().map_or(0, |row| row.count);
        Ok(Millicredits::new(balance).credits())
    }

    async fn request_cancel(
        &self,
        scope: Scope,
        id: ExecutionId,
    ) -> Result<Found<CancelAnswer>, RepoError> {
        let rows = self.database.write(&cancel::statement(scope, id)).await;
        let rows: Vec<AnswerRow> = rows.map_err(|failure| failure.into_repo())?;
        cancel::answer(rows)
    }

    async fn nudge(&self, id: ExecutionId, rest: Duration) -> Result<bool, RepoError> {
        self.wake(id, rest).await
    }

    async fn find_report(&self, id: ExecutionId) -> Result<Option<ExecutionReport>, RepoError> {
        let rows = self.database.read(&report::statement(id)).await;
        let rows: Vec<ReportRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter()
            .next()
            .map(ExecutionReport::try_from)
            .transpose()
    }

    async fn find_outlook(&self, id: ExecutionId) -> Result<Option<Outlook>, RepoError> {
        let rows = self.database.read(&outlook::statement(id)).await;
        outlook::outlook(rows.map_err(|failure| failure.into_repo())?)
    }

    async fn expedite(&self, id: ExecutionId) -> Result<Option<bool>, RepoError> {
        self.push(id).await
    }
}

/// How many there are, which of a consumer's runs is kept unless only those of one model are wanted.
fn counted(scope: Scope, filter: &ExecutionFilter, binds: &mut Binds) -> Counted {
    let ExecutionFilter {
        status,
        consumer: of,
        model,
        kind,
    } = filter;
    let consumer = match (scope, of) {
        (Scope::Consumer(consumer), None) => Some(consumer),
        (Scope::Consumer(consumer), Some(of)) => (consumer == *of).then_some(consumer),
        (Scope::System, of) => *of,
        (Scope::Developer(_), _) => None,
    };
    let (Some(consumer), None, None | Some(ExecutionKind::Run)) = (consumer, model, kind) else {
        return Counted::In("executions x".to_owned());
    };
    let consumer = binds.uuid(consumer.uuid());
    let tallied = |columns: &str| {
        format!("coalesce((SELECT {columns} FROM consumers c WHERE c.id = {consumer}), 0)")
    };
    let waiting = |status: &str| {
        format!("(SELECT count(*) FROM untallied u WHERE u.consumer_id = {consumer} AND {status})")
    };
    let open = |status: &str| {
        format!(
            "(SELECT count(*) FROM executions o \
              WHERE o.consumer_id = {consumer} AND o.stage <> 'ended'{status})"
        )
    };
    let ended = |column: &str, status: ExecutionStatus| {
        let status = format!("u.status = '{}'", status.as_str());
        format!("{} + {}", tallied(column), waiting(&status))
    };
    Counted::Kept(match status {
        None => format!(
            "{} + {} + {}",
            tallied("c.run_count + c.failed_runs + c.timed_out_runs + c.cancelled_runs"),
            waiting("u.status IS NOT NULL"),
            open(""),
        ),
        Some(status) => match status {
            ExecutionStatus::Completed => ended("c.run_count", *status),
            ExecutionStatus::Failed => ended("c.failed_runs", *status),
            ExecutionStatus::TimedOut => ended("c.timed_out_runs", *status),
            ExecutionStatus::Cancelled => ended("c.cancelled_runs", *status),
            ExecutionStatus::Pending | ExecutionStatus::Queued | ExecutionStatus::Running => {
                open(&format!(" AND o.status = '{}'", status.as_str()))
            }
        },
    })
}

fn conditions(scope: Scope, filter: &ExecutionFilter, binds: &mut Binds) -> Vec<String> {
    let ExecutionFilter {
        status,
        consumer,
        model,
        kind,
    } = filter;
    let mut conditions = vec![seen_by(scope, binds)];
    if let Some(status) = status {
        conditions.push(format!("x.status = {}", binds.text(status.as_str())));
    }
    if let Some(consumer) = consumer {
        conditions.push(format!("x.consumer_id = {}", binds.uuid(consumer.uuid())));
    }
    if let Some(model) = model {
        conditions.push(format!("x.tars_model_id = {}", binds.uuid(model.uuid())));
    }
    if let Some(kind) = kind {
        conditions.push(format!("x.kind = {}", binds.text(kind.as_str())));
    }
    conditions
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct FoundRow {
    #[diesel(embed)]
    execution: ExecutionRow,
    #[diesel(sql_type = Bool)]
    is_seen: bool,
}
