//! Replies of every kind for the judges, and what no reply may bring about.

mod judges;
mod leaks;
mod streams;

use reqwest::StatusCode;
use serde_json::Value;

use super::line::{Answer, Body, Reply};

pub(super) fn answer(status: u16, body: &[u8]) -> Reply {
    Reply::Answer(Answer {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: None,
        body: Body::Whole(body.to_vec()),
    })
}

pub(super) fn json(status: u16, body: &Value) -> Reply {
    answer(status, body.to_string().as_bytes())
}

pub(super) fn cut(status: u16, body: Body) -> Reply {
    Reply::Answer(Answer {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: None,
        body,
    })
}
