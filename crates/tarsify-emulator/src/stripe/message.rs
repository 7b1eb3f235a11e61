//! Messages: what they say, how they are signed, and who brings them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign as tag};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, redirect};
use serde_json::{Value, json};

use super::StripeSettings;

const TRIES: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(20);

/// A message about something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct StripeMessage {
    /// What it says.
    pub event: Value,
    /// The same as it is sent.
    pub body: Vec<u8>,
}

impl StripeMessage {
    /// A message with this id, of this type, about this object.
    #[must_use]
    pub fn about(id: &str, kind: &str, object: &Value) -> Self {
        let event = json!({
            "id": id,
            "object": "event",
            "api_version": "2024-06-20",
            "created": unix_now(),
            "type": kind,
            "data": { "object": object },
            "livemode": false,
            "pending_webhooks": 1,
        });
        let body = event.to_string().into_bytes();
        Self { event, body }
    }

    /// The message's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.event
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// The header for a body that leaves at this second, signed with the whole secret.
#[must_use]
pub fn sign(secret: &str, body: &[u8], at: i64) -> String {
    let key = Key::new(HMAC_SHA256, secret.as_bytes());
    let signed = [at.to_string().as_bytes(), b".", body].concat();
    format!("t={at},v1={}", hex::encode(tag(&key, &signed)))
}

/// Signs and brings messages.
pub(super) struct Post {
    client: Client,
    secret: String,
    url: Mutex<Option<String>>,
    pause: Duration,
}

impl Post {
    pub(super) fn new(settings: &StripeSettings) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            // It is used from more than one run time, and a connection belongs to one.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self {
            client,
            secret: settings.webhook_secret.clone(),
            url: Mutex::new(settings.webhook_url.clone()),
            pause: settings.webhook_retry_pause,
        })
    }

    pub(super) fn set_url(&self, url: &str) {
        *self.url.lock().unwrap_or_else(PoisonError::into_inner) = Some(url.to_owned());
    }

    pub(super) fn signature(&self, message: &StripeMessage) -> String {
        sign(&self.secret, &message.body, unix_now())
    }

    /// The last status that it was answered with.
    pub(super) async fn bring(&self, message: &StripeMessage) -> Option<u16> {
        let url = self
            .url
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()?;
        let mut status = None;
        for nth in 1..=TRIES {
            let request = self
                .client
                .post(&url)
                .header(CONTENT_TYPE, "application/json; charset=utf-8")
                .header("Stripe-Signature", self.signature(message))
                .body(message.body.clone());
            let answer = request.send().await.ok();
            status = answer.map(|answer| answer.status().as_u16());
            if matches!(status, Some(200..300)) {
                break;
            }
            if nth < TRIES {
                tokio::time::sleep(self.pause).await;
            }
        }
        status
    }
}

/// The emulator is a server of its own, with a clock of its own.
#[expect(
    clippy::disallowed_methods,
    reason = "another server's clock: signatures carry the real time, whatever a test sets ours to"
)]
pub(super) fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
