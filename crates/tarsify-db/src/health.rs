//! Looks at the store from the small pool, which requests cannot use up.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{Text, Timestamptz};
use tarsify_domain::health::{SchemaState, StoreHealth};
use tarsify_domain::{RepoError, Timestamp};

use crate::error::Failure;
use crate::migrator;
use crate::pool::Database;
use crate::statement::{Binds, Statement};

/// The health of PostgreSQL.
pub struct PgStoreHealth {
    database: Database,
}

impl PgStoreHealth {
    /// Looks at `database` through its small pool.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self {
            database: database.apart(),
        }
    }
}

#[async_trait]
impl StoreHealth for PgStoreHealth {
    async fn schema_state(&self) -> Result<SchemaState, RepoError> {
        let applied = applied_versions(&self.database).await;
        let applied = applied.map_err(|failure| failure.into_repo())?;
        migrator::compare(&applied).map_err(RepoError::Internal)
    }

    async fn now(&self) -> Result<Timestamp, RepoError> {
        let sql = "SELECT clock_timestamp() AS now".to_owned();
        let rows = self
            .database
            .read(&Statement::new(sql, Binds::default()))
            .await;
        let rows: Vec<NowRow> = rows.map_err(|failure| failure.into_repo())?;
        let now = rows.into_iter().next().map(|row| row.now);
        now.ok_or_else(|| RepoError::Internal("the database does not tell the time".into()))
    }
}

/// The versions of the migrations that have run, oldest first.
pub(crate) async fn applied_versions(database: &Database) -> Result<Vec<String>, Failure> {
    // A database that was never migrated has no table to read them from, and a statement
    // that names a missing table fails as a whole.
    let table = "SELECT c.relname::text AS version FROM pg_catalog.pg_class c \
        WHERE c.oid = to_regclass('__diesel_schema_migrations')";
    if versions(database, table).await?.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT version::text AS version FROM __diesel_schema_migrations ORDER BY version";
    versions(database, sql).await
}

async fn versions(database: &Database, sql: &str) -> Result<Vec<String>, Failure> {
    let statement = Statement::new(sql.to_owned(), Binds::default());
    let rows: Vec<VersionRow> = database.read(&statement).await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct VersionRow {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct NowRow {
    #[diesel(sql_type = Timestamptz)]
    now: Timestamp,
}
