//! What a Stripe client is made with. A key is never sent in the clear over a network that is not
//! ours, and no money is taken without a secret by which we would learn of it.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::HeaderValue;
use url::{Host, Url};

/// What a [`Stripe`](super::Stripe) is made with.
#[derive(Clone)]
pub struct StripeSettings {
    /// The secret or restricted key of the account.
    pub secret_key: String,
    /// The secrets of the webhook endpoints, whole: that of the platform, that of connected
    /// accounts, and while one is replaced the one before.
    pub webhook_secrets: Vec<String>,
    /// Where the API is, up to and without `/v1`.
    pub base_url: String,
    /// Where whoever has paid is led; `{CHECKOUT_SESSION_ID}` in it is filled in by Stripe.
    pub success_url: String,
    /// Where whoever does not want to pay is led.
    pub cancel_url: String,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long one try may take, the answer included.
    pub request_timeout: Duration,
}

impl Default for StripeSettings {
    fn default() -> Self {
        Self {
            secret_key: String::new(),
            webhook_secrets: Vec::new(),
            base_url: "https://api.stripe.com".to_owned(),
            success_url: String::new(),
            cancel_url: String::new(),
            connect_timeout: Duration::from_secs(3),
            request_timeout: Duration::from_secs(12),
        }
    }
}

impl fmt::Debug for StripeSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            secret_key: _,
            webhook_secrets,
            base_url: _,
            success_url,
            cancel_url,
            connect_timeout,
            request_timeout,
        } = self;
        // The address may hold a password before anybody has refused it for that.
        formatter
            .debug_struct("StripeSettings")
            .field("webhook_secrets", &webhook_secrets.len())
            .field("success_url", success_url)
            .field("cancel_url", cancel_url)
            .field("connect_timeout", connect_timeout)
            .field("request_timeout", request_timeout)
            .finish_non_exhaustive()
    }
}

/// Why there is no Stripe client.
#[derive(Debug, thiserror::Error)]
pub enum StripeError {
    /// The address is none.
    #[error(
        "the address of Stripe is none: give something like https://api.stripe.com, without user name, query and fragment"
    )]
    Address,
    /// The key would be sent where others can read it.
    #[error(
        "Stripe's key would be sent unencrypted over the network: use an https address, or one on this machine or in a private network"
    )]
    Unencrypted,
    /// The key is none.
    #[error(
        "Stripe's key is empty, or no secret key: copy one that begins with sk_ or rk_ from the dashboard, under Developers, API keys"
    )]
    Key,
    /// There is no secret for messages, or one that is none.
    #[error(
        "the signing secret of Stripe's webhook is missing or none: without it nobody would get what he paid for; copy it from the dashboard, where it begins with whsec_"
    )]
    WebhookSecret,
    /// Nobody can be led there.
    #[error(
        "`{0}` is no address to come back to after paying: give an absolute http or https address"
    )]
    Page(String),
    /// The HTTP client could not be built.
    #[error("the HTTP client for Stripe could not be built")]
    Client(#[source] reqwest::Error),
}

pub(super) fn address(settings: &StripeSettings) -> Result<Url, StripeError> {
    let url = Url::parse(settings.base_url.trim()).ok();
    let url = url.ok_or(StripeError::Address)?;
    let is_plain = matches!(url.scheme(), "https" | "http")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !is_plain {
        return Err(StripeError::Address);
    }
    if url.scheme() == "http" && !is_near(&url) {
        return Err(StripeError::Unencrypted);
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
pub(super) fn authorization(settings: &StripeSettings) -> Result<HeaderValue, StripeError> {
    let key = &settings.secret_key;
    // The key for browsers is easily taken for the other one.
    let is_key = is_word(key) && !key.starts_with("pk_");
    let header = is_key.then(|| HeaderValue::from_str(&format!("Bearer {key}")));
    let Some(Ok(mut header)) = header else {
        return Err(StripeError::Key);
    };
    header.set_sensitive(true);
    Ok(header)
}

pub(super) fn check_secrets(secrets: &[String]) -> Result<(), StripeError> {
    let are_good = !secrets.is_empty() && secrets.iter().all(|secret| is_word(secret));
    are_good.then_some(()).ok_or(StripeError::WebhookSecret)
}

pub(super) fn check_page(page: &str) -> Result<(), StripeError> {
    let url = Url::parse(page).ok();
    let is_page = url.is_some_and(|url| matches!(url.scheme(), "http" | "https"));
    is_page
        .then_some(())
        .ok_or_else(|| StripeError::Page(page.to_owned()))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
