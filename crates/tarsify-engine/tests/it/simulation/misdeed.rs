//! Where planted bugs bite: what a worker reads, hears and writes.

use serde_json::json;
use tarsify_domain::execution::{AttemptState, Ending, Requester, Stage, State};
use tarsify_domain::money::Share;
use tarsify_engine::machine::Event;
use tarsify_engine::provider::{JobStatus, JobView, LookAnswer};

use super::bug::Bug;
use super::till;
use super::time::HOUR;
use super::worker::{Paper, Write};
use super::world::World;

impl World {
    /// What a worker makes of the state that it leased.
    pub(super) fn misread(&self, state: &mut State) {
        match self.settings.bug {
            Some(Bug::IgnoresDeadline) => {
                state.deadline_at += std::time::Duration::from_micros(HOUR);
            }
            Some(Bug::IgnoresCancel) => state.is_cancel_requested = false,
            Some(Bug::NeverQuarantines) => state.strikes = 1,
            _ => {}
        }
    }

    /// What a worker makes of an answer.
    pub(super) fn mishear(&mut self, run: usize, event: Event) -> Event {
        let Event::Looked(answer) = event else {
            return event;
        };
        if let Some(output) = self.runs[run].hearsay.take() {
            return done(output);
        }
        match (self.settings.bug, answer) {
            (Some(Bug::UnknownMeansDone), LookAnswer::NotFound) => done(json!({})),
            (Some(Bug::LosesAtOnce), LookAnswer::NotFound) => {
                ended(JobStatus::Failed { message: None })
            }
            (Some(Bug::StormIsFailure), LookAnswer::Unavailable { .. }) => {
                ended(JobStatus::Failed { message: None })
            }
            (Some(bug), LookAnswer::Seen(view)) => match (bug, view.status) {
                (
                    Bug::ProgressIsResult,
                    JobStatus::InProgress {
                        progress: Some(progress),
                    },
                ) => done(progress),
                (Bug::CompletesWithNothing, JobStatus::Completed { output: None }) => {
                    done(json!("done"))
                }
                (_, status) => Event::Looked(LookAnswer::Seen(JobView { status, ..view })),
            },
            (_, answer) => Event::Looked(answer),
        }
    }

    /// What a worker writes.
    pub(super) fn miswrite(&mut self, write: &mut Write) {
        match (&mut write.paper, self.settings.bug) {
            (Paper::Settle(settlement), Some(Bug::ForgetsOrphans)) => {
                settlement.has_orphans = false;
                for attempt in &mut settlement.attempts {
                    if attempt.state == AttemptState::Orphaned {
                        attempt.state = AttemptState::Over;
                    }
                }
            }
            (Paper::Advance(advance), Some(Bug::TellsTwice)) => {
                let again = advance.events.clone();
                advance.events.extend(again);
            }
            (Paper::Advance(advance), Some(Bug::RepeatsAfterCrash))
                if advance.from == Stage::Submitting
                    && advance.to == Stage::Unknown
                    && self.runs[write.run].disturbed_at > 0 =>
            {
                advance.to = Stage::Created;
                advance.then = tarsify_domain::execution::Then::After(std::time::Duration::ZERO);
                for attempt in &mut advance.attempts {
                    attempt.state = AttemptState::Undone;
                }
            }
            _ => {}
        }
    }

    /// What of a price the developer is to earn.
    pub(super) fn share(&self) -> Share {
        let hundredths = if self.has(Bug::KeepsNothing) {
            100
        } else {
            till::HUNDREDTHS
        };
        Share::parse(hundredths * 100).unwrap()
    }

    /// What happens beside a write that was applied.
    pub(super) fn overdo(&self, paper: &Paper, run: usize) {
        let Paper::Settle(settlement) = paper else {
            return;
        };
        let its = &self.runs[run];
        if self.has(Bug::ReleasesTwice)
            && settlement.ending != Ending::Completed
            && let (Requester::Consumer(consumer), Some(model)) = (its.plan.requester, &its.model)
        {
            self.store.grant(consumer, model.price.credits());
        }
    }

    /// The write as the store gets it.
    pub(super) fn forged(&self, paper: &Paper, run: usize) -> Paper {
        let mut paper = paper.clone();
        if let (Paper::Settle(settlement), true) = (&mut paper, self.has(Bug::ChargesFailures)) {
            settlement.ending = Ending::Completed;
        }
        if !self.has(Bug::NoCompareAndSet) {
            return paper;
        }
        let its = &self.runs[run];
        match &mut paper {
            Paper::Advance(advance) => {
                advance.lease.epoch = its.epoch;
                advance.from = its.stage;
            }
            Paper::Settle(settlement) => {
                settlement.lease.epoch = its.epoch;
                settlement.from = its.stage;
            }
        }
        paper
    }
}

fn done(output: serde_json::Value) -> Event {
    ended(JobStatus::Completed {
        output: Some(output),
    })
}

fn ended(status: JobStatus) -> Event {
    Event::Looked(LookAnswer::Seen(JobView {
        status,
        queue_ms: None,
        run_ms: None,
    }))
}

/// How an execution ended, in the words of the machine.
pub(super) fn ending_of(status: tarsify_domain::execution::ExecutionStatus) -> Option<Ending> {
    Ending::parse(status.as_str()).ok()
}
