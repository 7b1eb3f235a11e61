//! Submitting: what is sent, and what may be concluded from the reply. Only what surely had no
//! effect is ever called undone.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use tarsify_domain::execution::{Operation, ProviderJobId};

use super::judged::{Judge, Judged, outcome_of, said_by};
use super::line::{Answer, Body, Reply};
use super::message::Cleaner;
use crate::provider::gate::Outcome;
use crate::provider::{Submission, SubmitAnswer};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const SHORTEST_RUN: Duration = Duration::from_secs(5);
const SHORTEST_LIFE: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct RunBody<'a> {
    input: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<&'a str>,
    policy: Policy,
}

/// In milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    execution_timeout: u64,
    ttl: u64,
}

/// What is sent.
pub(super) fn body(submission: &Submission<'_>) -> Option<Vec<u8>> {
    let body = RunBody {
        input: submission.payload,
        webhook: submission.callback,
        policy: Policy {
            execution_timeout: milliseconds(submission.place.timeout.clamp(SHORTEST_RUN, WEEK)),
            ttl: milliseconds(submission.time_to_live.clamp(SHORTEST_LIFE, WEEK)),
        },
    };
    serde_json::to_vec(&body).ok()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Judge for SubmitAnswer {
    const OPERATION: Operation = Operation::Run;
    const TRIES: u32 = 3;

    fn judge(reply: &Reply, cleaner: &Cleaner) -> Judged<Self> {
        match reply {
            Reply::Unsent(why) => Judged::nothing_yet(Outcome::Failed, (*why).to_owned()),
            Reply::Silence(why) => Judged::is(Self::Lost, Outcome::Failed, (*why).to_owned()),
            Reply::Answer(answer) if answer.status.is_success() => accepted(answer),
            Reply::Answer(answer) => refused(answer, said_by(answer, cleaner)),
        }
    }

    fn nothing(retry_after: Option<Duration>) -> Self {
        Self::Undone { retry_after }
    }
}

fn accepted(answer: &Answer) -> Judged<SubmitAnswer> {
    let lost = |why: &str| Judged::is(SubmitAnswer::Lost, Outcome::Failed, why.to_owned());
    let body = match &answer.body {
        Body::Whole(body) => body,
        Body::TooLarge => return lost("accepted, but the answer is too large"),
        Body::Broken(why) => return lost(why),
    };
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return lost("accepted, but the answer is not JSON");
    };
    let id = body.get("id").and_then(Value::as_str);
    match id.map(ProviderJobId::parse) {
        Some(Ok(job)) => {
            let said = format!("accepted as {}", job.as_str());
            Judged::is(SubmitAnswer::Accepted(job), Outcome::Answered, said)
        }
        Some(Err(_)) => lost("accepted, but the job's id is none"),
        None => lost("accepted, but the answer holds no job id"),
    }
}

fn refused(answer: &Answer, said: String) -> Judged<SubmitAnswer> {
    match answer.status.as_u16() {
        400 | 413 | 422 => Judged::is(SubmitAnswer::Refused, Outcome::Answered, said),
        404 => Judged::nothing(Outcome::Forbidden, said),
        429 | 503 => Judged::nothing_yet(outcome_of(answer), said),
        // A gateway's error hides what happened behind it.
        500.. => Judged::is(SubmitAnswer::Lost, Outcome::Failed, said),
        _ => Judged::nothing(outcome_of(answer), said),
    }
}
