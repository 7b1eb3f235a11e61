//! Looking at jobs, and what is made of what is seen.

use std::time::Duration;

use tarsify_domain::Timestamp;
use tarsify_domain::execution::{
    AttemptState, EndReason, Ending, EventKind, NewEvent, Stage, Then,
};

use super::{Counted, Doing, Effect, Fault, Question, Task, Times, Why};
use crate::provider::{JobStatus, JobView, LookAnswer};

impl Task {
    /// Looks at the first of `left`, or concludes when there is none or no time for one.
    pub(super) fn look(&mut self, why: Why, left: Vec<u32>) -> Vec<Effect> {
        let next = left.first().copied().filter(|_| !self.is_pressed);
        let next = next.and_then(|attempt| Some((attempt, self.job_of(attempt)?)));
        match next {
            Some((attempt, job)) => {
                self.doing = Doing::Looking { left, why };
                vec![Effect::Ask(Question::Look { attempt, job })]
            }
            None => self.conclude(why),
        }
    }

    pub(super) fn looked(
        &mut self,
        now: Timestamp,
        mut left: Vec<u32>,
        why: Why,
        answer: LookAnswer,
    ) -> Vec<Effect> {
        if left.is_empty() {
            return Vec::new();
        }
        let number = left.remove(0);
        let mut effects = Vec::new();
        match answer {
            LookAnswer::Seen(view) => {
                if let Some(attempt) = self.attempt(number) {
                    attempt.missing_since = None;
                    attempt.unreadable = 0;
                }
                if let Some(end) = self.seen(number, view, &mut effects) {
                    effects.extend(end);
                    return effects;
                }
            }
            LookAnswer::NotFound => self.missing(now, number),
            LookAnswer::TooLarge => {
                self.over(number, Ending::Failed, EndReason::OutputTooLarge, None);
                self.doubtful.push(number);
            }
            LookAnswer::Unreadable => self.unreadable(number),
            LookAnswer::Unavailable { retry_after } => {
                self.patience = self.patience.max(retry_after);
            }
        }
        effects.extend(self.look(why, left));
        effects
    }

    /// Answers the end of the execution when the job has made a result.
    fn seen(
        &mut self,
        number: u32,
        view: JobView,
        effects: &mut Vec<Effect>,
    ) -> Option<Vec<Effect>> {
        let JobView {
            status,
            queue_ms,
            run_ms,
        } = view;
        self.times = Times { queue_ms, run_ms };
        match status {
            JobStatus::InQueue => self.is_accepted(number, Stage::Queued),
            JobStatus::InProgress { progress } => {
                self.is_accepted(number, Stage::Running);
                if let Some(progress) = progress {
                    self.progressed(progress);
                }
            }
            JobStatus::Completed {
                output: Some(output),
            } if !output.is_null() => {
                self.mark(number, AttemptState::Won);
                return Some(self.complete(output));
            }
            JobStatus::Completed { .. } => {
                self.over(number, Ending::Failed, EndReason::OutputMissing, None);
            }
            JobStatus::Failed { message } => {
                self.over(number, Ending::Failed, EndReason::ProviderError, message);
            }
            JobStatus::TimedOut => {
                self.over(number, Ending::TimedOut, EndReason::ProviderTimeout, None);
            }
            JobStatus::Cancelled => {
                // A worker that stopped it for its requester may have died before it said so.
                let reason = if self.state.is_cancel_requested {
                    EndReason::CancelledByCaller
                } else {
                    EndReason::CancelledByProvider
                };
                self.over(number, Ending::Cancelled, reason, None);
            }
            JobStatus::Unknown => effects.push(Effect::Count(Counted::UnknownStatus)),
        }
        None
    }

    /// The provider has the job, and is at least so far with it. What it says later of an
    /// earlier stage changes nothing.
    fn is_accepted(&mut self, number: u32, reached: Stage) {
        self.mark(number, AttemptState::Accepted);
        let stage = self.state.stage.max(self.reached.unwrap_or(Stage::Created));
        if stage < Stage::Queued {
            self.happened(EventKind::Accepted);
        }
        if reached == Stage::Running && stage < Stage::Running {
            self.happened(EventKind::Started);
        }
        self.reached = self.reached.max(Some(reached));
    }

    fn progressed(&mut self, progress: serde_json::Value) {
        if self.state.progress.as_ref() == Some(&progress) {
            return;
        }
        let mut data = serde_json::Map::new();
        data.insert("data".to_owned(), progress.clone());
        self.events.push(NewEvent {
            kind: EventKind::Progress,
            data,
        });
        self.state.progress = Some(progress.clone());
        self.progress = Some(progress);
    }

    fn over(&mut self, number: u32, ending: Ending, reason: EndReason, message: Option<String>) {
        self.mark(number, AttemptState::Over);
        self.fault = Some(Fault {
            ending,
            reason,
            message,
        });
    }

    fn missing(&mut self, now: Timestamp, number: u32) {
        let patience = self.policy.missing_patience;
        if self.is_young(now, number) {
            return;
        }
        let Some(attempt) = self.attempt(number) else {
            return;
        };
        match attempt.missing_since {
            None => attempt.missing_since = Some(now),
            Some(since) if now - since >= patience => {
                self.over(number, Ending::Failed, EndReason::Lost, None);
            }
            Some(_) => {}
        }
    }

    fn unreadable(&mut self, number: u32) {
        let most = self.policy.max_unreadable;
        let Some(attempt) = self.attempt(number) else {
            return;
        };
        attempt.unreadable = attempt.unreadable.saturating_add(1);
        if attempt.unreadable >= most {
            self.over(number, Ending::Failed, EndReason::OutputUnreadable, None);
            self.doubtful.push(number);
        }
    }

    /// Whether the job was called off by the worker that had asked for it and whose lease had
    /// run out by then. To whoever asked for the execution its answer was lost and nothing more.
    fn may_be_our_doing(&self, fault: &Fault) -> bool {
        fault.reason == EndReason::CancelledByProvider
            && self.state.stage == Stage::Unknown
            && self.tried() < self.policy.max_lost
    }

    /// Every job was looked at and none has made a result.
    fn conclude(&mut self, why: Why) -> Vec<Effect> {
        match why {
            Why::Cancel => return self.fail(Ending::Cancelled, EndReason::CancelledByCaller),
            Why::Deadline => {
                let fault = self.fault.take().filter(|_| self.live().is_empty());
                return match fault {
                    // The provider forgets a job past its time to live.
                    Some(fault) if fault.reason != EndReason::Lost => self.end(fault),
                    _ => self.fail(Ending::TimedOut, EndReason::Deadline),
                };
            }
            Why::Due => {}
        }
        if self.live().is_empty() {
            let lost = || Fault {
                ending: Ending::Failed,
                reason: EndReason::Lost,
                message: None,
            };
            let fault = self.fault.take().unwrap_or_else(lost);
            return if self.may_be_our_doing(&fault) {
                self.advance(Stage::Unknown, Then::After(Duration::ZERO))
            } else {
                self.end(fault)
            };
        }
        let looks = self.state.looks;
        self.state.looks = looks.saturating_add(1);
        let wait = self.policy.interval(looks, self.lease);
        let asked = self.patience.unwrap_or_default();
        let wait = wait.max(asked.min(self.policy.longest_pause));
        let to = self
            .reached
            .map_or(self.state.stage, |reached| reached.max(self.state.stage));
        self.advance(to, Then::After(wait))
    }
}
