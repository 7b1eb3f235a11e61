//! The line to Stripe: sends one request, and reads no more of the answer than it may. It follows
//! no redirect, uses no proxy, and repeats nothing by itself.

use std::time::Duration;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{Client, Request, Response, StatusCode, Url, redirect, retry};
use tokio::time::{Instant, timeout_at};

use super::form::{Method, Question};
use super::settings::{StripeError, StripeSettings, address, authorization};

/// Shorter than servers keep a silent connection.
const IDLE_CONNECTION: Duration = Duration::from_secs(4);
/// Bytes of the largest answer that is read.
const LARGEST_ANSWER: usize = 1024 * 1024;
/// Answers come in the shape of this version, whatever the account's own is: all that is asked
/// and read here is in it.
const VERSION: HeaderValue = HeaderValue::from_static("2024-06-20");

const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("stripe-should-retry");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// What came of one request.
#[derive(Debug)]
pub(super) enum Reply {
    /// There was no answer; it may have arrived.
    Silence(&'static str),
    /// There was an answer.
    Answer(Answer),
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// What it says about asking again.
    pub(super) should_retry: Option<bool>,
    /// Whether it is the answer to an earlier question under the same key.
    pub(super) is_replayed: bool,
    /// What Stripe calls the request, for whoever asks there.
    pub(super) request_id: Option<String>,
    /// None when it was too long or broke off.
    pub(super) body: Option<Vec<u8>>,
}

/// The line to Stripe.
pub(super) struct Line {
    client: Client,
    base: Url,
    authorization: HeaderValue,
}

impl Line {
    pub(super) fn new(settings: &StripeSettings) -> Result<Self, StripeError> {
        let base = address(settings)?;
        let authorization = authorization(settings)?;
        let client = Client::builder()
            .connect_timeout(settings.connect_timeout)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .pool_idle_timeout(IDLE_CONNECTION)
            .user_agent(concat!("tarsify/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(StripeError::Client)?;
        Ok(Self {
            client,
            base,
            authorization,
        })
    }

    pub(super) const fn base(&self) -> &Url {
        &self.base
    }

    /// Asks, and reads the answer, until `deadline` at the latest.
    pub(super) async fn send(&self, question: &Question, deadline: Instant) -> Reply {
        let Some(request) = self.request(question) else {
            return Reply::Silence("the request cannot be written");
        };
        let response = match timeout_at(deadline, self.client.execute(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Reply::Silence(why(&error)),
            Err(_) => return Reply::Silence("no answer in time"),
        };
        let headers = response.headers();
        let mut answer = Answer {
            status: response.status(),
            retry_after: text(headers, &RETRY_AFTER)
                .and_then(|seconds| seconds.parse::<u32>().ok())
                .map(|seconds| Duration::from_secs(seconds.into())),
            should_retry: text(headers, &SHOULD_RETRY).and_then(|word| word.parse().ok()),
            is_replayed: text(headers, &IDEMPOTENT_REPLAYED) == Some("true"),
            request_id: text(headers, &REQUEST_ID).map(|id| id.chars().take(64).collect()),
            body: None,
        };
        if let Ok(body) = timeout_at(deadline, read(response)).await {
            answer.body = body;
        }
        Reply::Answer(answer)
    }

    fn request(&self, question: &Question) -> Option<Request> {
        let mut url = self.base.clone();
        let mut path = url.path_segments_mut().ok()?;
        path.pop_if_empty()
            .push("v1")
            .extend(question.path.split('/'));
        drop(path);
        let form = question.form.encoded();
        let mut request = match question.method {
            Method::Get => {
                url.set_query(Some(&form));
                Request::new(reqwest::Method::GET, url)
            }
            Method::Post => {
                let mut request = Request::new(reqwest::Method::POST, url);
                *request.body_mut() = Some(form.into());
                let written = HeaderValue::from_static("application/x-www-form-urlencoded");
                request.headers_mut().insert(CONTENT_TYPE, written);
                request
            }
        };
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(STRIPE_VERSION, VERSION);
        if let Some(key) = &question.key {
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_str(key).ok()?);
        }
        Some(request)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

fn why(error: &reqwest::Error) -> &'static str {
    if error.is_dns() {
        "its address could not be resolved"
    } else if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection could be made"
    } else {
        "the connection broke before an answer came"
    }
}

async fn read(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}
