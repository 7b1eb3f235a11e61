//! Reading what a job says while it works. Each part is handed out once: after an answer that cannot
//! be read nobody knows whether something is missing.

use std::time::Duration;

use serde_json::Value;
use tarsify_domain::execution::Operation;

use super::judged::{Judge, Judged, outcome_of, said_by};
use super::line::{Answer, Body, Reply};
use super::look::is_intricate;
use super::message::Cleaner;
use crate::provider::StreamAnswer;
use crate::provider::gate::Outcome;

impl Judge for StreamAnswer {
    const OPERATION: Operation = Operation::Stream;
    const TRIES: u32 = 1;
    // Somebody waits for what was seen of the job itself.
    const LONGEST_TRY: Duration = Duration::from_secs(2);

    fn judge(reply: &Reply, cleaner: &Cleaner) -> Judged<Self> {
        match reply {
            Reply::Unsent(why) => Judged::nothing(Outcome::Failed, (*why).to_owned()),
            Reply::Silence(why) => Judged::is(Self::Lost, Outcome::Failed, (*why).to_owned()),
            Reply::Answer(answer) if answer.status.is_success() => heard(answer),
            Reply::Answer(answer) => {
                let (outcome, said) = (outcome_of(answer), said_by(answer, cleaner));
                if answer.status.is_client_error() {
                    Judged::nothing(outcome, said)
                } else {
                    Judged::is(Self::Lost, outcome, said)
                }
            }
        }
    }

    fn nothing(_retry_after: Option<Duration>) -> Self {
        Self::Unread
    }
}

fn heard(answer: &Answer) -> Judged<StreamAnswer> {
    let lost = |outcome, said: &str| Judged::is(StreamAnswer::Lost, outcome, said.to_owned());
    let body = match &answer.body {
        Body::Whole(body) => body,
        Body::TooLarge => return lost(Outcome::Answered, "the answer is too large"),
        Body::Broken(why) => return lost(Outcome::Failed, why),
    };
    if is_intricate(body) {
        return lost(Outcome::Answered, "the answer holds too many values");
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else {
        return lost(Outcome::Answered, "the answer is no JSON object");
    };
    let Some(Value::Array(parts)) = fields.remove("stream") else {
        return lost(Outcome::Answered, "the answer holds no stream");
    };
    let parts: Vec<Value> = parts.into_iter().map(output).collect();
    let said = format!("{} parts", parts.len());
    Judged::is(StreamAnswer::Said(parts), Outcome::Answered, said)
}

fn output(part: Value) -> Value {
    match part {
        Value::Object(mut fields) if fields.contains_key("output") => {
            fields.remove("output").unwrap_or_default()
        }
        other => other,
    }
}
