//! Where the data is: the operator's database, or in local mode a private one that lives as
//! long as somebody uses it.

use std::time::Duration;

use anyhow::Context;
use tarsify_db::{Database, DatabaseSettings, Migrator};
use tarsify_local_postgres::{Durability, LocalPostgres, LocalPostgresSettings};

use crate::config::Config;

/// The name of the private database.
const PRIVATE: &str = "tarsify";

/// How long a question about everything may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Opens stores as the configuration says.
pub(crate) struct Stores {
    url: Option<String>,
    private: LocalPostgresSettings,
    settings: DatabaseSettings,
    worker_connections: usize,
}

/// An open store.
pub(crate) struct Store {
    pub(crate) url: String,
    private: Option<LocalPostgres>,
    settings: DatabaseSettings,
    worker_connections: usize,
}

/// The pools: whoever fills one keeps nobody from another.
#[derive(Clone)]
pub(crate) struct Databases {
    /// For requests; and `apart`, for health checks.
    pub(crate) requests: Database,
    /// For workers.
    pub(crate) work: Database,
    /// For questions about everything, which take their time.
    pub(crate) checks: Database,
}

impl Databases {
    /// Each pool with the name that it is measured under.
    pub(crate) fn pools(&self) -> Vec<(&'static str, Database)> {
        vec![
            ("requests", self.requests.clone()),
            ("small", self.requests.apart()),
            ("workers", self.work.clone()),
            ("checks", self.checks.clone()),
        ]
    }

    /// Closes every connection.
    pub(crate) fn close(&self) {
        self.requests.close();
        self.work.close();
        self.checks.close();
    }
}

impl Stores {
    pub(crate) fn new(config: &Config, search_path: Option<String>) -> Self {
        let configured = config.database.url.as_ref();
        let url = configured.map(|url| url.expose().clone());
        let url = url.filter(|_| !config.has_private_database());
        let mut settings = DatabaseSettings::new(url.clone().unwrap_or_default());
        settings.max_connections = usize::try_from(config.database.pool_size).unwrap_or(usize::MAX);
        settings.small_pool_connections =
            usize::try_from(config.database.small_pool_size).unwrap_or(usize::MAX);
        settings.connect_timeout = config.database.connect_timeout;
        settings.acquire_timeout = config.database.acquire_timeout;
        Self {
            url,
            private: LocalPostgresSettings {
                data_dir: config.local.data_dir.clone(),
                binaries: config.local.pg_bin.clone(),
                search_path: search_path.map(Into::into),
                durability: Durability::Durable,
            },
            settings,
            worker_connections: usize::try_from(config.database.worker_pool_size)
                .unwrap_or(usize::MAX),
        }
    }

    /// Opens the operator's database, or starts or joins the private one.
    pub(crate) async fn open(&self) -> anyhow::Result<Store> {
        let mut settings = self.settings.clone();
        let Some(url) = &self.url else {
            let server = LocalPostgres::start(self.private.clone())
                .await
                .context("there is no private database")?;
            server
                .create_database_if_absent(PRIVATE)
                .await
                .context("there is no private database")?;
            settings.url = server.url(PRIVATE);
            return Ok(Store {
                url: settings.url.clone(),
                private: Some(server),
                settings,
                worker_connections: self.worker_connections,
            });
        };
        settings.url.clone_from(url);
        Ok(Store {
            url: url.clone(),
            private: None,
            settings,
            worker_connections: self.worker_connections,
        })
    }
}

impl Store {
    /// Opens the pools.
    pub(crate) async fn connect(&self) -> anyhow::Result<Databases> {
        let mut for_work = self.settings.clone();
        for_work.application_name.push_str("-worker");
        for_work.max_connections = self.worker_connections;
        let mut for_checks = self.patient();
        for_checks.max_connections = 1;
        let (requests, work, checks) = tokio::try_join!(
            Database::connect(&self.settings),
            Database::connect(&for_work),
            Database::connect(&for_checks)
        )
        .context("the database cannot be used")?;
        Ok(Databases {
            requests,
            work,
            checks,
        })
    }

    /// Opens pools for questions that look at everything there is.
    pub(crate) async fn connect_patiently(&self) -> anyhow::Result<Database> {
        Database::connect(&self.patient())
            .await
            .context("the database cannot be used")
    }

    fn patient(&self) -> DatabaseSettings {
        let mut settings = self.settings.clone();
        settings.statement_timeout = PATIENCE;
        settings
    }

    /// What migrates it.
    pub(crate) fn migrator(&self) -> anyhow::Result<Migrator> {
        Migrator::new(&self.url).context("the database cannot be used")
    }

    /// Lets go of it; the private one stops when nobody else uses it.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        match self.private {
            Some(server) => server
                .stop()
                .await
                .context("the private database did not stop"),
            None => Ok(()),
        }
    }
}
