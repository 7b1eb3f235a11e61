//! The connections: one pool for requests, and a small one that requests cannot use up.

use std::error::Error as StdError;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{Object, Timeouts};
use diesel::pg::Pg;
use diesel::{ConnectionError, QueryableByName};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, PoolableConnection, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::FutureExt;
use tarsify_domain::trace::TRACES;
use tokio::runtime::Handle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Config, NoTls, Socket};
use tracing::{Instrument, Span};

use crate::error::Failure;
use crate::settings::{ConnectError, DatabaseSettings, Target};
use crate::statement::{Statement, module};
use crate::tls::{Encryption, failed, goes_without};

/// How much longer than a statement may take we wait for the server to say that it took too long.
const MARGIN: Duration = Duration::from_secs(1);

/// How the connections of a pool are used at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Open, and in use.
    pub busy: usize,
    /// Open, and in nobody's use.
    pub idle: usize,
    /// Those who wait for one, or to get in line for a statement of many.
    pub waiting: usize,
}

/// A pool, and how many wait elsewhere to do something through it.
#[derive(Clone)]
struct Shared {
    pool: Pool<AsyncPgConnection>,
    waiting: Arc<AtomicUsize>,
}

/// Somebody who waits, as long as this is there.
pub(crate) struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The database. Cloning it is cheap and shares the connections.
#[derive(Clone)]
pub struct Database {
    usual: Shared,
    small: Shared,
    /// The runtime that is there as long as the database is.
    home: Handle,
    /// How long it may take to get a connection.
    acquire_timeout: Duration,
    /// How long an answer may take; a little more than the server takes to give up by itself.
    patience: Duration,
}

impl Database {
    /// Opens the pools and one connection, so that a wrong address is found at the start.
    ///
    /// # Errors
    /// When the address cannot be read or leads nowhere, or the server does not do the TLS that
    /// it asks for.
    pub async fn connect(settings: &DatabaseSettings) -> Result<Self, ConnectError> {
        let target = Arc::new(settings.connection()?);
        // Not through a pool, which forgets what kind of error it was.
        drop(establish(&target).await?);
        Self::unopened(&target, settings)
    }

    /// The pools, without a connection.
    pub(crate) fn unopened(
        target: &Arc<Target>,
        settings: &DatabaseSettings,
    ) -> Result<Self, ConnectError> {
        Ok(Self {
            usual: open(target, settings, settings.max_connections)?,
            small: open(target, settings, settings.small_pool_connections)?,
            home: Handle::current(),
            acquire_timeout: settings.acquire_timeout,
            patience: settings.statement_timeout + MARGIN,
        })
    }

    /// The same database through the small pool, for health checks and workers: requests
    /// cannot keep them from it, nor they requests from theirs.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self {
            usual: self.small.clone(),
            small: self.small.clone(),
            home: self.home.clone(),
            acquire_timeout: self.acquire_timeout,
            patience: self.patience,
        }
    }

    /// Where its tasks run: the threads of a web server each have a runtime that ends with them.
    pub(crate) const fn home(&self) -> &Handle {
        &self.home
    }

    /// How long it may take to get a connection.
    pub(crate) const fn acquire_timeout(&self) -> Duration {
        self.acquire_timeout
    }

    /// Counts somebody among those who wait.
    pub(crate) fn waiting(&self) -> Waiting {
        let waiting = Arc::clone(&self.usual.waiting);
        waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(waiting)
    }

    /// How its connections are used right now.
    #[must_use]
    pub fn connections(&self) -> Connections {
        let Shared { pool, waiting } = &self.usual;
        let status = pool.status();
        Connections {
            busy: status.size.saturating_sub(status.available),
            idle: status.available.min(status.size),
            waiting: status.waiting + AtomicUsize::load(waiting, Ordering::Relaxed),
        }
    }

    /// Closes every connection that is not in use, and the others when they are given back.
    /// Whoever asks for one afterwards is refused.
    pub fn close(&self) {
        self.usual.pool.close();
        self.small.pool.close();
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

    /// The same for several at once, who are tried one by one when it fails, so it is not repeated.
    /// Each of them has a span of his own for it; what it waits for is told in the one around it.
    pub(crate) async fn write_together<R>(
        &self,
        statement: &Statement,
        many: usize,
    ) -> Result<Vec<R>, Failure>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        match self.send(statement).await {
            Err(Failure::Undone(error)) if many == 1 => {
                tracing::warn!(%error, "a statement is repeated");
                self.send(statement).await
            }
            other => other,
        }
    }

    async fn attempt<R>(&self, statement: &Statement) -> Result<Vec<R>, Failure>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        let span = query_span(statement.made_at());
        let answer = self.send(statement).instrument(span.clone()).await;
        told(&span, answer)
    }

    async fn send<R>(&self, statement: &Statement) -> Result<Vec<R>, Failure>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        let asked_at = Instant::now();
        let connection = self.usual.pool.get().await;
        let mut connection = connection.map_err(Failure::without_connection)?;
        Span::current().record("waited_us", whole_micros(asked_at.elapsed()));
        // A server that stands still cannot keep its own time.
        let answer = tokio::time::timeout(self.patience, statement.load(&mut *connection)).await;
        // All rows, never only the first: what fails at the commit is said after the last.
        let error = match answer {
            Ok(Ok(rows)) => return Ok(rows),
            Ok(Err(error)) => error,
            Err(silence) => {
                drop(Object::take(connection));
                return Err(Failure::Unavailable(silence.into()));
            }
        };
        let broken = connection.is_broken();
        let failure = Failure::of_statement(error, broken);
        if broken || matches!(failure, Failure::Undone(_) | Failure::Lost(_)) {
            drop(Object::take(connection));
        }
        Err(failure)
    }
}

/// The span of the statement that is made there: which one it is, and never what is in it.
pub(crate) fn query_span(made_at: &'static Location<'static>) -> Span {
    tracing::trace_span!(
        target: TRACES,
        "query",
        otel.kind = "client",
        otel.status_code = tracing::field::Empty,
        db.system.name = "postgresql",
        group = module(made_at),
        line = made_at.line(),
        in_line_us = tracing::field::Empty,
        together = tracing::field::Empty,
        waited_us = tracing::field::Empty,
    )
}

/// The answer, of which the span knows then whether it is a good one.
pub(crate) fn told<R>(span: &Span, answer: Result<R, Failure>) -> Result<R, Failure> {
    if answer.is_err() {
        span.record("otel.status_code", "ERROR");
    }
    answer
}

/// For spans.
pub(crate) fn whole_micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

fn open(
    target: &Arc<Target>,
    settings: &DatabaseSettings,
    connections: usize,
) -> Result<Shared, ConnectError> {
    let target = Arc::clone(target);
    // A connection is driven by a task of the runtime that opened it. The threads of a web server
    // each have a runtime, which ends with them; this one is there as long as the database is.
    let home = Handle::current();
    let mut manager = ManagerConfig::default();
    // Whether a connection is closed is known without asking the server.
    manager.recycling_method = RecyclingMethod::Fast;
    manager.custom_setup = Box::new(move |_url| {
        let target = Arc::clone(&target);
        let opening = home.spawn(async move { establish(&target).await });
        async move {
            let refused = match opening.await {
                Ok(Ok(opened)) => return Ok(opened),
                Ok(Err(error)) => causes(&error),
                Err(ended) => ended.to_string(),
            };
            Err(ConnectionError::BadConnection(refused))
        }
        .boxed()
    });
    let timeouts = Timeouts {
        wait: Some(settings.acquire_timeout),
        create: Some(settings.connect_timeout),
        recycle: Some(settings.acquire_timeout),
    };
    let pool = Pool::builder(AsyncDieselConnectionManager::new_with_config("", manager))
        .max_size(connections.max(1))
        .timeouts(timeouts)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| ConnectError::Unreachable(error.into()))?;
    Ok(Shared {
        pool,
        waiting: Arc::default(),
    })
}

/// Opens a connection with everything that its target says set from its first moment.
pub(crate) async fn establish(target: &Target) -> Result<AsyncPgConnection, ConnectError> {
    let opening = protected(target);
    // The client's own bound ends when the server has picked up.
    let Some(bound) = target.config.get_connect_timeout() else {
        return opening.await;
    };
    match tokio::time::timeout(*bound, opening).await {
        Ok(opened) => opened,
        Err(late) => Err(ConnectError::Unreachable(late.into())),
    }
}

async fn protected(target: &Target) -> Result<AsyncPgConnection, ConnectError> {
    let Target { config, encryption } = target;
    match encryption {
        Encryption::Off => connect(config, NoTls).await,
        Encryption::Demanded(tls) => connect(config, tls.clone()).await,
        Encryption::Preferred(tls) => match connect(config, tls.clone()).await {
            Err(error) if goes_without(&error) => {
                let cause = causes(&error);
                tracing::warn!(cause, "no TLS to the database, connecting without");
                connect(config, NoTls).await
            }
            other => other,
        },
    }
}

async fn connect<T>(config: &Config, tls: T) -> Result<AsyncPgConnection, ConnectError>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await.map_err(failed)?;
    AsyncPgConnection::try_from_client_and_connection(client, connection)
        .await
        .map_err(|error| ConnectError::Unreachable(error.into()))
}

/// What happened, without the advice: an error's own words are only its kind.
fn causes(error: &ConnectError) -> String {
    let mut said = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        said.push(error.to_string());
        cause = error.source();
    }
    said.join(": ")
}
