//! The first decision under a lease, and what is made of the answer to a submission.

use std::time::Duration;

use tarsify_domain::Timestamp;
use tarsify_domain::execution::{AttemptState, EndReason, Ending, EventKind, Stage, Then, Written};

use super::{Counted, Doing, Effect, Fault, Question, Task, Why};
use crate::provider::{StopAnswer, SubmitAnswer};

/// How long past its deadline a job is still called off.
const FAREWELL: Duration = Duration::from_secs(300);

impl Task {
    pub(super) fn begin(&mut self, now: Timestamp, is_fresh_attempt: bool) -> Vec<Effect> {
        if self.state.stage == Stage::Ended {
            return self.call_off_orphans(now);
        }
        let is_poison = self.state.strikes > self.policy.max_strikes;
        let is_late = now >= self.state.deadline_at;
        let fresh = self.fresh().filter(|_| is_fresh_attempt);
        if let Some(number) = fresh {
            let is_wanted = !is_poison && !is_late && !self.state.is_cancel_requested;
            // By now a callback may have told of a job whose answer was lost.
            if is_wanted && self.live().is_empty() {
                self.doing = Doing::Submitting;
                return vec![Effect::Ask(Question::Submit { attempt: number })];
            }
            // Nobody has been asked yet.
            self.mark(number, AttemptState::Undone);
        }
        if is_poison {
            self.give_up_calling();
            let mut effects = vec![Effect::Count(Counted::Quarantined)];
            effects.extend(self.fail(Ending::Failed, EndReason::Quarantined));
            return effects;
        }
        if is_late {
            self.give_up_calling();
            return self.look(Why::Deadline, self.live());
        }
        if self.state.is_cancel_requested {
            self.give_up_calling();
            return self.cancel();
        }
        match self.state.stage {
            Stage::Created | Stage::Ended => {
                self.advance(self.state.stage, Then::After(Duration::ZERO))
            }
            Stage::Submitting if fresh.is_some() => {
                self.advance(Stage::Unknown, Then::After(Duration::ZERO))
            }
            Stage::Submitting => self.lose_answer(now),
            Stage::Unknown => self.wait_for_news(now),
            Stage::Queued | Stage::Running => self.look(Why::Due, self.live()),
        }
    }

    /// The newest attempt, when the provider may yet be asked for it.
    fn fresh(&self) -> Option<u32> {
        let attempt = self.newest()?;
        let is_fresh = self.state.stage == Stage::Submitting
            && attempt.state == AttemptState::Calling
            && attempt.job.is_none();
        is_fresh.then_some(attempt.number)
    }

    /// Whoever recorded the attempt is gone, so its answer never comes.
    fn give_up_calling(&mut self) {
        let calling = |attempt: &&super::Attempt| attempt.state == AttemptState::Calling;
        let number = self.newest().filter(calling).map(|attempt| attempt.number);
        if let Some(number) = number {
            self.mark(number, AttemptState::Lost);
        }
    }

    /// A worker stopped between recording an attempt and storing the answer.
    fn lose_answer(&mut self, now: Timestamp) -> Vec<Effect> {
        self.give_up_calling();
        let mut effects = vec![Effect::Count(Counted::LostAnswer)];
        let wait = if self.live().is_empty() {
            self.grace_left(now)
        } else {
            Duration::ZERO
        };
        effects.extend(self.advance(Stage::Unknown, Then::After(wait)));
        effects
    }

    fn grace_left(&self, now: Timestamp) -> Duration {
        let Some(attempt) = self.newest() else {
            return Duration::ZERO;
        };
        let passed = Duration::try_from(now - attempt.called_at).unwrap_or(Duration::ZERO);
        let left = self.policy.lost_grace.saturating_sub(passed);
        left.min(self.time_left(now))
    }

    fn time_left(&self, now: Timestamp) -> Duration {
        Duration::try_from(self.state.deadline_at - now).unwrap_or(Duration::ZERO)
    }

    /// Whether the provider may not know the job of this attempt yet.
    pub(super) fn is_young(&self, now: Timestamp, number: u32) -> bool {
        let mut attempts = self.state.attempts.iter();
        let attempt = attempts.find(|attempt| attempt.number == number);
        attempt.is_some_and(|attempt| now - attempt.called_at < self.policy.young_job)
    }

    /// How many attempts may have made a job.
    pub(super) fn tried(&self) -> u32 {
        let had_no_effect = |state| matches!(state, AttemptState::Undone | AttemptState::Refused);
        let attempts = self.state.attempts.iter();
        let tried = attempts.filter(|attempt| !had_no_effect(attempt.state));
        u32::try_from(tried.count()).unwrap_or(u32::MAX)
    }

    fn wait_for_news(&mut self, now: Timestamp) -> Vec<Effect> {
        let live = self.live();
        if !live.is_empty() {
            return self.look(Why::Due, live);
        }
        let left = self.grace_left(now);
        if !left.is_zero() {
            return self.advance(Stage::Unknown, Then::After(left));
        }
        if self.tried() < self.policy.max_lost {
            return self.advance(Stage::Created, Then::After(Duration::ZERO));
        }
        // Only a callback or the deadline can end it now.
        self.advance(Stage::Unknown, Then::After(self.time_left(now)))
    }

    pub(super) fn submitted(&mut self, now: Timestamp, answer: SubmitAnswer) -> Vec<Effect> {
        let Some(number) = self.newest().map(|attempt| attempt.number) else {
            return Vec::new();
        };
        match answer {
            SubmitAnswer::Accepted(job) => {
                if let Some(attempt) = self.attempt(number) {
                    attempt.state = AttemptState::Accepted;
                    attempt.job = Some(job);
                }
                self.state.looks = 0;
                self.happened(EventKind::Accepted);
                let wait = self.policy.interval(0, self.lease);
                self.record(Stage::Queued, Then::After(wait), Some(number))
            }
            SubmitAnswer::Refused => {
                self.mark(number, AttemptState::Refused);
                self.fail(Ending::Failed, EndReason::Refused)
            }
            SubmitAnswer::Undone { retry_after } => {
                self.mark(number, AttemptState::Undone);
                let attempts = self.state.attempts.iter().rev();
                let undone = attempts.take_while(|attempt| attempt.state == AttemptState::Undone);
                let failures = u32::try_from(undone.count()).unwrap_or(u32::MAX);
                let pause = self.policy.pause(failures, self.lease);
                let asked = retry_after
                    .unwrap_or_default()
                    .min(self.policy.longest_pause);
                self.advance(Stage::Created, Then::After(pause.max(asked)))
            }
            SubmitAnswer::Lost => {
                self.mark(number, AttemptState::Lost);
                let mut effects = vec![Effect::Count(Counted::LostAnswer)];
                let wait = self.grace_left(now);
                effects.extend(self.advance(Stage::Unknown, Then::After(wait)));
                effects
            }
        }
    }

    pub(super) fn written(&mut self, accepted: Option<u32>, written: Written) -> Vec<Effect> {
        let Written::Refused = written else {
            return Vec::new();
        };
        let mut effects = vec![Effect::Count(Counted::LeaseLost)];
        let job = accepted.and_then(|number| Some((number, self.job_of(number)?)));
        if let Some((attempt, job)) = job {
            // Nobody knows of this job but we, and we may no longer write: whoever decided will
            // make another or none.
            effects.push(Effect::Count(Counted::Orphan));
            effects.push(Effect::Ask(Question::Stop { attempt, job }));
        }
        effects
    }

    /// Ends the execution without a result.
    pub(super) fn fail(&mut self, ending: Ending, reason: EndReason) -> Vec<Effect> {
        let fault = Fault {
            ending,
            reason,
            message: None,
        };
        self.end(fault)
    }

    /// Calls off the jobs that are left of an execution that has ended.
    fn call_off_orphans(&mut self, now: Timestamp) -> Vec<Effect> {
        let left = self.live();
        // Past its deadline the provider forgets a job by itself.
        let is_hopeless = now - self.state.deadline_at >= FAREWELL
            || self.state.strikes > self.policy.max_strikes;
        if left.is_empty() || is_hopeless {
            for number in left {
                self.mark(number, AttemptState::Over);
            }
            return self.advance(Stage::Ended, Then::Rest);
        }
        self.stop(left, Vec::new())
    }

    /// What is made of the answers when all orphans were asked for.
    pub(super) fn orphans_asked(&mut self) -> Vec<Effect> {
        if self.live().is_empty() {
            return self.advance(Stage::Ended, Then::Rest);
        }
        self.state.looks = self.state.looks.saturating_add(1);
        let pause = self.policy.pause(self.state.looks, self.lease);
        self.advance(Stage::Ended, Then::After(pause))
    }

    /// A job of an ended execution needs no look: whatever it came to, nobody waits for it.
    pub(super) fn orphan_answered(&mut self, number: u32, answer: StopAnswer) {
        match answer {
            StopAnswer::Cancelled | StopAnswer::Ended | StopAnswer::NotFound => {
                self.mark(number, AttemptState::Over);
            }
            StopAnswer::Unavailable => {}
        }
    }
}
