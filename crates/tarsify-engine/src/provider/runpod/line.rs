//! The line to RunPod: sends one request, and reads no more of the answer than it may. It
//! follows no redirect, uses no proxy, and repeats nothing by itself.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, Request, Response, StatusCode, Url, redirect, retry};
use tarsify_domain::execution::{JobPlace, Operation, ProviderJobId};
use tokio::time::{Instant, timeout_at};

use super::retry_after::retry_after;
use super::settings::{RunPodError, RunPodSettings, address, authorization};

/// Shorter than servers keep a silent connection: one that its server is just about to close
/// would lose a submission.
const IDLE_CONNECTION: Duration = Duration::from_secs(4);
/// Bytes that are read of an answer that is an error.
const LARGEST_ERROR: usize = 64 * 1024;

/// What came of one request.
#[derive(Debug)]
pub(super) enum Reply {
    /// It surely did not leave.
    Unsent(&'static str),
    /// It may have arrived; there was no answer.
    Silence(&'static str),
    /// There was an answer.
    Answer(Answer),
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Body,
}

/// What could be read of an answer.
#[derive(Debug)]
pub(super) enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// It was longer than it may be.
    TooLarge,
    /// It broke off.
    Broken(&'static str),
}

impl Reply {
    pub(super) fn http_status(&self) -> Option<u16> {
        match self {
            Self::Answer(answer) => Some(answer.status.as_u16()),
            Self::Unsent(_) | Self::Silence(_) => None,
        }
    }
}

/// The line to RunPod.
pub(super) struct Line {
    client: Client,
    base: Url,
    authorization: Option<HeaderValue>,
    largest_answer: usize,
}

impl Line {
    pub(super) fn new(settings: &RunPodSettings) -> Result<Self, RunPodError> {
        let base = address(settings)?;
        let authorization = authorization(settings)?;
        let client = Client::builder()
            // Half the time at the most: what is still connecting when time is up would count
            // as sent.
            .connect_timeout(settings.connect_timeout.min(settings.request_timeout / 2))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .pool_idle_timeout(IDLE_CONNECTION)
            .user_agent(concat!("tarsify/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(RunPodError::Client)?;
        Ok(Self {
            client,
            base,
            authorization,
            largest_answer: settings.largest_answer,
        })
    }

    pub(super) const fn base(&self) -> &Url {
        &self.base
    }

    /// The request to an operation of an endpoint; none when there can be none.
    pub(super) fn request(
        &self,
        place: &JobPlace,
        operation: Operation,
        job: Option<&ProviderJobId>,
    ) -> Option<Request> {
        let mut url = self.base.clone();
        let mut path = url.path_segments_mut().ok()?;
        let endpoint = place.provider_endpoint_id.as_str();
        let (method, name) = match operation {
            Operation::Run => (Method::POST, "run"),
            Operation::Status => (Method::GET, "status"),
            Operation::Cancel => (Method::POST, "cancel"),
            Operation::Stream => (Method::GET, "stream"),
        };
        path.pop_if_empty().push(endpoint).push(name);
        if let Some(job) = job {
            path.push(job.as_str());
        }
        drop(path);
        let mut request = Request::new(method, url);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        Some(request)
    }

    /// Sends a request and reads the answer, until `deadline` at the latest.
    pub(super) async fn send(&self, request: Request, deadline: Instant) -> Reply {
        let response = match timeout_at(deadline, self.client.execute(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return failed(&error),
            Err(_) => return Reply::Silence("no answer in time"),
        };
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let limit = if status.is_success() {
            self.largest_answer
        } else {
            LARGEST_ERROR.min(self.largest_answer)
        };
        let body = match timeout_at(deadline, read(response, limit)).await {
            Ok(body) => body,
            Err(_) => Body::Broken("the answer did not end in time"),
        };
        Reply::Answer(Answer {
            status,
            retry_after,
            body,
        })
    }
}

/// Gives a request a body of JSON.
pub(super) fn with_json(mut request: Request, body: Vec<u8>) -> Request {
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(CONTENT_TYPE, json);
    *request.body_mut() = Some(body.into());
    request
}

/// Only what failed before the request left surely had no effect.
fn failed(error: &reqwest::Error) -> Reply {
    if error.is_builder() {
        Reply::Unsent("the request cannot be sent")
    } else if error.is_dns() {
        Reply::Unsent("the provider's address could not be resolved")
    } else if error.is_connect() && error.is_timeout() {
        Reply::Unsent("the connection took too long")
    } else if error.is_connect() {
        Reply::Unsent("no connection could be made")
    } else if error.is_timeout() {
        Reply::Silence("no answer in time")
    } else {
        Reply::Silence("the connection broke before an answer came")
    }
}

async fn read(mut response: Response, limit: usize) -> Body {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |announced| announced > limit) {
        return Body::TooLarge;
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Body::TooLarge,
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Body::Whole(body),
            Err(error) if error.is_timeout() => {
                return Body::Broken("the answer did not end in time");
            }
            Err(_) => return Body::Broken("the answer broke off"),
        }
    }
}
