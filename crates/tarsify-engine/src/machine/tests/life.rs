//! Whole lives, lease after lease, with crashes, callbacks and wishes to cancel in between.
//! The store of these tests is one row.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use tarsify_domain::Timestamp;
use tarsify_domain::execution::{
    Attempt, AttemptState, ProviderJobId, Stage, State, Then, Written,
};

use super::laws::{look_answer, stop_answer, submit_answer};
use super::{Effect, Event, Policy, Question, Task, at, lease, state, step};
use crate::provider::{LookAnswer, StopAnswer, SubmitAnswer};

/// What may happen during one lease.
#[derive(Debug, Clone)]
struct Luck {
    submit: SubmitAnswer,
    looks: [LookAnswer; 2],
    stop: StopAnswer,
    /// Of ten: 0 crashes after the first step, 1 before the write.
    crash: u8,
    /// Of ten: 0 and 1 tell of a job whose answer was lost.
    callback: u8,
    /// Of twenty: 0 asks to cancel.
    cancel: u8,
}

prop_compose! {
    fn luck()(
        submit in submit_answer(), looks in [look_answer(), look_answer()],
        stop in stop_answer(), crash in 0_u8..10, callback in 0_u8..10, cancel in 0_u8..20,
    ) -> Luck {
        Luck { submit, looks, stop, crash, callback, cancel }
    }
}

/// One execution and what has been counted about it.
struct Life {
    state: State,
    now: Timestamp,
    submissions: BTreeMap<u32, u32>,
    ends: u32,
    /// How many leases in a row asked for another one at once.
    hurry: u32,
    is_at_rest: bool,
}

impl Life {
    fn new() -> Self {
        Self {
            state: State {
                strikes: 0,
                ..state(Stage::Created, "")
            },
            now: at(0),
            submissions: BTreeMap::new(),
            ends: 0,
            hurry: 0,
            is_at_rest: false,
        }
    }

    fn claim(&mut self) -> Event {
        self.state.strikes += 1;
        let is_fresh_attempt =
            self.state.stage == Stage::Created && self.now < self.state.deadline_at;
        if is_fresh_attempt {
            self.state.stage = Stage::Submitting;
            self.state.attempts.push(Attempt {
                number: u32::try_from(self.state.attempts.len()).unwrap() + 1,
                state: AttemptState::Calling,
                job: None,
                called_at: self.now,
                missing_since: None,
                unreadable: 0,
            });
        }
        Event::Claimed { is_fresh_attempt }
    }

    fn lease(&mut self, luck: &Luck) {
        self.state.is_cancel_requested |= luck.cancel == 0 && self.state.stage < Stage::Ended;
        let mut next = Some(self.claim());
        let mut task = Task::new(lease(), self.state.clone(), Policy::default());
        let mut looks = luck.looks.iter().cycle();
        while let Some(event) = next.take() {
            let effects;
            (task, effects) = step(task, self.now, event);
            for effect in effects {
                next = self.carry_out(effect, luck, looks.next().unwrap()).or(next);
            }
            if luck.crash == 0 {
                break;
            }
        }
        if luck.callback < 2 {
            self.call_back();
        }
    }

    fn carry_out(&mut self, effect: Effect, luck: &Luck, look: &LookAnswer) -> Option<Event> {
        Some(match effect {
            Effect::Count(_) => return None,
            Effect::Ask(Question::Submit { attempt }) => {
                *self.submissions.entry(attempt).or_default() += 1;
                let is_worked_on = |attempt: &Attempt| attempt.live_job().is_some();
                assert!(
                    !self.state.attempts.iter().any(is_worked_on),
                    "a job is there already"
                );
                Event::Submitted(luck.submit.clone())
            }
            Effect::Ask(Question::Look { .. }) => Event::Looked(look.clone()),
            Effect::Ask(Question::Stop { .. }) => Event::Stopped(luck.stop),
            Effect::Advance(_) | Effect::Settle(_) if luck.crash == 1 => {
                self.now += Duration::from_secs(30);
                Event::WriteLost
            }
            Effect::Advance(advance) => {
                assert_eq!(self.state.stage, advance.from);
                self.state.stage = advance.to;
                self.state.looks = advance.looks;
                self.store(advance.attempts);
                self.wait(advance.then);
                Event::Written(Written::Applied { is_due: false })
            }
            Effect::Settle(settlement) => {
                assert_eq!(self.state.stage, settlement.from);
                self.ends += 1;
                self.state.stage = Stage::Ended;
                self.state.looks = 0;
                self.store(settlement.attempts);
                let then = Then::After(Duration::ZERO);
                self.wait(if settlement.has_orphans {
                    then
                } else {
                    Then::Rest
                });
                Event::Written(Written::Applied { is_due: false })
            }
        })
    }

    fn store(&mut self, changed: Vec<Attempt>) {
        self.state.strikes = 0;
        for attempt in changed {
            let place = usize::try_from(attempt.number - 1).unwrap();
            self.state.attempts[place] = attempt;
        }
    }

    fn wait(&mut self, then: Then) {
        match then {
            Then::After(Duration::ZERO) => self.hurry += 1,
            Then::After(wait) => {
                self.hurry = 0;
                let until = self.now + wait;
                self.now = match self.state.stage {
                    Stage::Ended => until,
                    // The sweeper does not wait longer.
                    _ => until.min(self.now.max(self.state.deadline_at)),
                };
            }
            Then::Rest => self.is_at_rest = true,
        }
    }

    /// A callback tells of the job of an attempt whose answer was lost.
    fn call_back(&mut self) {
        if self.state.stage == Stage::Ended {
            return;
        }
        let mut attempts = self.state.attempts.iter_mut();
        let lost = |attempt: &&mut Attempt| {
            attempt.job.is_none()
                && matches!(attempt.state, AttemptState::Lost | AttemptState::Calling)
        };
        if let Some(attempt) = attempts.find(lost) {
            attempt.job = ProviderJobId::parse(&format!("called-{}", attempt.number)).ok();
            self.hurry = 0;
        }
    }

    fn check(&self) {
        let count = |state| {
            let attempts = self.state.attempts.iter();
            attempts.filter(|attempt| attempt.state == state).count()
        };
        assert!(self.ends <= 1);
        assert!(
            self.submissions.values().all(|count| *count == 1),
            "asked twice"
        );
        assert!(count(AttemptState::Won) <= 1);
        let without_effect = count(AttemptState::Undone) + count(AttemptState::Refused);
        assert!(
            self.state.attempts.len() - without_effect <= 2,
            "too many jobs"
        );
        assert!(
            self.hurry <= 4,
            "a lease that does nothing asks for the next at once"
        );
        if self.is_at_rest {
            assert_eq!(self.state.stage, Stage::Ended, "an execution is forgotten");
            let is_live = |attempt: &Attempt| attempt.live_job().is_some();
            assert!(
                !self.state.attempts.iter().any(is_live),
                "a job is forgotten"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_life_has_one_end_and_nothing_is_left(
        luck in prop::collection::vec(luck(), 1..60),
    ) {
        let mut life = Life::new();
        for (turn, luck) in luck.iter().cycle().enumerate() {
            let crash = if turn < 300 { luck.crash } else { 9 };
            let luck = Luck { crash, ..luck.clone() };
            let is_late = life.now >= life.state.deadline_at;
            life.lease(&luck);
            if crash == 0 {
                life.now += Duration::from_secs(30);
            }
            life.check();
            let has_ended = life.state.stage == Stage::Ended;
            prop_assert!(has_ended || !is_late || crash < 2, "it goes on past its deadline");
            if life.is_at_rest {
                break;
            }
            prop_assert!(turn < 2000, "it never ends: {:?}", life.state);
        }
        prop_assert_eq!(life.ends, 1);
    }
}
