//! The processes that work on executions, each of which says again and again that it is here.

use async_trait::async_trait;
use tarsify_domain::RepoError;
use tarsify_domain::execution::{Crew, PRESENCE};
use tarsify_domain::id::WorkerId;

use super::PgExecutionRepository;
use super::queue::CountRow;
use crate::statement::{Binds, Statement, Written};
use crate::stored;

#[async_trait]
impl Crew for PgExecutionRepository {
    async fn check_in(&self, worker: WorkerId) -> Result<u32, RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "SELECT check_in({}, {}) AS count",
            binds.uuid(worker.uuid()),
            binds.span(PRESENCE),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let rows: Vec<CountRow> = rows.map_err(|failure| failure.into_repo())?;
        let count = stored::count("count", stored::answered(rows)?.count)?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    async fn check_out(&self, worker: WorkerId) -> Result<(), RepoError> {
        let mut binds = Binds::default();
        let sql = format!(
            "DELETE FROM workers WHERE id = {} RETURNING id",
            binds.uuid(worker.uuid()),
        );
        let rows = self.database.write(&Statement::new(sql, binds)).await;
        let _: Vec<Written> = rows.map_err(|failure| failure.into_repo())?;
        Ok(())
    }
}
