//! A job as it is written for clients, workers and webhooks.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Job, JobStatus, Spoiling};

/// What `/status` and `/runsync` answer, and what webhooks carry.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_time: Option<u64>,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<u32>,
    status: JobStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker_id: Option<&'a str>,
}

/// What `/stream` answers.
#[derive(Debug, Serialize)]
pub(crate) struct StreamBody {
    pub(crate) status: JobStatus,
    pub(crate) stream: Vec<StreamChunk>,
}

/// A part that a worker yielded.
#[derive(Debug, Serialize)]
pub(crate) struct StreamChunk {
    pub(crate) output: Value,
}

/// What a worker is given.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct JobBody {
    pub(crate) id: String,
    pub(crate) input: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) webhook: Option<String>,
}

impl Job {
    /// The body of a status, spoiled if it is to be.
    pub(crate) fn status_text(&self) -> String {
        self.spoiled(&self.body())
    }

    /// The body of a webhook: a status with the input and the address.
    pub(crate) fn webhook_text(&self) -> String {
        self.spoiled(&StatusBody {
            input: Some(&self.made_of.input),
            webhook: self.made_of.webhook.as_deref(),
            ..self.body()
        })
    }

    pub(crate) fn for_worker(&self) -> JobBody {
        JobBody {
            id: self.made_of.id.clone(),
            input: self.made_of.input.clone(),
            webhook: self.made_of.webhook.clone(),
        }
    }

    /// A status in its place that is not true: no output, or a progress value as one.
    pub(crate) fn false_status_text(&self, status: &str, output: Option<Value>) -> String {
        let mut body = json!({ "delayTime": 1, "id": self.made_of.id, "status": status });
        if let (Some(fields), Some(output)) = (body.as_object_mut(), output) {
            fields.insert("output".to_owned(), output);
        }
        body.to_string()
    }

    fn body(&self) -> StatusBody<'_> {
        let between = |from: Option<Instant>, to: Option<Instant>| {
            Some(milliseconds(to?.saturating_duration_since(from?)))
        };
        StatusBody {
            delay_time: between(Some(self.submitted_at), self.started_at),
            error: self.error.as_ref(),
            execution_time: between(self.started_at, self.ended_at),
            id: &self.made_of.id,
            input: None,
            output: self.output.as_ref().or(self.progress.as_ref()),
            retries: (self.retries > 0).then_some(self.retries),
            status: self.status,
            webhook: None,
            worker_id: self.worker.as_deref(),
        }
    }

    fn spoiled(&self, body: &StatusBody<'_>) -> String {
        let whole = serde_json::to_value(body).unwrap_or_default();
        match self.spoiling {
            Spoiling::Nothing => whole.to_string(),
            Spoiling::CutOff => {
                let text = whole.to_string();
                let half = text.chars().count() / 2;
                text.chars().take(half).collect()
            }
            Spoiling::WrongTypes => {
                let mut wrong = whole;
                if let Some(fields) = wrong.as_object_mut() {
                    fields.insert("delayTime".to_owned(), json!("soon"));
                    fields.insert("executionTime".to_owned(), json!([1]));
                    fields.insert("workerId".to_owned(), json!(7));
                    fields.insert("output".to_owned(), json!(7));
                }
                wrong.to_string()
            }
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
