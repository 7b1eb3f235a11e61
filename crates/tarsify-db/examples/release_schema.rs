//! Prints what the schema offers, for the file of a release; `scripts/release-schema` keeps it.

use std::error::Error;
use std::io::Write;

use tarsify_db::{MigrateError, Migrator};
use tarsify_testing::TestDatabase;
use tokio::task::JoinSet;
use tokio_postgres::{NoTls, SimpleQueryMessage};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(print())
}

async fn print() -> Result<(), Box<dyn Error>> {
    let migrate = async |url: String| Migrator::new(&url)?.run().await.map(drop);
    let database = TestDatabase::migrated::<MigrateError>(migrate).await;
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let offered = include_str!("../../../migrations/offered.sql");
    let mut out = std::io::stdout().lock();
    for message in client.simple_query(offered).await? {
        if let SimpleQueryMessage::Row(row) = message {
            writeln!(out, "{}", row.get(0).unwrap_or_default())?;
        }
    }
    Ok(())
}
