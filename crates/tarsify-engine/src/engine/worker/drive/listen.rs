//! Listening to a job that somebody watches, in the same hand that looks at it.

use std::time::Duration;

use serde_json::Value;
use tarsify_domain::execution::ProviderJobId;
use tokio::time::{Instant, timeout_at};

use super::Hand;
use crate::provider::{GpuProvider, JobStatus, LookAnswer, StreamAnswer};
use crate::scrub::Scrubber;

/// How long a worker listens: what it has seen of the job waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often the stream of a job that has ended is read at the most.
const MOST_READS: u32 = 8;

impl Hand<'_> {
    /// Reads what a job says that somebody watches. Whatever comes of it, it changes nothing about
    /// the job.
    pub(super) async fn listen(
        &mut self,
        provider: &dyn GpuProvider,
        (attempt, job): (u32, &ProviderJobId),
        seen: &LookAnswer,
    ) {
        let LookAnswer::Seen(view) = seen else { return };
        let most = match &view.status {
            JobStatus::InProgress { .. } => 1,
            JobStatus::Completed { .. }
            | JobStatus::Failed { .. }
            | JobStatus::TimedOut
            | JobStatus::Cancelled => MOST_READS,
            JobStatus::InQueue | JobStatus::Unknown => return,
        };
        let listens = |hand: &Self| {
            let telling = hand.telling.as_ref();
            telling.is_some_and(|telling| telling.listens_to(attempt))
        };
        // The answer that was had must not come too late for that.
        let until = Instant::now() + PATIENCE;
        if !listens(self) || until >= self.answers_until() {
            return;
        }
        for _ in 0..most {
            let read = provider.read_stream(&self.place, job);
            let answer = timeout_at(until, read).await;
            let chunks = match answer.map_or(StreamAnswer::Lost, |told| told.answer) {
                StreamAnswer::Said(chunks) => chunks,
                StreamAnswer::Unread => break,
                StreamAnswer::Lost => {
                    self.hear(None).await;
                    break;
                }
            };
            let is_empty = chunks.is_empty();
            if !is_empty {
                self.hear(Some(chunks)).await;
            }
            if is_empty || !listens(self) {
                break;
            }
        }
        if most > 1 {
            self.finish().await;
        }
    }

    /// Takes in what was said, or that it is lost.
    async fn hear(&mut self, chunks: Option<Vec<Value>>) {
        self.fetch_material().await;
        let Some(telling) = &mut self.telling else {
            return;
        };
        let Some(material) = &self.material else {
            // Nobody knows what of it may be told.
            telling.give_up();
            return;
        };
        if chunks.is_none() {
            telling.lose();
        }
        telling.hear(&Scrubber::new(material), chunks.unwrap_or_default());
    }

    async fn finish(&mut self) {
        if !self
            .telling
            .as_ref()
            .is_some_and(super::Telling::holds_some)
            || self.fetch_material().await.is_none()
        {
            return;
        }
        if let (Some(telling), Some(material)) = (&mut self.telling, &self.material) {
            telling.finish(&Scrubber::new(material));
        }
    }
}
