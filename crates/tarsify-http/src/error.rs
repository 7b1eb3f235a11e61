//! The error of every handler. What it becomes on the wire is decided in two places only:
//! the table (which code, which status) and the rendering (envelope or problem document).

mod money;
mod render;
mod table;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};
use tarsify_domain::{ErrorCode, Issue};

pub(crate) use render::{ErrorEnvelope, render, wants_problem};
pub use table::status_of;
pub(crate) use table::{profile_error, retry_error, run_error};

/// What a failed request answers.
#[derive(Debug)]
pub struct ApiError {
    code: ErrorCode,
    class: &'static str,
    message: Cow<'static, str>,
    details: Option<Box<Value>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The part of an error that an answer carries until it is rendered.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: ErrorCode,
    /// The class in words: the code's own, or a narrower one.
    pub(crate) class: &'static str,
    pub(crate) message: Cow<'static, str>,
    pub(crate) details: Option<Box<Value>>,
    /// The chain of causes, for the log of the request.
    pub(crate) causes: Option<String>,
}

#[derive(Serialize)]
struct IssueOut<'a> {
    path: &'a str,
    code: &'a str,
    message: &'a str,
}

impl ApiError {
    /// The failure that `code` stands for, in the registry's words.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            class: code.class(),
            message: Cow::Borrowed(code.meaning()),
            details: None,
            headers: Vec::new(),
            source: None,
        }
    }

    /// The same failure in words that fit the case better.
    #[must_use]
    pub fn saying(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// The same failure with more about it.
    pub(crate) fn detailed(mut self, details: &impl Serialize) -> Self {
        self.details = serde_json::to_value(details).ok().map(Box::new);
        self
    }

    /// The same failure under a narrower class than its code has.
    pub(crate) const fn classed(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    /// Faults of the input, each with its place. The request is refused with `code`.
    #[must_use]
    pub fn faults(code: ErrorCode, mut issues: Vec<Issue>) -> Self {
        issues.sort();
        let mut errors = Map::new();
        for issue in &issues {
            let field = issue.path.trim_start_matches('/').replace('/', ".");
            let messages = errors
                .entry(field)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(messages) = messages {
                messages.push(Value::String(issue.message.clone()));
            }
        }
        let listed: Vec<_> = issues
            .iter()
            .map(|issue| IssueOut {
                path: &issue.path,
                code: &issue.code,
                message: &issue.message,
            })
            .collect();
        let mut details = Map::new();
        details.insert("errors".to_owned(), Value::Object(errors));
        details.insert(
            "issues".to_owned(),
            serde_json::to_value(listed).unwrap_or_default(),
        );
        let mut error = Self::new(code);
        error.details = Some(Box::new(Value::Object(details)));
        error
    }

    /// One fault of the input.
    #[must_use]
    pub fn fault(issue: Issue) -> Self {
        Self::faults(ErrorCode::Validation, vec![issue])
    }

    /// A failure of ours. The cause goes to the log and never to the caller.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorCode::Internal).caused_by(source)
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The registered code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The answer, still without a body: [`render`] writes it when the request is known.
    pub(crate) fn into_response(self) -> HttpResponse {
        self.error_response()
    }

    fn causes(&self) -> Option<String> {
        let mut text = String::new();
        let mut next: Option<&(dyn StdError + 'static)> = match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        };
        while let Some(error) = next {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&error.to_string());
            next = error.source();
        }
        (!text.is_empty()).then_some(text)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code.as_str(), self.message)
    }
}

impl StdError for ApiError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        status_of(self.code)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        let mut response = response.finish();
        response.extensions_mut().insert(Failure {
            code: self.code,
            class: self.class,
            message: self.message.clone(),
            details: self.details.clone(),
            causes: self.causes(),
        });
        response
    }
}
