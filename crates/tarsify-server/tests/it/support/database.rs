//! A database for one test, looked at from outside through `psql`.

use std::process::Command;

use tarsify_db::{MigrateError, Migrator};
use tarsify_testing::TestDatabase;

use super::until;

/// A database that no other test uses.
pub(crate) struct Store {
    database: TestDatabase,
}

impl Store {
    /// With the whole schema and nothing in it.
    pub(crate) async fn migrated() -> Self {
        let migrate = async |url: String| Migrator::new(&url)?.run().await.map(drop);
        let database = TestDatabase::migrated::<MigrateError>(migrate).await;
        Self { database }
    }

    /// Without any schema.
    pub(crate) async fn empty() -> Self {
        let database = TestDatabase::empty().await;
        Self { database }
    }

    pub(crate) fn url(&self) -> &str {
        self.database.url()
    }

    /// Runs SQL and answers its rows.
    pub(crate) fn sql(&self, sql: &str) -> String {
        ask(self.url(), sql)
    }

    /// Runs SQL in another database of the same server, where this one can be handled.
    pub(crate) fn beside(&self, sql: &str) -> String {
        let (server, name) = self.url().rsplit_once('/').unwrap();
        ask(&format!("{server}/postgres"), &sql.replace("$NAME", name))
    }

    /// Ends every connection, as a restart of the server would.
    pub(crate) fn end_connections(&self) -> usize {
        let ended = self.beside(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '$NAME'",
        );
        ended.parse().unwrap()
    }

    /// Waits until the one server that uses it has heard of all changes so far.
    pub(crate) async fn changes_are_heard(&self) {
        // Who asks a second time has worked in what he heard the first time.
        for _ in 0..2 {
            let now = self.sql("SELECT clock_timestamp()");
            let asked_since = format!(
                "SELECT coalesce(max(query_start) > '{now}', false) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid() \
                 AND query LIKE 'SELECT version FROM catalog_version%'"
            );
            let asked = async || self.sql(&asked_since) == "t";
            until("somebody asks for changes", asked).await;
        }
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self) {
        self.beside("ALTER DATABASE $NAME ALLOW_CONNECTIONS false");
        self.end_connections();
    }

    /// Lets everybody in again.
    pub(crate) fn open(&self) {
        self.beside("ALTER DATABASE $NAME ALLOW_CONNECTIONS true");
    }
}

fn ask(url: &str, sql: &str) -> String {
    let said = Command::new("psql")
        .args([url, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{sql}: {error}");
    String::from_utf8_lossy(&said.stdout).trim().to_owned()
}
