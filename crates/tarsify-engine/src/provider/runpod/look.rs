//! Looking at a job: what may be concluded from the reply. Whatever its shape, it is read field
//! by field, and what is not as it should be counts as absent.

use std::io;
use std::time::Duration;

use serde_json::{Map, Value};
use tarsify_domain::execution::Operation;

use super::judged::{Judge, Judged, outcome_of, said_by, said_of};
use super::line::{Answer, Body, Reply};
use super::message::Cleaner;
use crate::provider::gate::Outcome;
use crate::provider::{JobStatus, JobView, LookAnswer};

/// Bytes of the largest progress that is told on.
const LARGEST_PROGRESS: usize = 64 * 1024;
/// Values of the most intricate answer: in memory each takes many times what it takes in text.
const MOST_VALUES: usize = 500_000;
/// Most characters of a message for consumers.
const LONGEST_MESSAGE: usize = 500;

impl Judge for LookAnswer {
    const OPERATION: Operation = Operation::Status;
    const TRIES: u32 = 1;

    fn judge(reply: &Reply, cleaner: &Cleaner) -> Judged<Self> {
        match reply {
            Reply::Unsent(why) | Reply::Silence(why) => {
                Judged::nothing(Outcome::Failed, (*why).to_owned())
            }
            Reply::Answer(answer) if answer.status.is_success() => seen(answer, cleaner),
            Reply::Answer(answer) => {
                let said = said_by(answer, cleaner);
                match answer.status.as_u16() {
                    404 => Judged::is(Self::NotFound, Outcome::Answered, said),
                    _ => Judged::nothing(outcome_of(answer), said),
                }
            }
        }
    }

    fn nothing(retry_after: Option<Duration>) -> Self {
        Self::Unavailable { retry_after }
    }
}

fn seen(answer: &Answer, cleaner: &Cleaner) -> Judged<LookAnswer> {
    let is = |answer, said: &str| Judged::is(answer, Outcome::Answered, said.to_owned());
    let body = match &answer.body {
        Body::Whole(body) => body,
        Body::TooLarge => return is(LookAnswer::TooLarge, "the answer is too large"),
        // That says nothing about the job, only about the way to it.
        Body::Broken(why) => return Judged::nothing(Outcome::Failed, (*why).to_owned()),
    };
    if is_intricate(body) {
        return is(LookAnswer::TooLarge, "the answer holds too many values");
    }
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else {
        return is(LookAnswer::Unreadable, "the answer is no JSON object");
    };
    let Some(Value::String(word)) = fields.remove("status") else {
        return is(LookAnswer::Unreadable, "the answer holds no status");
    };
    let (view, said) = view(&word, fields, cleaner);
    Judged::is(LookAnswer::Seen(view), Outcome::Answered, said)
}

/// Whether there are too many values in a text that may be JSON.
pub(super) fn is_intricate(json: &[u8]) -> bool {
    values(json) > MOST_VALUES
}

/// At most how many values there are in a text that may be JSON.
fn values(json: &[u8]) -> usize {
    let (mut values, mut is_text, mut is_escaped) = (1_usize, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => values += 1,
            _ => {}
        }
    }
    values
}

fn view(word: &str, mut fields: Map<String, Value>, cleaner: &Cleaner) -> (JobView, String) {
    let queue_ms = milliseconds(fields.get("delayTime"));
    let run_ms = milliseconds(fields.get("executionTime"));
    let worker = fields.get("workerId").and_then(Value::as_str);
    let cleaner = cleaner.and_hiding(worker);
    let output = fields.remove("output").filter(|output| !output.is_null());
    let (status, error) = status(word, output, &fields);
    let said = said_of(word, error.as_ref(), &cleaner);
    let status = match status {
        JobStatus::Failed { .. } => {
            let message = error.and_then(|error| cleaner.message(&error, LONGEST_MESSAGE));
            JobStatus::Failed { message }
        }
        other => other,
    };
    let view = JobView {
        status,
        queue_ms,
        run_ms,
    };
    (view, said)
}

fn status(
    word: &str,
    output: Option<Value>,
    fields: &Map<String, Value>,
) -> (JobStatus, Option<Value>) {
    let failed = |error| (JobStatus::Failed { message: None }, error);
    let plain = |status| (status, None);
    match word {
        "IN_QUEUE" => plain(JobStatus::InQueue),
        "IN_PROGRESS" | "RUNNING" => plain(JobStatus::InProgress {
            progress: output.filter(|progress| fits(progress, LARGEST_PROGRESS)),
        }),
        "COMPLETED" => match error_of(fields).or_else(|| inner_error(output.as_ref())) {
            Some(error) => failed(Some(error.clone())),
            None => plain(JobStatus::Completed { output }),
        },
        "FAILED" => {
            let error = error_of(fields)
                .or_else(|| inner_error(output.as_ref()))
                .or_else(|| output.as_ref().filter(|output| output.is_string()));
            match error {
                Some(error) if says_timed_out(error) => (JobStatus::TimedOut, Some(error.clone())),
                error => failed(error.cloned()),
            }
        }
        "CANCELLED" => plain(JobStatus::Cancelled),
        "TIMED_OUT" => (JobStatus::TimedOut, error_of(fields).cloned()),
        _ => plain(JobStatus::Unknown),
    }
}

/// An error, where the field holds one: models that did well often say `"error": null`.
fn error_of(fields: &Map<String, Value>) -> Option<&Value> {
    fields.get("error").filter(|error| match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    })
}

fn inner_error(output: Option<&Value>) -> Option<&Value> {
    error_of(output?.as_object()?)
}

/// The platform has no word of its own for a job that it stopped because of its time.
fn says_timed_out(error: &Value) -> bool {
    let message = super::message::public_message(error).unwrap_or_default();
    message.to_lowercase().contains("timed out")
}

fn milliseconds(value: Option<&Value>) -> Option<i64> {
    value?.as_i64().filter(|time| *time >= 0)
}

fn fits(value: &Value, limit: usize) -> bool {
    /// Counts what is written, and refuses what is too much.
    struct Scale(usize);

    impl io::Write for Scale {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let left = self.0.checked_sub(bytes.len());
            self.0 = left.ok_or(io::ErrorKind::FileTooLarge)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    serde_json::to_writer(Scale(limit), value).is_ok()
}
