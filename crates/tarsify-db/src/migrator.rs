//! Brings a database to the schema this program was built for. Only one migrator works at a
//! time, whoever started the others; they wait and then find nothing left to do.

use std::error::Error as StdError;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tarsify_domain::health::SchemaState;

use crate::health::applied_versions;
use crate::pool::{Database, establish};
use crate::settings::{ConnectError, DatabaseSettings, Target, add_options, parse};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// "tarsify" in ASCII: what all migrators of one database meet at.
const LOCK: i64 = 0x0074_6172_7369_6679;

type Fault = Box<dyn StdError + Send + Sync>;
type Connection = AsyncConnectionWrapper<AsyncPgConnection>;
type Migrations = Vec<Box<dyn Migration<Pg>>>;

/// Migrates one database, over a connection of its own that has all the time it needs.
#[derive(Clone)]
pub struct Migrator {
    url: String,
    target: Target,
}

/// Why a database was not migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// There is no database to migrate.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The state of the schema could not be read.
    #[error("the migrations that have run could not be read from the database")]
    Unreadable(#[source] Fault),
    /// A migration failed, or the lock could not be had.
    #[error(
        "a migration failed and left no trace; those before it stay. If it timed out on a lock, something else holds the schema: end it or wait, and migrate again"
    )]
    Failed(#[source] Fault),
}

impl Migrator {
    /// A migrator of the database at `url`.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn new(url: &str) -> Result<Self, ConnectError> {
        let settings = DatabaseSettings::new(url);
        let mut target = parse(url)?;
        target
            .config
            .application_name("tarsify migrate")
            .connect_timeout(settings.connect_timeout);
        // Long enough to wait for another migrator.
        let bounds = "-c statement_timeout=0 -c lock_timeout=60000 \
            -c idle_in_transaction_session_timeout=0";
        add_options(&mut target.config, bounds);
        Ok(Self {
            url: settings.url,
            target,
        })
    }

    /// Runs what is missing and answers the names of what it ran, oldest first.
    ///
    /// # Errors
    /// When the database cannot be reached or a migration fails; each one is a transaction.
    pub async fn run(&self) -> Result<Vec<String>, MigrateError> {
        self.locked(|connection| {
            let pending = connection.pending_migrations(MIGRATIONS)?;
            run_all(pending, |migration| {
                connection.run_migration(migration).map(drop)
            })
        })
        .await
    }

    /// Undoes every migration, newest first: all data is lost. For tests.
    ///
    /// # Errors
    /// As [`Migrator::run`].
    pub async fn revert_all(&self) -> Result<Vec<String>, MigrateError> {
        self.locked(|connection| {
            let applied = connection.applied_migrations()?;
            let mut known: Migrations = known()?;
            known.retain(|migration| applied.contains(&migration.name().version()));
            known.reverse();
            run_all(known, |migration| {
                connection.revert_migration(migration).map(drop)
            })
        })
        .await
    }

    /// The versions of the migrations that have yet to run, oldest first.
    ///
    /// # Errors
    /// When the database cannot be reached or read.
    pub async fn pending(&self) -> Result<Vec<String>, MigrateError> {
        let applied = self.applied().await?;
        let known = known_versions().map_err(MigrateError::Unreadable)?;
        Ok(without(known, &applied))
    }

    /// Compares the schema with the one this program was built for, and changes nothing.
    ///
    /// # Errors
    /// When the database cannot be reached or read.
    pub async fn check(&self) -> Result<SchemaState, MigrateError> {
        let applied = self.applied().await?;
        compare(&applied).map_err(MigrateError::Unreadable)
    }

    async fn applied(&self) -> Result<Vec<String>, MigrateError> {
        let mut settings = DatabaseSettings::new(&self.url);
        settings.max_connections = 1;
        settings.small_pool_connections = 1;
        let database = Database::connect(&settings).await?;
        let applied = applied_versions(&database.apart()).await;
        applied.map_err(|failure| MigrateError::Unreadable(Box::new(failure.into_repo())))
    }

    async fn locked(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<Vec<String>, Fault> + Send + 'static,
    ) -> Result<Vec<String>, MigrateError> {
        let mut connection = Connection::from(establish(&self.target).await?);
        // Migrations speak the blocking dialect of the library. The lock ends with the
        // connection, however this ends.
        let done = tokio::task::spawn_blocking(move || {
            connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
            // A table that is in use is not waited for long: behind us, everybody waits.
            connection.batch_execute("SET lock_timeout = '10s'")?;
            work(&mut connection)
        });
        match done.await {
            Ok(result) => result.map_err(MigrateError::Failed),
            Err(error) => Err(MigrateError::Failed(error.into())),
        }
    }
}

/// Compares the versions that have run with those this program was built for.
pub(crate) fn compare(applied: &[String]) -> Result<SchemaState, Fault> {
    let known = known_versions()?;
    let unknown = without(applied.to_vec(), &known);
    let missing = without(known, applied);
    Ok(if !missing.is_empty() {
        SchemaState::Behind { missing }
    } else if !unknown.is_empty() {
        SchemaState::Ahead { unknown }
    } else {
        SchemaState::Current
    })
}

fn without(versions: Vec<String>, others: &[String]) -> Vec<String> {
    versions
        .into_iter()
        .filter(|version| !others.contains(version))
        .collect()
}

fn known() -> Result<Migrations, Fault> {
    let mut known: Migrations = MIGRATIONS.migrations()?;
    known.sort_by_key(|migration| migration.name().version().as_owned());
    Ok(known)
}

fn known_versions() -> Result<Vec<String>, Fault> {
    let versions = known()?.into_iter();
    Ok(versions
        .map(|migration| migration.name().version().to_string())
        .collect())
}

fn run_all(
    migrations: Migrations,
    mut run: impl FnMut(&dyn Migration<Pg>) -> Result<(), Fault>,
) -> Result<Vec<String>, Fault> {
    let mut names = Vec::with_capacity(migrations.len());
    for migration in migrations {
        run(&migration)?;
        names.push(migration.name().to_string());
    }
    Ok(names)
}
