//! The port to whoever owns the GPUs. Answers are sorted by what may be done about them, so
//! that nothing behind this port has to know a provider's own words.

mod breaker;
mod budget;
mod gate;
mod gates;
mod jitter;
mod patience;
mod runpod;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tarsify_domain::catalog::Provider;
use tarsify_domain::execution::{JobPlace, Operation, PRESENCE, ProviderJobId};

pub use budget::{Budget, Budgets};
pub use runpod::{RunPod, RunPodError, RunPodSettings, public_message};

/// A process that shares budgets and has not heard for so long how many do may be gone for the
/// others, who have its part then: it takes nothing until it hears of them.
pub(crate) const SILENCE: Duration = Duration::from_secs(PRESENCE.as_secs() / 2);

/// A job that is to be done.
#[derive(Clone, Copy)]
pub struct Submission<'a> {
    /// Where.
    pub place: &'a JobPlace,
    /// With what.
    pub payload: &'a Map<String, Value>,
    /// Where the provider may call when the job has ended.
    pub callback: Option<&'a str>,
    /// How long from now the job may exist at all.
    pub time_to_live: Duration,
}

/// What a submission came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmitAnswer {
    /// There is a job.
    Accepted(ProviderJobId),
    /// There is none and never will be for this payload.
    Refused,
    /// There surely is none; the same submission may succeed later.
    Undone {
        /// When the provider wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// There may be one or not.
    Lost,
}

/// What a question about a job came to.
#[derive(Debug, Clone, PartialEq)]
pub enum LookAnswer {
    /// The job is so.
    Seen(JobView),
    /// The provider knows no such job.
    NotFound,
    /// The answer was larger than a result may be.
    TooLarge,
    /// The answer could not be read.
    Unreadable,
    /// There was no answer that says anything about the job.
    Unavailable {
        /// When the provider wants to be asked again.
        retry_after: Option<Duration>,
    },
}

/// What the wish to stop a job came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopAnswer {
    /// It is called off.
    Cancelled,
    /// It has ended, or the provider did not say: look at it.
    Ended,
    /// The provider knows no such job.
    NotFound,
    /// There was no answer.
    Unavailable,
}

/// What a question for what a job has said came to. Whoever reads it takes it away.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamAnswer {
    /// This, since it was last read.
    Said(Vec<Value>),
    /// Nothing was read: whatever it has said can be read later.
    Unread,
    /// It may have been read, and what it was is lost.
    Lost,
}

/// A job as its provider tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobView {
    /// Where it is.
    pub status: JobStatus,
    /// How long it waited, in the provider's milliseconds.
    pub queue_ms: Option<i64>,
    /// How long it was worked on, in the provider's milliseconds.
    pub run_ms: Option<i64>,
}

/// Where a job is.
#[derive(Debug, Clone, PartialEq)]
pub enum JobStatus {
    /// Waiting.
    InQueue,
    /// Being worked on.
    InProgress {
        /// How far it is, in the model's own words.
        progress: Option<Value>,
    },
    /// Done.
    Completed {
        /// The result; `false`, `[]` and `""` are results too.
        output: Option<Value>,
    },
    /// Failed.
    Failed {
        /// What the model said, without stack traces, paths and names of machines.
        message: Option<String>,
    },
    /// Stopped because it took too long.
    TimedOut,
    /// Called off.
    Cancelled,
    /// Something that we do not know. It means nothing.
    Unknown,
}

/// An answer with what administrators may read of how it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Told<A> {
    /// The answer.
    pub answer: A,
    /// The HTTP status, if there was one.
    pub http_status: Option<u16>,
    /// How long it took, repetitions included.
    pub took: Duration,
    /// What was said, without payload and output, short.
    pub said: String,
}

/// How many endpoints a provider leaves alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Circuits {
    /// They failed again and again, and are not asked.
    pub open: usize,
    /// The same, and the next question will find out whether they are well.
    pub half_open: usize,
    /// They asked for patience.
    pub resting: usize,
}

/// Does jobs on GPUs. No method fails, panics or takes longer than 20 seconds: whatever
/// happens becomes an answer.
#[async_trait]
pub trait GpuProvider: Send + Sync {
    /// Whose protocol it speaks.
    fn kind(&self) -> Provider;

    /// Asks for a job. It is repeated by itself only where the first try surely had no effect.
    async fn submit(&self, submission: Submission<'_>) -> Told<SubmitAnswer>;

    /// Asks how a job is.
    async fn look(&self, place: &JobPlace, job: &ProviderJobId) -> Told<LookAnswer>;

    /// Reads what a job has said since it was last read, and takes it away. That is a courtesy to
    /// who watches: a provider whose jobs say nothing before they end has nothing to read, and no
    /// answer here changes what becomes of a job.
    async fn read_stream(&self, _place: &JobPlace, _job: &ProviderJobId) -> Told<StreamAnswer> {
        Told {
            answer: StreamAnswer::Unread,
            http_status: None,
            took: Duration::ZERO,
            said: "not asked: jobs of this provider say nothing before they end".to_owned(),
        }
    }

    /// Asks to stop a job.
    async fn stop(&self, place: &JobPlace, job: &ProviderJobId) -> Told<StopAnswer>;

    /// How many more of these questions the endpoint may be asked right now: 0 while it asks
    /// for patience or its circuit is open. Endpoints that were never asked have
    /// [`GpuProvider::burst`].
    fn allowances(&self, operation: Operation) -> Vec<(tarsify_domain::id::EndpointId, u32)>;

    /// How many questions an endpoint may be asked at once after a long silence.
    fn burst(&self, operation: Operation) -> u32;

    /// How many endpoints are left alone right now. Who leaves none alone has none to tell of.
    fn circuits(&self) -> Circuits {
        Circuits::default()
    }

    /// From now on one of so many equal parts of what an endpoint may be asked is ours, and
    /// nothing of it before `rest` is over. Who has no budgets has nothing to divide.
    fn share(&self, among: u32, rest: Duration) {
        let _ = (among, rest);
    }
}
