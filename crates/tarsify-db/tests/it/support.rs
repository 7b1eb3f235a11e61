//! A database of its own for every test, and a plain client that looks at it from outside.

use std::sync::Arc;
use std::time::Duration;

use tarsify_db::{
    Database, DatabaseSettings, MigrateError, Migrator, PgBaseModelRepository,
    PgConsumerRepository, PgDeveloperRepository, PgEndpointRepository, PgMarketRepository,
    PgTarsModelRepository,
};
use tarsify_testing::contract::World;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A database that no other test uses.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    pub(crate) database: Database,
    _clone: tarsify_testing::TestDatabase,
}

/// A database with the whole schema and nothing in it.
pub(crate) async fn database() -> TestDatabase {
    let clone = migrated().await;
    let url = clone.url().to_owned();
    let database = Database::connect(&DatabaseSettings::new(&url)).await;
    TestDatabase {
        url,
        database: database.unwrap(),
        _clone: clone,
    }
}

async fn migrated() -> tarsify_testing::TestDatabase {
    let migrate = async |url: String| Migrator::new(&url)?.run().await.map(drop);
    tarsify_testing::TestDatabase::migrated::<MigrateError>(migrate).await
}

/// The ports over a store of their own, for the suite that the fakes pass as well.
pub(crate) async fn world() -> World {
    let kept = database().await;
    let database = kept.database.clone();
    World {
        consumers: Arc::new(PgConsumerRepository::new(database.clone())),
        developers: Arc::new(PgDeveloperRepository::new(database.clone())),
        endpoints: Arc::new(PgEndpointRepository::new(database.clone())),
        base_models: Arc::new(PgBaseModelRepository::new(database.clone())),
        tars_models: Arc::new(PgTarsModelRepository::new(database.clone())),
        market: Arc::new(PgMarketRepository::new(database)),
        keep: Box::new(kept),
    }
}

impl TestDatabase {
    /// Runs SQL from outside and answers the first column of every row.
    pub(crate) async fn sql(&self, sql: &str) -> Vec<String> {
        Outside::connect(&self.url).await.sql(sql).await
    }

    /// Runs SQL that must be refused and answers the name of the constraint that refused it.
    pub(crate) async fn refusal(&self, sql: &str) -> Option<String> {
        let outside = Outside::connect(&self.url).await;
        let error = outside.client.simple_query(sql).await.unwrap_err();
        error.as_db_error().unwrap().constraint().map(str::to_owned)
    }
}

/// A connection that is not one of the pools'.
pub(crate) struct Outside {
    client: Client,
    _driver: JoinSet<()>,
}

impl Outside {
    pub(crate) async fn connect(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            let _ended = connection.await;
        });
        Self {
            client,
            _driver: driver,
        }
    }

    /// Asks until this is the answer.
    pub(crate) async fn until(&self, sql: &str, answer: &str) {
        while self.sql(sql).await != [answer] {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) async fn sql(&self, sql: &str) -> Vec<String> {
        let messages = self.client.simple_query(sql).await.unwrap();
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
            _ => None,
        });
        rows.collect()
    }
}
