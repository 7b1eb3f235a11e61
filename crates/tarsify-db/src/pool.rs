//! The connections: one pool for requests, and a small one that requests cannot use up.

use std::sync::Arc;

use deadpool::Runtime;
use deadpool::managed::{Object, Timeouts};
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::FutureExt;
use tokio_postgres::{Config, NoTls};

use crate::error::Failure;
use crate::settings::{ConnectError, DatabaseSettings};
use crate::statement::Statement;

/// The database. Cloning it is cheap and shares the connections.
#[derive(Clone)]
pub struct Database {
    pool: Pool<AsyncPgConnection>,
    small: Pool<AsyncPgConnection>,
}

impl Database {
    /// Opens the pools and one connection, so that a wrong address is found at the start.
    ///
    /// # Errors
    /// When the address cannot be read, asks for TLS, or leads nowhere.
    pub async fn connect(settings: &DatabaseSettings) -> Result<Self, ConnectError> {
        let config = Arc::new(settings.connection()?);
        let database = Self {
            pool: open(&config, settings, settings.max_connections)?,
            small: open(&config, settings, settings.small_pool_connections)?,
        };
        match database.small.get().await {
            Ok(_given_back) => Ok(database),
            Err(error) => Err(ConnectError::Unreachable(error.into())),
        }
    }

    /// The same database through the small pool, for health checks and workers: requests
    /// cannot keep them from it, nor they requests from theirs.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self {
            pool: self.small.clone(),
            small: self.small.clone(),
        }
    }

    /// Closes every connection that is not in use, and the others when they are given back.
    /// Whoever asks for one afterwards is refused.
    pub fn close(&self) {
        self.pool.close();
        self.small.close();
    }

    /// Runs a statement that changes nothing. It is repeated once where that may help, also
    /// when the connection broke.
    pub(crate) async fn read<R>(&self, statement: &Statement) -> Result<Vec<R>, Failure>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        match self.attempt(statement).await {
            Err(Failure::Undone(error) | Failure::Lost(error)) => {
                tracing::warn!(%error, "a statement is repeated");
                self.attempt(statement).await
            }
            other => other,
        }
    }

    /// Runs a statement that changes something. It is repeated once where the first try
    /// surely had no effect.
    pub(crate) async fn write<R>(&self, statement: &Statement) -> Result<Vec<R>, Failure>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        match self.attempt(statement).await {
            Err(Failure::Undone(error)) => {
                tracing::warn!(%error, "a statement is repeated");
                self.attempt(statement).await
            }
            other => other,
        }
    }

    async fn attempt<R>(&self, statement: &Statement) -> Result<Vec<R>, Failure>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        let mut connection = self.pool.get().await.map_err(Failure::without_connection)?;
        // All rows, never only the first: what fails at the commit is said after the last.
        let error = match statement.load(&mut *connection).await {
            Ok(rows) => return Ok(rows),
            Err(error) => error,
        };
        let broken = connection.is_broken();
        let failure = Failure::of_statement(error, broken);
        if broken || matches!(failure, Failure::Undone(_) | Failure::Lost(_)) {
            drop(Object::take(connection));
        }
        Err(failure)
    }
}

fn open(
    config: &Arc<Config>,
    settings: &DatabaseSettings,
    connections: usize,
) -> Result<Pool<AsyncPgConnection>, ConnectError> {
    let config = Arc::clone(config);
    let mut manager = ManagerConfig::default();
    // Whether a connection is closed is known without asking the server.
    manager.recycling_method = RecyclingMethod::Fast;
    manager.custom_setup = Box::new(move |_url| {
        let config = Arc::clone(&config);
        async move { establish(&config).await }.boxed()
    });
    let timeouts = Timeouts {
        wait: Some(settings.acquire_timeout),
        create: Some(settings.connect_timeout),
        recycle: Some(settings.acquire_timeout),
    };
    Pool::builder(AsyncDieselConnectionManager::new_with_config("", manager))
        .max_size(connections.max(1))
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| ConnectError::Unreachable(error.into()))
}

/// Opens a connection with everything that `config` says set from its first moment.
pub(crate) async fn establish(config: &Config) -> diesel::ConnectionResult<AsyncPgConnection> {
    let (client, connection) = config
        .connect(NoTls)
        .await
        .map_err(|error| diesel::ConnectionError::BadConnection(with_cause(&error)))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// A connection error's own words are only its kind; what happened is in its source.
fn with_cause(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
