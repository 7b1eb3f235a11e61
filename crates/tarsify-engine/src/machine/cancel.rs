//! Calling an execution off: its jobs are stopped, and one that had ended by then still counts.

use tarsify_domain::Timestamp;
use tarsify_domain::execution::{AttemptState, EndReason, Ending, Stage};

use super::{Doing, Effect, Question, Task, Why};
use crate::provider::StopAnswer;

impl Task {
    pub(super) fn cancel(&mut self) -> Vec<Effect> {
        self.stop(self.live(), Vec::new())
    }

    /// Asks to stop the next of `left`, or goes on when there is none or no time for one: what
    /// is left is called off in the background.
    pub(super) fn stop(&mut self, left: Vec<u32>, ended: Vec<u32>) -> Vec<Effect> {
        let next = left.first().copied().filter(|_| !self.is_pressed);
        let next = next.and_then(|attempt| Some((attempt, self.job_of(attempt)?)));
        if let Some((attempt, job)) = next {
            self.doing = Doing::Stopping { left, ended };
            return vec![Effect::Ask(Question::Stop { attempt, job })];
        }
        if self.state.stage == Stage::Ended {
            self.orphans_asked()
        } else if ended.is_empty() {
            self.fail(Ending::Cancelled, EndReason::CancelledByCaller)
        } else {
            self.look(Why::Cancel, ended)
        }
    }

    pub(super) fn stopped(
        &mut self,
        now: Timestamp,
        mut left: Vec<u32>,
        mut ended: Vec<u32>,
        answer: StopAnswer,
    ) -> Vec<Effect> {
        if left.is_empty() {
            return Vec::new();
        }
        let number = left.remove(0);
        let answer = match answer {
            // The provider may not know it yet, and work on it all the same.
            StopAnswer::NotFound if self.is_young(now, number) => StopAnswer::Unavailable,
            answer => answer,
        };
        if self.state.stage == Stage::Ended {
            self.orphan_answered(number, answer);
            return self.stop(left, ended);
        }
        match answer {
            StopAnswer::Cancelled | StopAnswer::NotFound => self.mark(number, AttemptState::Over),
            StopAnswer::Ended => ended.push(number),
            // It stays as it is and is called off in the background.
            StopAnswer::Unavailable => {}
        }
        self.stop(left, ended)
    }
}
