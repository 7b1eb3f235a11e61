//! Keeps payouts. The money is reserved and given back by the functions of the migrations.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tarsify_domain::earnings::{
    NewPayout, Payout, PayoutEnd, PayoutError, PayoutRepository, PayoutStatus,
};
use tarsify_domain::id::{DeveloperId, PayoutId};
use tarsify_domain::money::Millicredits;
use tarsify_domain::payments::{AccountRef, TransferRef};
use tarsify_domain::{Page, PageRequest, RepoError, Timestamp};
use uuid::Uuid;

use crate::listing::{Counted, Direction, Listing, Sort, SortKey};
use crate::pool::Database;
use crate::statement::{Binds, Statement, without_nul};
use crate::stored;

/// The unique index on accounts at the payment provider.
const ACCOUNT_UNIQUE: &str = "developers_stripe_account_id_unique";

/// Payouts in PostgreSQL.
pub struct PgPayoutRepository {
    database: Database,
}

impl PgPayoutRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

/// What is read of a payout `p`.
const COLUMNS: &str = "p.id, p.developer_id, p.amount, p.status, p.transfer_ref, p.failure, \
    p.requested_at, p.ended_at";

fn finding(id: PayoutId) -> Statement {
    let mut binds = Binds::default();
    let sql = format!(
        "SELECT {COLUMNS} FROM payouts p WHERE p.id = {}",
        binds.uuid(id.uuid()),
    );
    Statement::new(sql, binds)
}

#[async_trait]
impl PayoutRepository for PgPayoutRepository {
    async fn request(&self, new: &NewPayout) -> Result<Payout, PayoutError> {
        let NewPayout {
            id,
            developer,
            amount,
        } = *new;
        let mut binds = Binds::default();
        let sql = format!(
            "SELECT r.outcome, r.available, now() AS at FROM request_payout({}, {}, {}) r",
            binds.uuid(id.uuid()),
            binds.uuid(developer.uuid()),
            binds.number(amount.millicredits().get()),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<RequestRow> = rows.map_err(|failure| failure.into_repo())?;
        let row = stored::answered(rows)?;
        match row.outcome.as_str() {
            "reserved" => Ok(Payout {
                id,
                developer,
                amount,
                status: PayoutStatus::Pending,
                transfer: None,
                failure: None,
                requested_at: row.at,
                ended_at: None,
            }),
            "repeated" => {
                let rows = self.database.read(&finding(id)).await;
                let rows: Vec<PayoutRow> = rows.map_err(|failure| failure.into_repo())?;
                Ok(stored::answered(rows)?.try_into()?)
            }
            "not_verified" => Err(PayoutError::NotVerified),
            "insufficient" => Err(PayoutError::Insufficient {
                required: amount,
                available: Millicredits::new(row.available.unwrap_or_default()).credits(),
            }),
            _ => Ok(stored::checked("outcome", Err("no such outcome"))?),
        }
    }

    async fn list(
        &self,
        developer: DeveloperId,
        status: Option<PayoutStatus>,
        page: &PageRequest,
    ) -> Result<Page<Payout>, RepoError> {
        let mut binds = Binds::default();
        let mut filter = vec![format!("p.developer_id = {}", binds.uuid(developer.uuid()))];
        if let Some(status) = status {
            filter.push(format!("p.status = {}", binds.text(status.as_str())));
        }
        let listing = Listing {
            with: String::new(),
            columns: COLUMNS.to_owned(),
            tables: "payouts p".to_owned(),
            counted: Counted::In("payouts p".to_owned()),
            filter,
            binds,
            sort: Sort {
                order: Payout::ORDER,
                key: SortKey::Moment("p.requested_at"),
                id: "p.id",
                direction: Direction::Descending,
            },
        };
        listing
            .read(&self.database, page, |row: PayoutRow| row.try_into())
            .await
    }

    async fn finish(&self, id: PayoutId, end: &PayoutEnd) -> Result<(), RepoError> {
        let mut binds = Binds::default();
        let id = binds.uuid(id.uuid());
        let ended = match end {
            PayoutEnd::Paid(transfer) => format!("'paid', {}, NULL", binds.text(transfer.as_str())),
            PayoutEnd::Failed(why) => {
                format!("'failed', NULL, {}", binds.text(without_nul(why)))
            }
        };
        let sql = format!("SELECT finish_payout({id}, {ended}) AS outcome");
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<OutcomeRow> = rows.map_err(|failure| failure.into_repo())?;
        if stored::answered(rows)?.outcome == "unknown" {
            return Err(RepoError::Internal("there is no such payout".into()));
        }
        Ok(())
    }

    async fn attach_account(
        &self,
        developer: DeveloperId,
        account: &AccountRef,
    ) -> Result<AccountRef, RepoError> {
        let mut binds = Binds::default();
        let developer = binds.uuid(developer.uuid());
        // He sees it in his profile, so it is a revision of that.
        let sql = format!(
            "WITH revised AS (\
                UPDATE people p SET version = p.version + 1, updated_at = now() \
                FROM developers d \
                WHERE p.id = {developer} AND d.id = p.id AND d.stripe_account_id IS NULL \
                RETURNING p.id\
             ) \
             UPDATE developers SET stripe_account_id = coalesce(stripe_account_id, {}) \
             WHERE id = {developer} AND (SELECT count(*) FROM revised) >= 0 \
             RETURNING stripe_account_id",
            binds.text(account.as_str()),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<AccountRow> =
            rows.map_err(|failure| failure.or_conflict(&[ACCOUNT_UNIQUE]))?;
        let kept = stored::changed(rows)?.stripe_account_id;
        stored::parsed("stripe_account_id", &kept, AccountRef::parse)
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct RequestRow {
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    available: Option<i64>,
    #[diesel(sql_type = Timestamptz)]
    at: Timestamp,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct OutcomeRow {
    #[diesel(sql_type = Text)]
    outcome: String,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct AccountRow {
    #[diesel(sql_type = Text)]
    stripe_account_id: String,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct PayoutRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    developer_id: Uuid,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    transfer_ref: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    failure: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    requested_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<Timestamp>,
}

impl TryFrom<PayoutRow> for Payout {
    type Error = RepoError;

    fn try_from(row: PayoutRow) -> Result<Self, RepoError> {
        let PayoutRow {
            id,
            developer_id,
            amount,
            status,
            transfer_ref,
            failure,
            requested_at,
            ended_at,
        } = row;
        let transfer = transfer_ref.as_deref();
        Ok(Self {
            id: PayoutId::from_uuid(id),
            developer: DeveloperId::from_uuid(developer_id),
            amount: Millicredits::new(amount).credits(),
            status: stored::parsed("status", &status, PayoutStatus::parse)?,
            transfer: stored::parsed_optional("transfer_ref", transfer, TransferRef::parse)?,
            failure,
            requested_at,
            ended_at,
        })
    }
}
