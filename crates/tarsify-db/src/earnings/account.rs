//! Reads what developers have earned, and lets what has waited long enough be paid out.

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use tarsify_domain::earnings::{Earning, EarningFilter, Earnings, EarningsRepository, MonthSums};
use tarsify_domain::id::{DeveloperId, ExecutionId, TarsModelId};
use tarsify_domain::money::Millicredits;
use tarsify_domain::{Page, PageRequest, RepoError, Timestamp};
use uuid::Uuid;

use crate::listing::{Counted, Direction, Listing, Sort, SortKey};
use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;

/// Earnings in PostgreSQL.
pub struct PgEarningsRepository {
    database: Database,
}

impl PgEarningsRepository {
    /// Reads and moves them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl EarningsRepository for PgEarningsRepository {
    async fn find_earnings(&self, developer: DeveloperId) -> Result<Earnings, RepoError> {
        let rows = self.database.read(&summing(developer)).await;
        let rows: Vec<EarningsRow> = rows.map_err(|failure| failure.into_repo())?;
        Ok(stored::answered(rows)?.into())
    }

    async fn list_history(
        &self,
        developer: DeveloperId,
        filter: &EarningFilter,
        page: &PageRequest,
    ) -> Result<Page<Earning>, RepoError> {
        let EarningFilter { from, to } = filter;
        let mut binds = Binds::default();
        let mut conditions = vec![
            format!("h.developer_id = {}", binds.uuid(developer.uuid())),
            "h.state = 'captured' AND h.developer_bps > 0".to_owned(),
        ];
        if let Some(from) = from {
            conditions.push(format!("h.resolved_at >= {}", binds.moment(*from)));
        }
        if let Some(to) = to {
            conditions.push(format!("h.resolved_at < {}", binds.moment(*to)));
        }
        let listing = Listing {
            with: String::new(),
            columns: "h.execution_id AS id, h.tars_model_id, t.slug, t.title, h.amount, \
                h.earned, h.taken_back, h.resolved_at, h.matured_in IS NOT NULL AS is_mature"
                .to_owned(),
            tables: "holds h JOIN tars_models t ON t.id = h.tars_model_id".to_owned(),
            counted: Counted::In("holds h".to_owned()),
            filter: conditions,
            binds,
            sort: Sort {
                order: Earning::ORDER,
                key: SortKey::Moment("h.resolved_at"),
                id: "h.execution_id",
                direction: Direction::Descending,
            },
        };
        listing
            .read(&self.database, page, |row: EarningRow| Ok(row.into()))
            .await
    }

    async fn mature(&self, after: Duration, limit: u32) -> Result<u64, RepoError> {
        let rows = self.database.read(&ripe(after, limit)).await;
        let developers: Vec<DeveloperRow> = rows.map_err(|failure| failure.into_repo())?;
        let (limit, mut matured) = (u64::from(limit), 0_u64);
        let mut failed = None;
        // Each by himself: his accounts are locked for no longer than his own runs take.
        for DeveloperRow { developer_id } in developers {
            let left = limit.saturating_sub(matured);
            if left == 0 {
                break;
            }
            let rows = self
                .database
                .write(&maturing(developer_id, after, left)?)
                .await;
            let rows: Vec<CountRow> = match rows {
                Ok(rows) => rows,
                // One who cannot be served keeps nobody else waiting.
                Err(failure) => {
                    failed = Some(failure.into_repo());
                    continue;
                }
            };
            matured += stored::count("runs", stored::answered(rows)?.runs)?;
        }
        failed.map_or(Ok(matured), Err)
    }
}

/// What is on the accounts, and what came in by month. Runs that are not in the sums of their days
/// yet are added to them, so that nothing is late.
fn summing(developer: DeveloperId) -> Statement {
    let mut binds = Binds::default();
    let developer = binds.uuid(developer.uuid());
    let account = |kind: &str| {
        format!(
            "coalesce((SELECT balance FROM ledger_accounts \
                WHERE owner_id = {developer} AND kind = 'developer_{kind}'), 0)"
        )
    };
    let sum = |what: &str, condition: &str| {
        format!("(SELECT coalesce(sum({what}), 0)::bigint FROM sums WHERE {condition})")
    };
    let (this, last) = (
        "day >= (SELECT this_month FROM months)",
        "day < (SELECT this_month FROM months)",
    );
    let sql = format!(
        "WITH months AS MATERIALIZED (\
            SELECT m.this_month::date, (m.this_month - interval '1 month')::date AS last_month \
            FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AS this_month) m\
         ), sums AS MATERIALIZED (\
            SELECT day, gross, earned FROM model_days \
            WHERE developer_id = {developer} AND day >= (SELECT last_month FROM months) \
            UNION ALL SELECT day, gross, earned FROM untallied \
            WHERE developer_id = {developer} AND day >= (SELECT last_month FROM months)\
         ) \
         SELECT {pending} AS pending, {payable} AS payable, {in_payout} AS in_payout, \
            (SELECT coalesce(sum(amount), 0)::bigint FROM payouts \
                WHERE developer_id = {developer} AND status = 'PAID') AS paid_out, \
            -{owed} AS owed, {this_gross} AS this_gross, {this_net} AS this_net, \
            {last_gross} AS last_gross, {last_net} AS last_net",
        pending = account("pending"),
        payable = account("payable"),
        in_payout = account("in_payout"),
        owed = account("owed"),
        this_gross = sum("gross", this),
        this_net = sum("earned", this),
        last_gross = sum("gross", last),
        last_net = sum("earned", last),
    );
    Statement::new(sql, binds)
}

/// The developers with earnings that have waited long enough, those who wait longest first. One
/// look into the index for each of them, however many runs each of them has.
fn ripe(after: Duration, limit: u32) -> Statement {
    let mut binds = Binds::default();
    let sql = format!(
        "WITH RECURSIVE waiting AS (\
            (SELECT developer_id, resolved_at FROM holds \
                WHERE state = 'captured' AND matured_in IS NULL \
                ORDER BY developer_id, resolved_at LIMIT 1) \
            UNION ALL \
            SELECT n.developer_id, n.resolved_at FROM waiting w CROSS JOIN LATERAL (\
                SELECT h.developer_id, h.resolved_at FROM holds h \
                WHERE h.state = 'captured' AND h.matured_in IS NULL \
                    AND h.developer_id > w.developer_id \
                ORDER BY h.developer_id, h.resolved_at LIMIT 1\
            ) n\
         ) \
         SELECT developer_id FROM waiting WHERE resolved_at <= now() - {} \
         ORDER BY resolved_at, developer_id LIMIT {}",
        binds.span(after),
        binds.number(i64::from(limit)),
    );
    Statement::new(sql, binds)
}

fn maturing(developer: Uuid, after: Duration, limit: u64) -> Result<Statement, RepoError> {
    let mut binds = Binds::default();
    let limit = stored::checked("limit", i64::try_from(limit))?;
    let sql = format!(
        "SELECT mature_earnings({}, now() - {}, {}) AS runs",
        binds.uuid(developer),
        binds.span(after),
        binds.number(limit),
    );
    Ok(Statement::new(sql, binds))
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct DeveloperRow {
    #[diesel(sql_type = SqlUuid)]
    developer_id: Uuid,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    runs: i64,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct EarningsRow {
    #[diesel(sql_type = BigInt)]
    pending: i64,
    #[diesel(sql_type = BigInt)]
    payable: i64,
    #[diesel(sql_type = BigInt)]
    in_payout: i64,
    #[diesel(sql_type = BigInt)]
    paid_out: i64,
    #[diesel(sql_type = BigInt)]
    owed: i64,
    #[diesel(sql_type = BigInt)]
    this_gross: i64,
    #[diesel(sql_type = BigInt)]
    this_net: i64,
    #[diesel(sql_type = BigInt)]
    last_gross: i64,
    #[diesel(sql_type = BigInt)]
    last_net: i64,
}

impl From<EarningsRow> for Earnings {
    fn from(row: EarningsRow) -> Self {
        let EarningsRow {
            pending,
            payable,
            in_payout,
            paid_out,
            owed,
            this_gross,
            this_net,
            last_gross,
            last_net,
        } = row;
        Self {
            pending: Millicredits::new(pending),
            available: Millicredits::new(payable),
            in_payout: Millicredits::new(in_payout),
            paid_out: Millicredits::new(paid_out),
            owed: Millicredits::new(owed),
            this_month: MonthSums {
                gross: Millicredits::new(this_gross),
                net: Millicredits::new(this_net),
            },
            last_month: MonthSums {
                gross: Millicredits::new(last_gross),
                net: Millicredits::new(last_net),
            },
        }
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct EarningRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    tars_model_id: Uuid,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = BigInt)]
    earned: i64,
    #[diesel(sql_type = BigInt)]
    taken_back: i64,
    #[diesel(sql_type = Timestamptz)]
    resolved_at: Timestamp,
    #[diesel(sql_type = Bool)]
    is_mature: bool,
}

impl From<EarningRow> for Earning {
    fn from(row: EarningRow) -> Self {
        let EarningRow {
            id,
            tars_model_id,
            slug,
            title,
            amount,
            earned,
            taken_back,
            resolved_at,
            is_mature,
        } = row;
        Self {
            run: ExecutionId::from_uuid(id),
            model: TarsModelId::from_uuid(tars_model_id),
            slug,
            title,
            gross: Millicredits::new(amount),
            earned: Millicredits::new(earned),
            taken_back: Millicredits::new(taken_back),
            earned_at: resolved_at,
            is_mature,
        }
    }
}
