//! How the emulator's own workers spend their time on a job: waiting, telling how far they are,
//! yielding parts, ending. A job that ends meanwhile, or starts anew, is left alone.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::demo::{Work, work};
use crate::endpoint::Endpoint;
use crate::job::{Ending, JobStatus};

const WORKER: &str = "emulated-worker";

/// What shall happen to a job.
pub(crate) struct PlannedRun {
    pub(crate) job: String,
    pub(crate) attempt: u32,
    pub(crate) queue: Duration,
    pub(crate) run: Duration,
    pub(crate) progress_steps: u32,
    pub(crate) never_ends: bool,
}

/// Does a job from its waiting to its end.
pub(crate) async fn simulate(endpoint: Arc<Endpoint>, run: PlannedRun) {
    pass(run.queue).await;
    let begun = endpoint.with_job(&run.job, |job| {
        let begun = job.attempt == run.attempt && job.begin(WORKER, Instant::now());
        begun.then(|| job.made_of.input.clone())
    });
    let Some(Some(input)) = begun else { return };
    if run.never_ends {
        return;
    }
    let Work { chunks, result } = work(endpoint.worker, &input);
    work_through(&endpoint, &run, chunks).await;
    let ending = match result {
        Ok(output) => Ending::Completed(Some(output)),
        Err(error) => Ending::Failed(Value::String(error)),
    };
    endpoint.finish(&run.job, Some(run.attempt), ending);
}

/// Spreads parts and progress over the time of the run.
async fn work_through(endpoint: &Arc<Endpoint>, run: &PlannedRun, chunks: Vec<Value>) {
    let progress =
        (1..=run.progress_steps).map(|step| Step::Progress(step * 100 / (run.progress_steps + 1)));
    let steps: Vec<Step> = progress
        .chain(chunks.into_iter().map(Step::Chunk))
        .collect();
    let pause = run.run
        / u32::try_from(steps.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
    for step in steps {
        pass(pause).await;
        let went_on = endpoint.with_job(&run.job, |job| {
            let now = Instant::now();
            job.attempt == run.attempt
                && job.status == JobStatus::InProgress
                && match step {
                    Step::Progress(percent) => job.progress(json!({ "percent": percent }), now),
                    Step::Chunk(chunk) => job.yield_chunk(chunk, now),
                }
        });
        if went_on != Some(true) {
            return;
        }
    }
    pass(pause).await;
}

enum Step {
    Progress(u32),
    Chunk(Value),
}

async fn pass(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}
