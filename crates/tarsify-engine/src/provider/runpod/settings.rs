//! What a RunPod client is made with. A key is never sent in the clear over a network that is
//! not ours.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use url::{Host, Url};

use crate::observer::Observer;
use crate::provider::budget::Budgets;

/// What a [`RunPod`](super::RunPod) is made with.
#[derive(Clone)]
pub struct RunPodSettings {
    /// Where the endpoints are, up to and without their ids.
    pub base_url: String,
    /// The key of the account; an emulator may do without.
    pub api_key: Option<String>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long one try may take, the answer included.
    pub request_timeout: Duration,
    /// Bytes of the largest answer that is read.
    pub largest_answer: usize,
    /// How often an endpoint may be asked.
    pub budgets: Budgets,
    /// Who is told of each request.
    pub observer: Arc<dyn Observer>,
}

impl Default for RunPodSettings {
    fn default() -> Self {
        Self {
            base_url: "https://api.runpod.ai/v2".to_owned(),
            api_key: None,
            connect_timeout: Duration::from_secs(3),
            request_timeout: Duration::from_secs(12),
            largest_answer: 20 * 1024 * 1024,
            budgets: Budgets::default(),
            observer: Arc::new(()),
        }
    }
}

impl fmt::Debug for RunPodSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            base_url: _,
            api_key,
            connect_timeout,
            request_timeout,
            largest_answer,
            budgets,
            observer: _,
        } = self;
        // The address may hold a password before anybody has refused it for that.
        formatter
            .debug_struct("RunPodSettings")
            .field("has_api_key", &api_key.is_some())
            .field("connect_timeout", connect_timeout)
            .field("request_timeout", request_timeout)
            .field("largest_answer", largest_answer)
            .field("budgets", budgets)
            .finish_non_exhaustive()
    }
}

/// Why there is no RunPod client.
#[derive(Debug, thiserror::Error)]
pub enum RunPodError {
    /// The address is none.
    #[error(
        "the address of the provider is none: give something like https://api.runpod.ai/v2, without user name, query and fragment"
    )]
    Address,
    /// The key would be sent where others can read it.
    #[error(
        "the provider's key would be sent unencrypted over the network: use an https address, or one on this machine or in a private network"
    )]
    Unencrypted,
    /// The key is none.
    #[error(
        "the provider's key is empty, or holds what no key holds: copy it from the provider's console"
    )]
    Key,
    /// The HTTP client could not be built.
    #[error("the HTTP client for the provider could not be built")]
    Client(#[source] reqwest::Error),
}

pub(super) fn address(settings: &RunPodSettings) -> Result<Url, RunPodError> {
    let url = Url::parse(settings.base_url.trim()).ok();
    let url = url.ok_or(RunPodError::Address)?;
    let is_plain = matches!(url.scheme(), "https" | "http")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !is_plain {
        return Err(RunPodError::Address);
    }
    if url.scheme() == "http" && settings.api_key.is_some() && !is_near(&url) {
        return Err(RunPodError::Unencrypted);
    }
    Ok(url)
}

/// Whether the host is on this machine or in a private network, as a name without dots is.
fn is_near(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            !name.contains('.') || name.ends_with(".internal") || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => is_private(address.into()),
        Some(Host::Ipv6(address)) => is_private(address.into()),
        None => false,
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.is_loopback() || four.is_private() || four.is_link_local(),
        IpAddr::V6(six) => six.is_loopback() || six.is_unique_local(),
    }
}

/// The header that carries the key, and is shown nowhere.
pub(super) fn authorization(settings: &RunPodSettings) -> Result<Option<HeaderValue>, RunPodError> {
    let Some(key) = &settings.api_key else {
        return Ok(None);
    };
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    let header = is_key.then(|| HeaderValue::from_str(&format!("Bearer {key}")));
    let Some(Ok(mut header)) = header else {
        return Err(RunPodError::Key);
    };
    header.set_sensitive(true);
    Ok(Some(header))
}

#[cfg(test)]
mod tests;
