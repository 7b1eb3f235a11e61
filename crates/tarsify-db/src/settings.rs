//! How the database is reached, and the bounds that every connection keeps. Refuses addresses
//! that ask for TLS, because a connection without it must never pass for one with it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

/// How the database is reached.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// The address: `postgresql://user:password@host:5432/database`, or
    /// `postgresql://user@%2Ffolder/database` for the Unix socket in a folder.
    pub url: String,
    /// What the server's own views call these connections.
    pub application_name: String,
    /// Connections that serve requests, at most.
    pub max_connections: usize,
    /// Connections kept apart for health checks and workers, at most.
    pub small_pool_connections: usize,
    /// How long an attempt to connect may take.
    pub connect_timeout: Duration,
    /// How long somebody waits for a free connection before he is refused.
    pub acquire_timeout: Duration,
    /// How long a statement may take.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// How long a transaction may stand open with nothing to do.
    pub idle_in_transaction_timeout: Duration,
}

impl DatabaseSettings {
    /// The usual bounds for the database at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            application_name: "tarsify".to_owned(),
            max_connections: 16,
            small_pool_connections: 4,
            connect_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(2),
            idle_in_transaction_timeout: Duration::from_secs(10),
        }
    }

    /// What a connection for the pools is opened with.
    pub(crate) fn connection(&self) -> Result<Config, ConnectError> {
        let mut config = parse(&self.url)?;
        config
            .application_name(&self.application_name)
            .connect_timeout(self.connect_timeout);
        let bounds = format!(
            "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={}",
            self.statement_timeout.as_millis(),
            self.lock_timeout.as_millis(),
            self.idle_in_transaction_timeout.as_millis(),
        );
        add_options(&mut config, &bounds);
        Ok(config)
    }
}

impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        formatter
            .debug_struct("DatabaseSettings")
            .field("url", &"***")
            .field("application_name", &self.application_name)
            .field("max_connections", &self.max_connections)
            .field("small_pool_connections", &self.small_pool_connections)
            .finish_non_exhaustive()
    }
}

/// Why there is no database to work with.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be read.
    #[error(
        "the database address cannot be read: write it as postgresql://user:password@host:5432/database, or as postgresql://user@%2Ffolder/database for a Unix socket, with special characters percent-encoded"
    )]
    Address(#[source] Box<dyn StdError + Send + Sync>),
    /// The address asks for TLS.
    #[error(
        "the database address asks for TLS (sslmode=require or stricter), which this build does not speak: reach the server over a Unix socket, a private network or a local TLS proxy, and leave sslmode out or set it to disable"
    )]
    Tls,
    /// Nobody answers there, or the server does not let us in.
    #[error(
        "the database cannot be reached: check that the server runs and that host, port, user, password and database of its address are right"
    )]
    Unreachable(#[source] Box<dyn StdError + Send + Sync>),
}

/// Reads an address in either form that PostgreSQL's own tools take.
pub(crate) fn parse(url: &str) -> Result<Config, ConnectError> {
    // The client knows only three of the server's modes and takes the stricter ones for typing
    // errors, which would hide what is wrong.
    let stricter = ["sslmode=verify-ca", "sslmode=verify-full"];
    if stricter.iter().any(|mode| url.contains(mode)) {
        return Err(ConnectError::Tls);
    }
    let mut config: Config = url
        .parse()
        .map_err(|error: tokio_postgres::Error| ConnectError::Address(error.into()))?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(ConnectError::Tls);
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(ConnectError::Address("it names no host".into()));
    }
    // A server that vanishes without a word is found out in half a minute instead of hours.
    config
        .keepalives_idle(Duration::from_secs(15))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_secs(30));
    Ok(config)
}

/// Adds to the options that the address may name itself; where both set one, ours holds.
pub(crate) fn add_options(config: &mut Config, options: &str) {
    let options = match config.get_options() {
        Some(own) => format!("{own} {options}"),
        None => options.to_owned(),
    };
    config.options(options);
}

#[cfg(test)]
mod tests;
