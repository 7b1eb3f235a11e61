//! Keeps what has to leave. Whoever claims a delivery has it alone until his lease is over, and
//! keeps his lane, which is delivered in order, and no other one.

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use tarsify_domain::RepoError;
use tarsify_domain::earnings::{Delivery, Outbox, Sent};
use tarsify_domain::id::{OutboxId, PayoutId};
use tarsify_domain::money::Millicredits;
use tarsify_domain::payments::{AccountRef, TransferRequest};
use uuid::Uuid;

use crate::pool::Database;
use crate::statement::{Binds, Statement, Written, without_nul};
use crate::stored;

/// Most characters of an error that are kept.
const LONGEST_ERROR: usize = 500;

/// The outbox in PostgreSQL.
pub struct PgOutbox {
    database: Database,
}

impl PgOutbox {
    /// Keeps it in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Outbox for PgOutbox {
    async fn claim(&self, limit: u32, lease: Duration) -> Result<Vec<Delivery>, RepoError> {
        let rows = self.database.write(&claiming(limit, lease)).await;
        let rows: Vec<DeliveryRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter().map(Delivery::try_from).collect()
    }

    async fn defer(
        &self,
        delivery: &Delivery,
        error: &str,
        wait: Duration,
    ) -> Result<Sent, RepoError> {
        let Delivery {
            id,
            epoch,
            attempts: _,
            transfer: _,
        } = delivery;
        let error: String = without_nul(error).chars().take(LONGEST_ERROR).collect();
        let mut binds = Binds::default();
        let sql = format!(
            "UPDATE outbox SET next_attempt_at = now() + {}, last_error = {}, lease_until = NULL \
             WHERE id = {} AND lease_epoch = {} AND lease_until IS NOT NULL AND done_at IS NULL \
             RETURNING id",
            binds.span(wait),
            binds.text(error),
            binds.uuid(id.uuid()),
            binds.number(*epoch),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<Written> = rows.map_err(|failure| failure.into_repo())?;
        let sent = rows.first().map_or(Sent::Refused, |_noted| Sent::Noted);
        Ok(sent)
    }
}

/// The first of each lane, if it is due and nobody has it. The lane of one that somebody has is
/// his, also when an older one has come to light meanwhile.
fn claiming(limit: u32, lease: Duration) -> Statement {
    let mut binds = Binds::default();
    let sql = format!(
        "WITH due AS MATERIALIZED (\
            SELECT o.id FROM outbox o \
            WHERE o.done_at IS NULL AND o.kind = 'payout' AND o.next_attempt_at <= now() \
                AND (o.lease_until IS NULL OR o.lease_until <= now()) \
                AND NOT EXISTS (\
                    SELECT 1 FROM outbox f WHERE f.lane = o.lane AND f.done_at IS NULL \
                        AND f.id <> o.id \
                        AND ((f.created_at, f.id) < (o.created_at, o.id) \
                            OR f.lease_until > now())\
                ) \
            ORDER BY o.next_attempt_at, o.id LIMIT {} FOR UPDATE OF o SKIP LOCKED\
         ), leased AS (\
            UPDATE outbox o SET lease_until = now() + {}, lease_epoch = o.lease_epoch + 1, \
                attempts = o.attempts + 1 \
            FROM due WHERE o.id = due.id RETURNING o.*\
         ) \
         SELECT l.id, l.lease_epoch, l.attempts - 1 AS attempts, p.id AS payout_id, \
            p.account_ref, p.amount \
         FROM leased l JOIN payouts p ON p.id = l.subject_id ORDER BY l.next_attempt_at, l.id",
        binds.number(i64::from(limit)),
        binds.span(lease),
    );
    Statement::new(sql, binds)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct DeliveryRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    lease_epoch: i64,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    #[diesel(sql_type = SqlUuid)]
    payout_id: Uuid,
    #[diesel(sql_type = Text)]
    account_ref: String,
    #[diesel(sql_type = BigInt)]
    amount: i64,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = RepoError;

    fn try_from(row: DeliveryRow) -> Result<Self, RepoError> {
        let DeliveryRow {
            id,
            lease_epoch,
            attempts,
            payout_id,
            account_ref,
            amount,
        } = row;
        Ok(Self {
            id: OutboxId::from_uuid(id),
            epoch: lease_epoch,
            attempts: stored::checked("attempts", u32::try_from(attempts))?,
            transfer: TransferRequest {
                payout: PayoutId::from_uuid(payout_id),
                account: stored::parsed("account_ref", &account_ref, AccountRef::parse)?,
                amount: Millicredits::new(amount).credits(),
                // Whoever had it before may have got as far as that.
                may_have_been_sent: attempts > 0,
            },
        })
    }
}
