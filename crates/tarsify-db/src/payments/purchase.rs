//! Keeps purchases, and gives what the payment provider tells its effect.

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tarsify_domain::id::{ConsumerId, PackageId, PurchaseId};
use tarsify_domain::money::Credits;
use tarsify_domain::payments::{
    Checkout, EventOutcome, Purchase, PurchaseRepository, PurchaseStatus, ReceivedEvent,
};
use tarsify_domain::{Page, PageRequest, RepoError, Timestamp};
use uuid::Uuid;

use super::applying::{self, OutcomeRow};
use crate::error::Failure;
use crate::listing::{Counted, Direction, Listing, Sort, SortKey};
use crate::pool::Database;
use crate::statement::{Binds, Statement, Written};
use crate::stored;

/// The primary key of the provider's messages.
const EVENT_UNIQUE: &str = "payment_events_pkey";

/// What is read of a purchase `p`.
const COLUMNS: &str = "p.id, p.consumer_id, p.package_id, p.credits, p.bonus_credits, \
    p.price_cents, p.currency, p.status, p.checkout_url, p.paid_at, p.created_at";

/// Purchases in PostgreSQL.
pub struct PgPurchaseRepository {
    database: Database,
}

impl PgPurchaseRepository {
    /// Keeps them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    async fn select(&self, condition: &str, binds: Binds) -> Result<Option<Purchase>, RepoError> {
        let sql = format!("SELECT {COLUMNS} FROM purchases p WHERE {condition}");
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<PurchaseRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter().next().map(Purchase::try_from).transpose()
    }
}

#[async_trait]
impl PurchaseRepository for PgPurchaseRepository {
    async fn open(&self, new: &Purchase) -> Result<(), RepoError> {
        let Purchase {
            id,
            consumer,
            package,
            credits,
            bonus,
            price_cents,
            currency,
            status: _,
            checkout_url: _,
            paid_at: _,
            created_at,
        } = new;
        let mut binds = Binds::default();
        let created_at = binds.moment(*created_at);
        let values = [
            binds.uuid(id.uuid()),
            binds.uuid(consumer.uuid()),
            binds.optional_uuid(package.map(|package| package.uuid())),
            binds.number(credits.get()),
            binds.number(bonus.get()),
            binds.number(*price_cents),
            binds.text(currency),
            created_at.clone(),
            created_at,
        ];
        let sql = format!(
            "INSERT INTO purchases (id, consumer_id, package_id, credits, bonus_credits, \
             price_cents, currency, created_at, updated_at) VALUES ({}) RETURNING id",
            values.join(", ")
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let _rows: Vec<Written> = rows.map_err(|failure| failure.into_repo())?;
        Ok(())
    }

    async fn attach_checkout(&self, id: PurchaseId, checkout: &Checkout) -> Result<(), RepoError> {
        let Checkout { reference, url } = checkout;
        let mut binds = Binds::default();
        // Whatever its status: it may have been paid on the page before we know of the page.
        let sql = format!(
            "UPDATE purchases SET checkout_ref = {}, checkout_url = {}, updated_at = now() \
             WHERE id = {} RETURNING id",
            binds.text(reference.as_str()),
            binds.text(url),
            binds.uuid(id.uuid()),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<Written> = rows.map_err(|failure| failure.into_repo())?;
        stored::changed(rows).map(drop)
    }

    async fn fail(&self, id: PurchaseId) -> Result<(), RepoError> {
        let mut binds = Binds::default();
        let sql = format!("SELECT void_purchase({}, 'FAILED')", binds.uuid(id.uuid()));
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let _rows: Vec<Written> = rows.map_err(|failure| failure.into_repo())?;
        Ok(())
    }

    async fn find(
        &self,
        consumer: ConsumerId,
        id: PurchaseId,
    ) -> Result<Option<Purchase>, RepoError> {
        let mut binds = Binds::default();
        let condition = format!(
            "p.id = {} AND p.consumer_id = {}",
            binds.uuid(id.uuid()),
            binds.uuid(consumer.uuid()),
        );
        self.select(&condition, binds).await
    }

    async fn find_any(&self, id: PurchaseId) -> Result<Option<Purchase>, RepoError> {
        let mut binds = Binds::default();
        let condition = format!("p.id = {}", binds.uuid(id.uuid()));
        self.select(&condition, binds).await
    }

    async fn list(
        &self,
        consumer: ConsumerId,
        page: &PageRequest,
    ) -> Result<Page<Purchase>, RepoError> {
        let mut binds = Binds::default();
        let listing = Listing {
            with: String::new(),
            columns: COLUMNS.to_owned(),
            tables: "purchases p".to_owned(),
            counted: Counted::In("purchases p".to_owned()),
            filter: vec![format!("p.consumer_id = {}", binds.uuid(consumer.uuid()))],
            binds,
            sort: Sort {
                order: Purchase::ORDER,
                key: SortKey::Moment("p.created_at"),
                id: "p.id",
                direction: Direction::Descending,
            },
        };
        listing
            .read(&self.database, page, |row: PurchaseRow| row.try_into())
            .await
    }

    async fn apply(&self, received: &ReceivedEvent) -> Result<EventOutcome, RepoError> {
        let statement = applying::statement(received);
        match self.database.write::<OutcomeRow>(&statement).await {
            // It was told twice at this very moment, and nothing of ours was done.
            Err(Failure::Taken { constraint, .. }) if constraint == EVENT_UNIQUE => {
                Ok(EventOutcome::Repeated)
            }
            rows => applying::outcome(rows.map_err(|failure| failure.into_repo())?),
        }
    }

    async fn expire(&self, age: Duration, limit: u32) -> Result<u64, RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "WITH old AS MATERIALIZED (\
                SELECT id FROM purchases WHERE status = 'PENDING' AND created_at < now() - {} \
                ORDER BY created_at LIMIT {} FOR UPDATE SKIP LOCKED\
             ) \
             UPDATE purchases p SET status = 'EXPIRED', updated_at = now() FROM old \
             WHERE p.id = old.id RETURNING p.id",
            binds.span(age),
            binds.number(i64::from(limit)),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<IdRow> = rows.map_err(|failure| failure.into_repo())?;
        stored::checked("count", u64::try_from(rows.len()))
    }

    async fn claw_back(&self, limit: u32) -> Result<u64, RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "SELECT id FROM reversals \
             WHERE verdict = 'lost' AND lost > 0 AND clawed_at IS NULL AND applied_at IS NOT NULL \
             ORDER BY created_at, id LIMIT {}",
            binds.number(i64::from(limit)),
        );
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let waiting: Vec<IdRow> = rows.map_err(|failure| failure.into_repo())?;
        let mut found = 0;
        let mut failed = None;
        // Each by itself, so that none keeps locks while the next one is looked for.
        for IdRow { id } in waiting {
            let mut binds = Binds::default();
            let sql = format!("SELECT claw_back({}) AS is_found", binds.uuid(id));
            let rows = self.database.write(&Statement::new(sql, binds)).await;
            let rows: Vec<FoundRow> = match rows {
                Ok(rows) => rows,
                // One that cannot be seen to keeps no other waiting.
                Err(failure) => {
                    failed = Some(failure.into_repo());
                    continue;
                }
            };
            found += u64::from(stored::answered(rows)?.is_found);
        }
        failed.map_or(Ok(found), Err)
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct FoundRow {
    #[diesel(sql_type = Bool)]
    is_found: bool,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct PurchaseRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    consumer_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    package_id: Option<Uuid>,
    #[diesel(sql_type = BigInt)]
    credits: i64,
    #[diesel(sql_type = BigInt)]
    bonus_credits: i64,
    #[diesel(sql_type = BigInt)]
    price_cents: i64,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    checkout_url: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    paid_at: Option<Timestamp>,
    #[diesel(sql_type = Timestamptz)]
    created_at: Timestamp,
}

impl TryFrom<PurchaseRow> for Purchase {
    type Error = RepoError;

    fn try_from(row: PurchaseRow) -> Result<Self, RepoError> {
        let PurchaseRow {
            id,
            consumer_id,
            package_id,
            credits,
            bonus_credits,
            price_cents,
            currency,
            status,
            checkout_url,
            paid_at,
            created_at,
        } = row;
        Ok(Self {
            id: PurchaseId::from_uuid(id),
            consumer: ConsumerId::from_uuid(consumer_id),
            package: package_id.map(PackageId::from_uuid),
            credits: Credits::new(credits),
            bonus: Credits::new(bonus_credits),
            price_cents,
            currency,
            status: stored::parsed("status", &status, PurchaseStatus::parse)?,
            checkout_url,
            paid_at,
            created_at,
        })
    }
}
