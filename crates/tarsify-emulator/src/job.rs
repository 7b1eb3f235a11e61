//! One job from its submission to its end. Whoever ends it first, ends it: what comes later changes nothing.

mod wire;

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::faults::{Fired, JobPlan};
use crate::policy::Policy;

pub(crate) use wire::{JobBody, StreamBody, StreamChunk};

/// What clients see of where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum JobStatus {
    InQueue,
    InProgress,
    Completed,
    Failed,
    Cancelled,
    TimedOut,
}

impl JobStatus {
    /// What it is called on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InQueue => "IN_QUEUE",
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    pub(crate) fn is_final(self) -> bool {
        !matches!(self, Self::InQueue | Self::InProgress)
    }
}

/// How a job was submitted; it decides how large its result may be and how long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    Run,
    Runsync,
}

impl Entrance {
    /// The largest request and the largest result.
    pub(crate) fn largest_body(self) -> usize {
        match self {
            Self::Run => 10 * 1024 * 1024,
            Self::Runsync => 20 * 1024 * 1024,
        }
    }
}

/// How a job ends.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Completed(Option<Value>),
    Failed(Value),
    TimedOut(String),
    Cancelled,
}

/// How what is sent about a job is spoiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoiling {
    Nothing,
    CutOff,
    WrongTypes,
}

/// What a job is made of.
#[derive(Debug)]
pub(crate) struct NewJob {
    pub(crate) id: String,
    pub(crate) entrance: Entrance,
    pub(crate) input: Value,
    pub(crate) webhook: Option<String>,
    pub(crate) policy: Policy,
    /// How large its request was.
    pub(crate) bytes: usize,
    /// The faults that its header asked for and that strike later.
    pub(crate) plan: JobPlan,
    pub(crate) webhook_faults: Fired,
    pub(crate) output_faults: Fired,
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) made_of: NewJob,
    pub(crate) status: JobStatus,
    /// Rises whenever the job starts anew, so that who works on an earlier attempt can tell.
    pub(crate) attempt: u32,
    pub(crate) retries: u32,
    pub(crate) worker: Option<String>,
    pub(crate) submitted_at: Instant,
    pub(crate) started_at: Option<Instant>,
    pub(crate) ended_at: Option<Instant>,
    /// When its worker was last heard of.
    pub(crate) heard_at: Instant,
    pub(crate) expires_at: Option<Instant>,
    pub(crate) stored_bytes: usize,
    pub(crate) webhook_settled: bool,
    pub(crate) spoiling: Spoiling,
    output: Option<Value>,
    error: Option<Value>,
    progress: Option<Value>,
    stream: VecDeque<Value>,
}

impl Job {
    pub(crate) fn new(made_of: NewJob, now: Instant) -> Self {
        let expires_at = now.checked_add(made_of.policy.ttl);
        Self {
            stored_bytes: made_of.bytes,
            made_of,
            status: JobStatus::InQueue,
            attempt: 0,
            retries: 0,
            worker: None,
            submitted_at: now,
            started_at: None,
            ended_at: None,
            heard_at: now,
            expires_at,
            webhook_settled: false,
            spoiling: Spoiling::Nothing,
            output: None,
            error: None,
            progress: None,
            stream: VecDeque::new(),
        }
    }

    /// A worker takes it; false when it is not waiting.
    pub(crate) fn begin(&mut self, worker: &str, now: Instant) -> bool {
        if self.status != JobStatus::InQueue {
            return false;
        }
        self.status = JobStatus::InProgress;
        self.worker = Some(worker.to_owned());
        self.started_at = Some(now);
        self.heard_at = now;
        true
    }

    /// Its worker tells how far it is; false once it has ended.
    pub(crate) fn progress(&mut self, value: Value, now: Instant) -> bool {
        if self.status != JobStatus::InProgress {
            return false;
        }
        self.heard_at = now;
        self.progress = Some(value);
        true
    }

    /// Its worker yields a part; false once it has ended.
    pub(crate) fn yield_chunk(&mut self, chunk: Value, now: Instant) -> bool {
        if self.status != JobStatus::InProgress {
            return false;
        }
        self.heard_at = now;
        self.stored_bytes = self.stored_bytes.saturating_add(size_of(&chunk));
        self.stream.push_back(chunk);
        true
    }

    /// The parts that nobody has read yet.
    pub(crate) fn drain_stream(&mut self) -> Vec<Value> {
        self.stream.drain(..).collect()
    }

    /// It ends and is kept so long; false when it had ended before.
    pub(crate) fn end(&mut self, ending: Ending, kept: Duration, now: Instant) -> bool {
        if self.status.is_final() {
            return false;
        }
        match ending {
            Ending::Completed(output) => {
                self.status = JobStatus::Completed;
                self.output = output;
            }
            Ending::Failed(error) => {
                self.status = JobStatus::Failed;
                self.error = Some(error);
            }
            Ending::TimedOut(why) => {
                self.status = JobStatus::TimedOut;
                self.error = Some(Value::String(why));
            }
            Ending::Cancelled => self.status = JobStatus::Cancelled,
        }
        self.progress = None;
        self.ended_at = Some(now);
        let forgotten = now.checked_add(kept);
        self.expires_at = match (self.expires_at, forgotten) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.stored_bytes = self
            .stored_bytes
            .saturating_add(self.output.as_ref().map_or(0, size_of));
        true
    }

    /// It goes back to the queue because its worker was lost.
    pub(crate) fn requeue(&mut self, now: Instant) {
        self.retries = self.retries.saturating_add(1);
        self.wait_again(now);
    }

    /// A client tries it again; false unless it failed or took too long.
    pub(crate) fn retry(&mut self, output_faults: Fired, now: Instant) -> bool {
        if !matches!(self.status, JobStatus::Failed | JobStatus::TimedOut) {
            return false;
        }
        self.made_of.output_faults = output_faults;
        self.submitted_at = now;
        self.expires_at = now.checked_add(self.made_of.policy.ttl);
        self.retries = self.retries.saturating_add(1);
        self.wait_again(now);
        true
    }

    fn wait_again(&mut self, now: Instant) {
        self.status = JobStatus::InQueue;
        self.attempt = self.attempt.saturating_add(1);
        self.stored_bytes = self.made_of.bytes;
        self.heard_at = now;
        self.worker = None;
        self.started_at = None;
        self.ended_at = None;
        self.webhook_settled = false;
        self.spoiling = Spoiling::Nothing;
        self.output = None;
        self.error = None;
        self.progress = None;
        self.stream.clear();
    }

    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|moment| now >= moment)
    }

    /// Whether it has been worked on for longer than it may.
    pub(crate) fn is_overdue(&self, now: Instant) -> bool {
        let worked =
            |start| now.saturating_duration_since(start) >= self.made_of.policy.execution_timeout;
        self.status == JobStatus::InProgress && self.started_at.is_some_and(worked)
    }
}

/// How large a value is as JSON.
pub(crate) fn size_of(value: &Value) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.saturating_add(bytes.len());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}

#[cfg(test)]
mod tests;
