//! Where Redis is, read from a URL. Refuses what would be silently left out: clusters, sentinels,
//! sockets and queries.

use std::fmt::{self, Debug, Formatter};

use fred::types::RespVersion;
use fred::types::config::{Config, ServerConfig};
use url::{Host, Url};

/// Where Redis usually listens.
const PORT: u16 = 6379;

/// A server, and how to be let in. `Debug` shows neither.
#[derive(Clone)]
pub struct RedisAddress {
    pub(crate) config: Config,
}

/// Why a text is no address of a Redis server. It never repeats the text, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum RedisAddressError {
    /// It does not begin as it has to.
    #[error("is neither redis:// nor rediss:// (with TLS), for a single server")]
    Scheme,
    /// It cannot be taken apart.
    #[error("is not a URL")]
    NotAUrl(#[source] url::ParseError),
    /// It names no server.
    #[error("names no server")]
    NoHost,
    /// It says more than is understood.
    #[error("has a query or a fragment")]
    Query,
    /// The path, the user or the password is not as it should be, or TLS is not to be had.
    #[error(
        "cannot be used: what follows the server is a number from 0 to 255 or nothing, and user and password are percent-encoded"
    )]
    Rest,
    /// No certificate can be checked.
    #[error("asks for TLS, but this machine's certificate authorities cannot be read")]
    Authorities(#[source] fred::error::Error),
}

impl RedisAddress {
    /// Reads `redis://user:password@host:port/database`, of which only the host is needed; `rediss`
    /// for TLS, with the certificate authorities of this machine.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(text: &str) -> Result<Self, RedisAddressError> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        let with_tls = match scheme {
            Some("redis") => false,
            Some("rediss") => true,
            _ => return Err(RedisAddressError::Scheme),
        };
        let url = Url::parse(text).map_err(RedisAddressError::NotAUrl)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(RedisAddressError::Query);
        }
        let host = match url.host() {
            // Without the brackets of the URL.
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(RedisAddressError::NoHost),
        };
        if host.is_empty() {
            return Err(RedisAddressError::NoHost);
        }
        let config = Config::from_url_centralized(text).map_err(|error| {
            // The other faults of its reading have a text of their own, which could repeat the address.
            if with_tls && is_of_tls(&error) {
                RedisAddressError::Authorities(error)
            } else {
                RedisAddressError::Rest
            }
        })?;
        Ok(Self {
            config: Config {
                // A server that is down is no reason not to start.
                fail_fast: false,
                server: ServerConfig::new_centralized(host, url.port().unwrap_or(PORT)),
                // Messages and answers on one connection.
                version: RespVersion::RESP3,
                ..config
            },
        })
    }
}

fn is_of_tls(error: &fred::error::Error) -> bool {
    matches!(error.kind(), fred::error::ErrorKind::Tls)
}

impl Debug for RedisAddress {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("RedisAddress(***)")
    }
}

#[cfg(test)]
mod tests;
