//! A provider that does what a test says, and remembers what it was asked.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tarsify_domain::catalog::Provider;
use tarsify_domain::execution::{JobPlace, Operation, ProviderJobId};
use tarsify_domain::id::EndpointId;
use tarsify_engine::provider::{
    GpuProvider, JobStatus, JobView, LookAnswer, StopAnswer, Submission, SubmitAnswer, Told,
};

/// What becomes of jobs.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// They wait.
    Wait,
    /// They are worked on and never end.
    Stall,
    /// They end with this result.
    Complete(Value),
    /// They end with everything that they were given.
    Echo,
    /// They end with this complaint.
    Fail(String),
}

/// What was asked for once.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) payload: Map<String, Value>,
    pub(crate) callback: Option<String>,
}

struct Script {
    fate: Fate,
    answer: Option<SubmitAnswer>,
    asked: Vec<Asked>,
    looks: usize,
    stops: usize,
    has_ended: bool,
}

/// The provider; clones are the same one.
#[derive(Clone)]
pub(crate) struct Gpu(Arc<Mutex<Script>>);

impl Gpu {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Script {
            fate: Fate::Complete(json!({ "images": ["https://example.com/1.png"] })),
            answer: None,
            asked: Vec::new(),
            looks: 0,
            stops: 0,
            has_ended: false,
        })))
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap()
    }

    /// What becomes of jobs from now on.
    pub(crate) fn will(&self, fate: Fate) {
        self.script().fate = fate;
    }

    /// Answers every submission so from now on, instead of accepting it.
    pub(crate) fn answers(&self, answer: SubmitAnswer) {
        self.script().answer = Some(answer);
    }

    /// Answers every wish to stop a job with: it has ended.
    pub(crate) fn has_ended(&self) {
        self.script().has_ended = true;
    }

    /// What it was asked for, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script().asked.clone()
    }

    pub(crate) fn looks(&self) -> usize {
        self.script().looks
    }

    pub(crate) fn stops(&self) -> usize {
        self.script().stops
    }
}

fn told<A>(answer: A, said: &str) -> Told<A> {
    Told {
        answer,
        http_status: Some(200),
        took: Duration::from_millis(12),
        said: said.to_owned(),
    }
}

#[async_trait]
impl GpuProvider for Gpu {
    fn kind(&self) -> Provider {
        Provider::RunPod
    }

    async fn submit(&self, submission: Submission<'_>) -> Told<SubmitAnswer> {
        let mut script = self.script();
        script.asked.push(Asked {
            payload: submission.payload.clone(),
            callback: submission.callback.map(str::to_owned),
        });
        let number = script.asked.len();
        let job = ProviderJobId::parse(&format!("job-{number}")).unwrap();
        let answer = script.answer.clone();
        told(answer.unwrap_or(SubmitAnswer::Accepted(job)), "IN_QUEUE")
    }

    async fn look(&self, _place: &JobPlace, job: &ProviderJobId) -> Told<LookAnswer> {
        let mut script = self.script();
        script.looks += 1;
        let number: usize = job.as_str().trim_start_matches("job-").parse().unwrap_or(1);
        let (status, said) = match &script.fate {
            Fate::Wait => (JobStatus::InQueue, "IN_QUEUE"),
            Fate::Stall => (JobStatus::InProgress { progress: None }, "IN_PROGRESS"),
            Fate::Complete(output) => {
                let output = Some(output.clone());
                (JobStatus::Completed { output }, "COMPLETED")
            }
            Fate::Echo => {
                let payload = Value::Object(script.asked[number - 1].payload.clone());
                let output = Some(json!({ "got": payload, "text": payload.to_string() }));
                (JobStatus::Completed { output }, "COMPLETED")
            }
            Fate::Fail(message) => {
                let message = Some(message.clone());
                (JobStatus::Failed { message }, "FAILED")
            }
        };
        let view = JobView {
            status,
            queue_ms: Some(640),
            run_ms: Some(8_000),
        };
        told(LookAnswer::Seen(view), said)
    }

    async fn stop(&self, _place: &JobPlace, _job: &ProviderJobId) -> Told<StopAnswer> {
        let mut script = self.script();
        script.stops += 1;
        if script.has_ended {
            told(StopAnswer::Ended, "COMPLETED")
        } else {
            told(StopAnswer::Cancelled, "CANCELLED")
        }
    }

    fn allowances(&self, _operation: Operation) -> Vec<(EndpointId, u32)> {
        Vec::new()
    }

    fn burst(&self, _operation: Operation) -> u32 {
        u32::MAX
    }
}
