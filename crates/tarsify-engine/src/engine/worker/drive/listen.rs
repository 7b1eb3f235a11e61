//! Listening to a job that somebody watches, in the same hand that looks at it.

use std::time::Duration;

use tarsify_domain::execution::ProviderJobId;
use tokio::time::{Instant, timeout_at};

use super::Hand;
use crate::provider::{GpuProvider, JobStatus, LookAnswer, StreamAnswer};
use crate::scrub::Scrubber;

/// How long a worker listens: what it has seen of the job waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(3);
/// What is left then of the time in which the answer has to be there.
const LEFT: Duration = Duration::from_secs(1);
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
            JobStatus::InQueue => return self.begins_anew(attempt),
            JobStatus::Unknown => return,
        };
        // Before anything is read, so that nothing is lost when it cannot be had.
        if !self.listens_to(attempt) || self.fetch_material().await.is_none() {
            return;
        }
        // The answer that was had must not come too late for that.
        let until = Instant::now() + PATIENCE;
        if until + LEFT >= self.answers_until() {
            return;
        }
        let mut is_drained = false;
        for _ in 0..most {
            is_drained = self.read(provider, job, until).await;
            if is_drained || !self.listens_to(attempt) {
                break;
            }
        }
        if most > 1
            && let (Some(telling), Some(material)) = (&mut self.telling, &self.material)
        {
            let is_done = matches!(view.status, JobStatus::Completed { .. });
            telling.finish(&Scrubber::new(material), is_drained && is_done);
        }
    }

    fn listens_to(&self, attempt: u32) -> bool {
        let telling = self.telling.as_ref();
        telling.is_some_and(|telling| telling.listens_to(attempt))
    }

    /// A job that waits and has said something before is done anew, from its beginning.
    fn begins_anew(&mut self, attempt: u32) {
        if let Some(telling) = &mut self.telling
            && telling.listens_to(attempt)
            && telling.has_heard()
        {
            telling.give_up();
        }
    }

    /// Reads once, and answers whether there was nothing more to be read.
    async fn read(
        &mut self,
        provider: &dyn GpuProvider,
        job: &ProviderJobId,
        until: Instant,
    ) -> bool {
        let (Some(telling), Some(material)) = (&mut self.telling, &self.material) else {
            return false;
        };
        let scrubber = Scrubber::new(material);
        // Whatever interrupts us, a part may be gone then.
        let may_have_lacked = telling.lose();
        let read = timeout_at(until, provider.read_stream(&self.place, job)).await;
        match read.map_or(StreamAnswer::Lost, |told| told.answer) {
            StreamAnswer::Said(chunks) => {
                telling.found(may_have_lacked);
                let is_empty = chunks.is_empty();
                if !is_empty {
                    telling.hear(&scrubber, chunks);
                }
                is_empty
            }
            StreamAnswer::Unread => {
                telling.found(may_have_lacked);
                false
            }
            StreamAnswer::Lost => {
                telling.hear(&scrubber, Vec::new());
                false
            }
        }
    }
}
