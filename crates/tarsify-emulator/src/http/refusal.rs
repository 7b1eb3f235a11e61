//! Every way in which a call is refused, as `{"error": "…"}`, and every way a fault has it go wrong.

use std::error::Error as _;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use thiserror::Error;

use super::answer::severed;
use crate::behaviour::BehaviourError;
use crate::endpoint::StoreFull;
use crate::faults::{Fault, FaultError, FaultKind};

/// Why a call is refused.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    #[error(
        "the key is missing or wrong: send `Authorization: Bearer <key>` with the key the emulator was started with"
    )]
    Unauthorized,
    #[error("there is no {0} {1} here: see the documentation of the emulator for what there is")]
    NoRoute(String, String),
    #[error("there is no job `{0}` here: it never was, or its time is over")]
    NoJob(String),
    #[error("too many requests: try again in {} s", whole_seconds(*.0))]
    TooMany(Duration),
    #[error(
        "the endpoint holds as many unfinished jobs as it may: wait for some to end, or purge the queue"
    )]
    Full(#[source] StoreFull),
    #[error("the body is larger than {} MB: send large files by their address", .0 / (1024 * 1024))]
    TooLarge(usize),
    #[error("the body cannot be read: {0}")]
    Unreadable(String),
    #[error("{0}")]
    Bad(String),
    #[error("`{header}` cannot be followed: {source}")]
    FaultHeader {
        header: &'static str,
        #[source]
        source: FaultError,
    },
    #[error("{}", with_cause(.0))]
    Behaviour(#[source] BehaviourError),
    #[error("a fault was asked for")]
    Injected(Box<Fault>),
}

/// A fault's reason is what mends the request, so it is told with it.
fn with_cause(error: &BehaviourError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[derive(Serialize)]
struct ErrorBody {
    error: String,
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NoRoute(..) | Self::NoJob(_) => StatusCode::NOT_FOUND,
            Self::TooMany(_) | Self::Full(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable(_) | Self::Bad(_) | Self::FaultHeader { .. } | Self::Behaviour(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Injected(fault) => injected_status(fault),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        match self {
            Self::TooMany(wait) => {
                answer.insert_header((RETRY_AFTER, whole_seconds(*wait)));
            }
            Self::Injected(fault) => return injected(fault),
            _ => {}
        }
        answer.json(ErrorBody {
            error: self.to_string(),
        })
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(1)
}

fn injected_status(fault: &Fault) -> StatusCode {
    let asked = fault
        .status
        .and_then(|status| StatusCode::from_u16(status).ok());
    match fault.kind {
        FaultKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        FaultKind::BadGateway | FaultKind::AcceptThenBadGateway => StatusCode::BAD_GATEWAY,
        FaultKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        FaultKind::Malformed => StatusCode::OK,
        FaultKind::HttpStatus => asked.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn injected(fault: &Fault) -> HttpResponse {
    let mut answer = HttpResponse::build(injected_status(fault));
    let error = match fault.kind {
        FaultKind::RateLimited => {
            answer.insert_header((RETRY_AFTER, fault.retry_after_seconds.unwrap_or(1)));
            "too many requests"
        }
        FaultKind::BadGateway | FaultKind::AcceptThenBadGateway => {
            let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n";
            return answer.insert_header(ContentType::html()).body(page);
        }
        FaultKind::Malformed => {
            return answer
                .insert_header(ContentType::json())
                .body("{\"id\": \"6f");
        }
        FaultKind::Unavailable => "no workers are available",
        FaultKind::InternalError => "internal server error",
        FaultKind::HttpStatus => "the emulator was asked to refuse this",
        _ => return severed(),
    };
    answer.json(ErrorBody {
        error: error.to_owned(),
    })
}
