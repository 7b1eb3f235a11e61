//! The queue's side of executions: what workers ask and write.

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Integer};
use tarsify_domain::RepoError;
use tarsify_domain::execution::{
    Advance, Claim, Claimed, ExecutionQueue, Known, Material, ProviderJobId, Settlement, Stage,
    TokenHash, Work, Written,
};
use tarsify_domain::id::ExecutionId;

use super::attempts::small;
use super::claimed::{LookRow, SubmitRow};
use super::ends::{End, Ends};
use super::hints::Hint;
use super::material::MaterialRow;
use super::moves::Move;
use super::write::written;
use super::{PgExecutionRepository, claim, material, tally};
use crate::error::Failure;
use crate::statement::{self, Binds, Statement};
use crate::stored;
use crate::together::alone;

/// The unique constraint on a job's id at its provider.
const JOB_UNIQUE: &str = "provider_attempts_job_unique";

/// What makes an execution due at once, before everything that is merely overdue. While it is
/// leased, whoever gives the lease back sees that it was woken.
pub(super) const WOKEN: &str = "wake = true, next_action_at = e.created_at";

#[async_trait]
impl ExecutionQueue for PgExecutionRepository {
    async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>, RepoError> {
        let statement = claim::statement(claim);
        if let Work::Submit(_) = claim.work {
            let rows = self.database.write(&statement).await;
            let rows: Vec<SubmitRow> = rows.map_err(|failure| failure.into_repo())?;
            rows.into_iter().map(Claimed::try_from).collect()
        } else {
            let rows = self.database.write(&statement).await;
            let rows: Vec<LookRow> = rows.map_err(|failure| failure.into_repo())?;
            rows.into_iter().map(Claimed::try_from).collect()
        }
    }

    async fn find_material(&self, id: ExecutionId) -> Result<Option<Material>, RepoError> {
        let rows = self.database.read(&material::statement(id)).await;
        let rows: Vec<MaterialRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter().next().map(Material::try_from).transpose()
    }

    async fn advance(&self, advance: &Advance) -> Result<Written, RepoError> {
        let row = self.moves.write(Move::of(advance)?).await;
        written(&row.map_err(|failure| failure.or_conflict(&[JOB_UNIQUE]))?)
    }

    async fn settle(&self, settlement: &Settlement) -> Result<Written, RepoError> {
        if settlement.from == Stage::Ended {
            return Ok(Written::Refused);
        }
        let end = End::of(settlement);
        let row = if end.is_sociable() {
            self.ends.write(end).await
        } else {
            alone::<Ends>(&self.database, end).await
        };
        written(&row.map_err(|failure| failure.or_conflict(&[JOB_UNIQUE]))?)
    }

    async fn find_callback(
        &self,
        id: ExecutionId,
        token: &TokenHash,
    ) -> Result<Option<Known>, RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "SELECT number, job_id IS NOT NULL AS has_job FROM provider_attempts \
             WHERE execution_id = {} AND token_hash = {} ORDER BY number LIMIT 1",
            binds.uuid(id.uuid()),
            binds.bytes(token.0.to_vec()),
        );
        let rows = self.database.read(&Statement::new(sql, binds)).await;
        let rows: Vec<KnownRow> = rows.map_err(|failure| failure.into_repo())?;
        rows.into_iter().next().map(Known::try_from).transpose()
    }

    async fn hint(
        &self,
        id: ExecutionId,
        attempt: u32,
        job: Option<&ProviderJobId>,
    ) -> Result<(), RepoError> {
        let hint = |job| Hint { id, attempt, job };
        let hinted = match self.hints.write(hint(job.cloned())).await {
            // Another attempt got the job at this very moment.
            Err(Failure::Taken { constraint, .. }) if constraint == JOB_UNIQUE => {
                self.hints.write(hint(None)).await
            }
            other => other,
        };
        hinted.map(drop).map_err(|failure| failure.into_repo())
    }

    async fn tally(&self, limit: u32) -> Result<u64, RepoError> {
        let rows = self.database.write(&tally::statement(limit)).await;
        let rows: Vec<CountRow> = rows.map_err(|failure| failure.into_repo())?;
        stored::count("count", stored::answered(rows)?.count)
    }
}

impl PgExecutionRepository {
    /// Makes the execution due at once unless it has not been sent or has ended, or was touched
    /// within `rest`.
    pub(super) async fn wake(&self, id: ExecutionId, rest: Duration) -> Result<bool, RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "UPDATE executions e SET {WOKEN} \
             WHERE e.id = {} AND e.stage NOT IN ('created', 'ended') \
                AND e.touched_at <= now() - {} RETURNING e.id",
            binds.uuid(id.uuid()),
            binds.span(rest),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<statement::Written> = rows.map_err(|failure| failure.into_repo())?;
        Ok(!rows.is_empty())
    }

    /// Makes the execution due at once unless it has ended; answers whether it did, and nothing
    /// when there is none. What befell it is forgotten, but for the last lease, if that was not
    /// given back: something may have been lost with it.
    pub(super) async fn push(&self, id: ExecutionId) -> Result<Option<bool>, RepoError> {
        let mut binds = Binds::default();
        let id = binds.uuid(id.uuid());
        let sql = format!(
            "WITH pushed AS (\
                UPDATE executions e SET {WOKEN}, \
                    strikes = CASE WHEN e.lease_until IS NULL THEN 0 ELSE 1 END \
                WHERE e.id = {id} AND e.stage <> 'ended' RETURNING e.id\
             ) \
             SELECT EXISTS (SELECT 1 FROM pushed) AS is_so FROM executions WHERE id = {id}"
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<FlagRow> = rows.map_err(|failure| failure.into_repo())?;
        Ok(rows.into_iter().next().map(|row| row.is_so))
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct KnownRow {
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Bool)]
    has_job: bool,
}

impl TryFrom<KnownRow> for Known {
    type Error = RepoError;

    fn try_from(row: KnownRow) -> Result<Self, RepoError> {
        let KnownRow { number, has_job } = row;
        Ok(Self {
            attempt: small("number", i64::from(number))?,
            has_job,
        })
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct CountRow {
    #[diesel(sql_type = BigInt)]
    pub(super) count: i64,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct FlagRow {
    #[diesel(sql_type = Bool)]
    is_so: bool,
}
