//! How the database is reached, and the bounds that every connection keeps. Refuses addresses
//! whose wishes for TLS it cannot keep, so that a weaker connection never passes for a stronger.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, SslNegotiation};

use crate::tls::{Encryption, split};

/// How the database is reached.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// The address: `postgresql://user:password@host:5432/database`, or
    /// `postgresql://user@%2Ffolder/database` for the Unix socket in a folder.
    ///
    /// `sslmode` says what PostgreSQL's own tools mean by it, and is `prefer` when it is absent:
    ///
    /// | `sslmode` | TLS | The server's certificate |
    /// |---|---|---|
    /// | `disable` | never | |
    /// | `prefer` | where the server does it, else without | as `require`, but a wrong one only means no TLS |
    /// | `require` | always | not looked at, unless `sslrootcert` names a file: then as `verify-ca` |
    /// | `verify-ca` | always | has to come from a root in `sslrootcert`, or else of the system |
    /// | `verify-full` | always | has to name the host as well, as an alternative name |
    ///
    /// `sslrootcert` is a file in PEM form, or `system`, which makes `verify-full` of an absent
    /// `sslmode`; it is read once. A Unix socket never has TLS. Client certificates and lists of
    /// revoked ones are refused.
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
    pub(crate) fn connection(&self) -> Result<Target, ConnectError> {
        let mut target = parse(&self.url)?;
        target
            .config
            .application_name(&self.application_name)
            .connect_timeout(self.connect_timeout);
        // Compiling a statement takes longer than any of ours that serves a request. What waits for
        // a lock has to see what was committed meanwhile, whatever the server's own default is.
        let bounds = format!(
            "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={} \
             -c default_transaction_isolation=read\\ committed -c jit=off",
            self.statement_timeout.as_millis(),
            self.lock_timeout.as_millis(),
            self.idle_in_transaction_timeout.as_millis(),
        );
        add_options(&mut target.config, &bounds);
        Ok(target)
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
    /// The address names a mode of TLS that does not exist.
    #[error(
        "the database address asks for an unknown sslmode: write disable, prefer, require, verify-ca or verify-full"
    )]
    TlsMode,
    /// The address sets something about TLS that is not supported.
    #[error(
        "the database address sets {option}, which is not supported: client certificates, lists of revoked certificates and fine adjustments of TLS are not. Leave it out, and log in with a password; the server's certificate is checked with sslmode=verify-full and sslrootcert"
    )]
    TlsOption {
        /// Its name in the address.
        option: &'static str,
    },
    /// What the address says about TLS does not go together.
    #[error("the database address contradicts itself: {0}")]
    TlsContradiction(&'static str),
    /// The file with the roots cannot be used.
    #[error(
        "the file {} that sslrootcert names in the database address cannot be used: it has to be readable and hold at least one root certificate in PEM form", path.display()
    )]
    RootCertificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The system knows no roots.
    #[error(
        "the database's certificate cannot be checked, because this system has no root certificates: install them (the package is mostly called ca-certificates), or name a file with sslrootcert in the database address"
    )]
    SystemRoots(#[source] Box<dyn StdError + Send + Sync>),
    /// The server does no TLS, or not as the address demands it.
    #[error(
        "the TLS connection to the database failed: the server must have ssl = on; with verify-ca and verify-full its certificate must be signed by a root in sslrootcert (without it, by one of the system's), and with verify-full name the address's host as an alternative name"
    )]
    Tls(#[source] Box<dyn StdError + Send + Sync>),
    /// Nobody answers there, or the server does not let us in.
    #[error(
        "the database cannot be reached: check that the server runs and that host, port, user, password and database of its address are right"
    )]
    Unreachable(#[source] Box<dyn StdError + Send + Sync>),
}

/// Where a connection goes, and how it is protected on the way.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) config: Config,
    pub(crate) encryption: Encryption,
}

/// Reads an address in either form that PostgreSQL's own tools take.
pub(crate) fn parse(url: &str) -> Result<Target, ConnectError> {
    // The client knows only some of the modes, and no root certificates.
    let (plain, wishes) = split(url)?;
    let mut config: Config = plain
        .parse()
        .map_err(|error: tokio_postgres::Error| ConnectError::Address(error.into()))?;
    if config.get_ssl_mode() != SslMode::Prefer {
        return Err(ConnectError::Address("it hides its sslmode".into()));
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(ConnectError::Address("it names no host".into()));
    }
    if config.get_hosts().is_empty() {
        // TLS is spoken with a name: that of a bare address is the address.
        for address in config.get_hostaddrs().to_vec() {
            config.host(address.to_string());
        }
    }
    // A server that vanishes without a word is found out in half a minute instead of hours.
    config
        .keepalives_idle(Duration::from_secs(15))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_secs(30));
    let sockets = sockets(&config);
    let negotiation = config.get_ssl_negotiation();
    let encryption = match sockets {
        Sockets::All => Encryption::Off,
        Sockets::Some | Sockets::None => wishes.encryption(negotiation)?,
    };
    match (&encryption, sockets, negotiation) {
        (Encryption::Demanded(_), Sockets::Some, _) => {
            return Err(ConnectError::TlsContradiction(
                "it demands TLS and names a Unix socket beside other hosts, which never has it. Leave the socket out, or use sslmode=prefer",
            ));
        }
        (Encryption::Preferred(_), _, SslNegotiation::Direct) => {
            return Err(ConnectError::TlsContradiction(
                "sslnegotiation=direct leaves no way back from TLS. Write sslmode=require or a stricter one, or leave sslnegotiation out",
            ));
        }
        _ => {}
    }
    config.ssl_mode(encryption.mode());
    Ok(Target { config, encryption })
}

/// How many of the hosts are Unix sockets.
#[derive(Clone, Copy)]
enum Sockets {
    All,
    Some,
    None,
}

fn sockets(config: &Config) -> Sockets {
    let is_socket = |host: &Host| matches!(host, Host::Unix(_));
    let hosts = config.get_hosts();
    if !config.get_hostaddrs().is_empty() || !hosts.iter().any(is_socket) {
        Sockets::None
    } else if hosts.iter().all(is_socket) {
        Sockets::All
    } else {
        Sockets::Some
    }
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
