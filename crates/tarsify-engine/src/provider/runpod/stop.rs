//! Stopping a job: what may be concluded from the reply.

use std::time::Duration;

use serde_json::Value;
use tarsify_domain::execution::Operation;

use super::judged::{Judge, Judged, outcome_of, said_by, said_of};
use super::line::{Answer, Body, Reply};
use super::message::Cleaner;
use crate::provider::StopAnswer;
use crate::provider::gate::Outcome;

impl Judge for StopAnswer {
    const OPERATION: Operation = Operation::Cancel;
    const TRIES: u32 = 1;

    fn judge(reply: &Reply, cleaner: &Cleaner) -> Judged<Self> {
        match reply {
            Reply::Unsent(why) | Reply::Silence(why) => {
                Judged::nothing(Outcome::Failed, (*why).to_owned())
            }
            Reply::Answer(answer) if answer.status.is_success() => asked(answer, cleaner),
            Reply::Answer(answer) => {
                let said = said_by(answer, cleaner);
                match answer.status.as_u16() {
                    404 => Judged::is(Self::NotFound, Outcome::Answered, said),
                    _ => Judged::nothing(outcome_of(answer), said),
                }
            }
        }
    }

    fn nothing(_: Option<Duration>) -> Self {
        Self::Unavailable
    }
}

/// A status that we do not know says that the job is there, and no more.
fn asked(answer: &Answer, cleaner: &Cleaner) -> Judged<StopAnswer> {
    let unclear = |why: &str| Judged::nothing(Outcome::Answered, why.to_owned());
    let body = match &answer.body {
        Body::Whole(body) => body,
        Body::TooLarge => return unclear("the answer is too large"),
        Body::Broken(why) => return Judged::nothing(Outcome::Failed, (*why).to_owned()),
    };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(word) = body.get("status").and_then(Value::as_str) else {
        return unclear("the answer holds no status");
    };
    let said = said_of(word, None, cleaner);
    let answer = match word {
        "CANCELLED" => StopAnswer::Cancelled,
        "IN_QUEUE" | "IN_PROGRESS" | "RUNNING" | "COMPLETED" | "FAILED" | "TIMED_OUT" => {
            StopAnswer::Ended
        }
        _ => return Judged::nothing(Outcome::Answered, said),
    };
    Judged::is(answer, Outcome::Answered, said)
}
