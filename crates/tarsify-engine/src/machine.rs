//! What is done next about an execution. Pure: it neither reads a clock nor speaks to anybody.
//! A worker carries out the effects and feeds the answers back, and a simulator can do the same
//! a million times.
//!
//! ```text
//! created ─claim─▶ submitting ─accepted─▶ queued ─▶ running ─▶ ended
//!    ▲               │  │ └─answer lost─▶ unknown ─callback─▶ queued
//!    └─no effect─────┘  └─refused─▶ ended     └─grace over─▶ created, or the deadline ends it
//! ```

mod cancel;
mod decide;
mod look;
mod policy;
mod settle;

use tarsify_domain::Timestamp;
use tarsify_domain::execution::{
    Advance, Attempt, AttemptState, EndReason, Ending, EventKind, Lease, NewEvent, ProviderJobId,
    Settlement, Stage, State, Then, Written,
};

use crate::provider::{LookAnswer, StopAnswer, SubmitAnswer};

pub use policy::Policy;

/// A leased execution on its way through its worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    lease: Lease,
    state: State,
    policy: Policy,
    doing: Doing,
    began: Option<Timestamp>,
    /// Whether an answer to one more question might come after the lease.
    is_pressed: bool,
    /// The attempts that the next write has to store.
    changed: Vec<u32>,
    /// The latest way in which a job ended without a result.
    fault: Option<Fault>,
    events: Vec<NewEvent>,
    /// How long the provider asked us to leave it alone.
    patience: Option<std::time::Duration>,
    progress: Option<serde_json::Value>,
    times: Times,
    /// How far the provider is with a job, if it said so.
    reached: Option<Stage>,
    /// Attempts that count as over although their jobs may still be at work.
    doubtful: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Times {
    queue_ms: Option<i64>,
    run_ms: Option<i64>,
}

/// How a job ended without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    ending: Ending,
    reason: EndReason,
    message: Option<String>,
}

/// What the task waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Doing {
    /// To be begun.
    Starting,
    /// The answer to a submission.
    Submitting,
    /// The answers about jobs, of these attempts still.
    Looking { left: Vec<u32>, why: Why },
    /// The answers to wishes to stop jobs; of `ended` it is to be seen how.
    Stopping { left: Vec<u32>, ended: Vec<u32> },
    /// A write; `accepted` is the job that it was to record.
    Writing { accepted: Option<u32> },
    /// Nothing more.
    Done,
}

/// Why jobs are looked at, which decides what is made of it when none has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// To see how they are.
    Due,
    /// Because the execution is past its deadline: one last time.
    Deadline,
    /// Because they had ended when they were to be stopped.
    Cancel,
}

/// What a worker learned.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The execution was leased; with `is_fresh_attempt`, to submit the attempt that the claim
    /// recorded.
    Claimed {
        /// Whether the newest attempt was recorded by this very claim.
        is_fresh_attempt: bool,
    },
    /// The answer to [`Question::Submit`].
    Submitted(SubmitAnswer),
    /// The answer to [`Question::Look`].
    Looked(LookAnswer),
    /// The answer to [`Question::Stop`].
    Stopped(StopAnswer),
    /// The answer to a write.
    Written(Written),
    /// Whether the write took place is not known. The lease will run out.
    WriteLost,
}

/// A question to the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// To do the job of this attempt.
    Submit {
        /// Which attempt.
        attempt: u32,
    },
    /// How the job of this attempt is.
    Look {
        /// Which attempt.
        attempt: u32,
        /// Its job.
        job: ProviderJobId,
    },
    /// To stop the job of this attempt.
    Stop {
        /// Which attempt.
        attempt: u32,
        /// Its job.
        job: ProviderJobId,
    },
}

/// What is worth counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counted {
    /// A job that works for nobody.
    Orphan,
    /// A status that we do not know.
    UnknownStatus,
    /// An answer to a submission that was lost.
    LostAnswer,
    /// A write that found somebody else had decided.
    LeaseLost,
    /// An execution that stopped its worker again and again.
    Quarantined,
}

/// What a worker has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask the provider and feed the answer back.
    Ask(Question),
    /// Write the move and feed back whether it took place.
    Advance(Box<Advance>),
    /// Write the end and feed back whether it took place.
    Settle(Box<Settlement>),
    /// Count it.
    Count(Counted),
}

impl Task {
    /// A task for an execution that was just leased.
    #[must_use]
    pub fn new(lease: Lease, state: State, policy: Policy) -> Self {
        Self {
            lease,
            state,
            policy,
            doing: Doing::Starting,
            began: None,
            is_pressed: false,
            changed: Vec::new(),
            fault: None,
            events: Vec::new(),
            patience: None,
            progress: None,
            times: Times::default(),
            reached: None,
            doubtful: Vec::new(),
        }
    }

    /// Whether nothing more is to be done under this lease.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.doing == Doing::Done
    }

    /// Where the execution is, as far as this task knows.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.state.stage
    }
}

/// Takes in what happened at `now` and answers what is to be done. At most one of the effects
/// expects an event; when none does, the task is done. An event that the task does not wait
/// for changes nothing.
#[must_use]
pub fn step(mut task: Task, now: Timestamp, event: Event) -> (Task, Vec<Effect>) {
    let doing = std::mem::replace(&mut task.doing, Doing::Done);
    let effects = match (doing, event) {
        (Doing::Starting, Event::Claimed { is_fresh_attempt }) => {
            task.began = Some(now);
            task.begin(now, is_fresh_attempt)
        }
        (Doing::Submitting, Event::Submitted(answer)) => task.submitted(now, answer),
        (Doing::Looking { left, why }, Event::Looked(answer)) => {
            task.mind_the_lease(now);
            task.looked(now, left, why, answer)
        }
        (Doing::Stopping { left, ended }, Event::Stopped(answer)) => {
            task.mind_the_lease(now);
            task.stopped(now, left, ended, answer)
        }
        (Doing::Writing { accepted }, Event::Written(written)) => task.written(accepted, written),
        (Doing::Writing { .. }, Event::WriteLost) => Vec::new(),
        (doing, _) => {
            task.doing = doing;
            Vec::new()
        }
    };
    (task, effects)
}

impl Task {
    fn mind_the_lease(&mut self, now: Timestamp) {
        let asking = self.policy.asking;
        self.is_pressed = self.began.is_some_and(|began| now - began > asking);
    }

    fn attempt(&mut self, number: u32) -> Option<&mut Attempt> {
        if !self.changed.contains(&number) {
            self.changed.push(number);
        }
        let mut attempts = self.state.attempts.iter_mut();
        attempts.find(|attempt| attempt.number == number)
    }

    fn mark(&mut self, number: u32, state: AttemptState) {
        if let Some(attempt) = self.attempt(number) {
            attempt.state = state;
        }
    }

    fn newest(&self) -> Option<&Attempt> {
        self.state.attempts.last()
    }

    /// The attempts whose jobs may still end. The newest is the likeliest to win; but each is
    /// the first in its turn, should the answer about another take all the time there is.
    fn live(&self) -> Vec<u32> {
        let attempts = self.state.attempts.iter().rev();
        let live = attempts.filter(|attempt| attempt.live_job().is_some());
        let mut live: Vec<u32> = live.map(|attempt| attempt.number).collect();
        let turn = usize::try_from(self.lease.epoch).unwrap_or(0);
        let turn = turn.checked_rem(live.len()).unwrap_or(0);
        live.rotate_left(turn);
        live
    }

    fn job_of(&self, number: u32) -> Option<ProviderJobId> {
        let mut attempts = self.state.attempts.iter();
        let attempt = attempts.find(|attempt| attempt.number == number)?;
        attempt.job.clone()
    }

    fn happened(&mut self, kind: EventKind) {
        self.events.push(NewEvent::plain(kind));
    }

    /// The changed attempts, for the next write.
    fn take_changed(&mut self) -> Vec<Attempt> {
        let changed = std::mem::take(&mut self.changed);
        let attempts = self.state.attempts.iter();
        let attempts = attempts.filter(|attempt| changed.contains(&attempt.number));
        attempts.cloned().collect()
    }

    fn advance(&mut self, to: Stage, then: Then) -> Vec<Effect> {
        self.record(to, then, None)
    }

    fn record(&mut self, to: Stage, then: Then, accepted: Option<u32>) -> Vec<Effect> {
        let advance = Advance {
            lease: self.lease,
            from: self.state.stage,
            to,
            attempts: self.take_changed(),
            looks: self.state.looks,
            progress: self.progress.take(),
            events: std::mem::take(&mut self.events),
            exchanges: Vec::new(),
            told: None,
            then,
        };
        self.state.stage = to;
        self.doing = Doing::Writing { accepted };
        vec![Effect::Advance(Box::new(advance))]
    }
}

#[cfg(test)]
mod tests;
