//! One request for a key set over HTTP. It follows no redirect, waits no longer than it was told
//! to, and reads no more than 256 kB.

use std::net::IpAddr;
use std::time::Duration as Span;

use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap, HeaderName};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use time::Duration;

use crate::keys::{KeySet, KeySetError};

/// Bytes of the longest key set that is read.
const MAX_BODY: usize = 256 * 1_024;
/// How long keys are fresh when their server does not say.
const DEFAULT_LIFETIME: Duration = Duration::hours(1);
/// The shortest time keys are fresh, whatever their server says.
const MIN_LIFETIME: Duration = Duration::seconds(60);
/// The longest.
const MAX_LIFETIME: Duration = Duration::hours(24);

/// Where the keys are and how long to wait for them.
#[derive(Debug, Clone)]
pub struct JwksSettings {
    /// The address of a JWK set: https, or http on this machine.
    pub url: String,
    /// How long a connection may take.
    pub connect_timeout: Span,
    /// How long the whole request may take.
    pub timeout: Span,
}

impl JwksSettings {
    /// The settings for an address: 3 seconds for the connection, 5 for the whole.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connect_timeout: Span::from_secs(3),
            timeout: Span::from_secs(5),
        }
    }
}

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyFetchError {
    /// The address is none that keys may come from.
    #[error("the address of the keys must be an https address, or an http address on this machine")]
    Address,
    /// The HTTP client could not be built.
    #[error("the HTTP client for the keys could not be built")]
    Client(#[source] reqwest::Error),
    /// The request failed.
    #[error("the server of the keys could not be reached, or did not answer in time")]
    Request(#[source] reqwest::Error),
    /// The answer was no success.
    #[error("the server of the keys answered {0} instead of 200 OK")]
    Status(StatusCode),
    /// The answer was too long.
    #[error("the server of the keys sent more than 262144 bytes")]
    TooLong,
    /// The answer was no key set.
    #[error("the server of the keys did not send keys")]
    Keys(#[source] KeySetError),
}

/// Keys that were fetched.
pub(super) struct Download {
    pub(super) keys: KeySet,
    pub(super) lifetime: Duration,
}

/// A server that publishes keys.
pub(super) struct KeyServer {
    http: Client,
    url: Url,
}

impl KeyServer {
    pub(super) fn new(settings: JwksSettings) -> Result<Self, KeyFetchError> {
        let url = Url::parse(&settings.url).ok();
        let url = url.ok_or(KeyFetchError::Address)?;
        let is_here = is_on_this_machine(&url);
        if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
            return Err(KeyFetchError::Address);
        }
        let mut client = Client::builder()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .redirect(redirect::Policy::none())
            // A request an hour: a connection kept for the next would be dead by then.
            .pool_max_idle_per_host(0);
        if is_here {
            client = client.no_proxy();
        }
        let http = client.build().map_err(KeyFetchError::Client)?;
        Ok(Self { http, url })
    }

    pub(super) async fn download(&self) -> Result<Download, KeyFetchError> {
        let request = self.http.get(self.url.clone()).send().await;
        let response = request.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(KeyFetchError::Status(response.status()));
        }
        let lifetime = lifetime(response.headers());
        let body = body(response).await?;
        let keys = KeySet::parse(&body).map_err(KeyFetchError::Keys)?;
        Ok(Download { keys, lifetime })
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, KeyFetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(KeyFetchError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The address may hold a secret, and says nothing that the configuration does not.
fn failed(error: reqwest::Error) -> KeyFetchError {
    KeyFetchError::Request(error.without_url())
}

fn is_on_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// How long the answer is fresh, within bounds: `max-age` less the age it has already.
fn lifetime(headers: &HeaderMap) -> Duration {
    let lifetime = texts(headers, CACHE_CONTROL).find_map(|directives| {
        directives.split(',').find_map(|directive| {
            let (name, value) = directive.split_once('=')?;
            let is_max_age = name.trim().eq_ignore_ascii_case("max-age");
            is_max_age.then(|| seconds(value.trim().trim_matches('"')))?
        })
    });
    let forbids = texts(headers, CACHE_CONTROL).any(|directives| {
        directives.split(',').map(str::trim).any(|directive| {
            directive.eq_ignore_ascii_case("no-store") || directive.eq_ignore_ascii_case("no-cache")
        })
    });
    let age = texts(headers, AGE).find_map(|age| seconds(age.trim()));
    let lifetime = match lifetime {
        _ if forbids => Duration::ZERO,
        Some(lifetime) => lifetime.saturating_sub(age.unwrap_or_default()),
        None => DEFAULT_LIFETIME,
    };
    lifetime.clamp(MIN_LIFETIME, MAX_LIFETIME)
}

fn texts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    values.filter_map(|value| value.to_str().ok())
}

fn seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too great to be read is as good as a very great one.
    is_number.then(|| Duration::seconds(text.parse().unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests;
