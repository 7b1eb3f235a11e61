//! Laws that hold whatever the state is and whatever happens.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tarsify_domain::execution::{
    Attempt, AttemptState, Ending, ProviderJobId, Stage, State, Written,
};

use super::{Effect, Event, Policy, Question, Task, at, lease, state, step};
use crate::provider::{JobStatus, JobView, LookAnswer, StopAnswer, SubmitAnswer};

fn job() -> impl Strategy<Value = ProviderJobId> {
    "[a-d]".prop_map(|id| ProviderJobId::parse(&id).unwrap())
}

fn patience() -> impl Strategy<Value = Option<Duration>> {
    prop::option::of(any::<u64>().prop_map(Duration::from_secs))
}

pub(super) fn submit_answer() -> impl Strategy<Value = SubmitAnswer> {
    prop_oneof![
        job().prop_map(SubmitAnswer::Accepted),
        Just(SubmitAnswer::Refused),
        patience().prop_map(|retry_after| SubmitAnswer::Undone { retry_after }),
        Just(SubmitAnswer::Lost),
    ]
}

fn value() -> impl Strategy<Value = Option<Value>> {
    select(vec![
        None,
        Some(json!(null)),
        Some(json!(false)),
        Some(json!({"a": 1})),
    ])
}

fn status() -> impl Strategy<Value = JobStatus> {
    prop_oneof![
        3 => Just(JobStatus::InQueue),
        3 => value().prop_map(|progress| JobStatus::InProgress { progress }),
        1 => value().prop_map(|output| JobStatus::Completed { output }),
        1 => Just(JobStatus::Failed { message: None }),
        1 => Just(JobStatus::TimedOut),
        1 => Just(JobStatus::Cancelled),
        1 => Just(JobStatus::Unknown),
    ]
}

pub(super) fn look_answer() -> impl Strategy<Value = LookAnswer> {
    prop_oneof![
        6 => (status(), any::<Option<i64>>()).prop_map(|(status, queue_ms)| {
            LookAnswer::Seen(JobView { status, queue_ms, run_ms: queue_ms })
        }),
        2 => Just(LookAnswer::NotFound),
        1 => Just(LookAnswer::TooLarge),
        2 => Just(LookAnswer::Unreadable),
        2 => patience().prop_map(|retry_after| LookAnswer::Unavailable { retry_after }),
    ]
}

pub(super) fn stop_answer() -> impl Strategy<Value = StopAnswer> {
    select(vec![
        StopAnswer::Cancelled,
        StopAnswer::Ended,
        StopAnswer::NotFound,
        StopAnswer::Unavailable,
    ])
}

fn written() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<bool>().prop_map(|is_due| Event::Written(Written::Applied { is_due })),
        Just(Event::Written(Written::Refused)),
        Just(Event::WriteLost),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<bool>().prop_map(|is_fresh_attempt| Event::Claimed { is_fresh_attempt }),
        submit_answer().prop_map(Event::Submitted),
        look_answer().prop_map(Event::Looked),
        stop_answer().prop_map(Event::Stopped),
        written(),
    ]
}

prop_compose! {
    fn attempt()(
        state in select(AttemptState::ALL), job in prop::option::of(job()),
        called_at in -2000_i64..2000, missing in prop::option::of(-2000_i64..2000),
        unreadable in 0_u32..7,
    ) -> Attempt {
        Attempt {
            number: 0,
            state,
            job,
            called_at: at(called_at),
            missing_since: missing.map(at),
            unreadable,
        }
    }
}

prop_compose! {
    fn any_state()(
        stage in select(Stage::ALL), mut attempts in prop::collection::vec(attempt(), 0..5),
        looks in prop_oneof![0_u32..9, Just(u32::MAX)], strikes in 0_u32..8,
        is_cancel_requested in any::<bool>(), progress in value(), deadline in -500_i64..2500,
    ) -> State {
        for (number, attempt) in (1..).zip(&mut attempts) {
            attempt.number = number;
        }
        State {
            attempts,
            looks,
            strikes,
            is_cancel_requested,
            progress,
            deadline_at: at(deadline),
            ..state(stage, "")
        }
    }
}

/// What a task has asked for so far.
#[derive(Default)]
struct Seen {
    submissions: u32,
    ends: u32,
}

impl Seen {
    /// Checks the effects of one step that began in `stage`.
    fn check(&mut self, numbers: &BTreeSet<u32>, stage: Stage, effects: &[Effect]) {
        let waiting = effects
            .iter()
            .filter(|effect| !matches!(effect, Effect::Count(_)));
        assert!(waiting.count() <= 1, "{effects:?}");
        for effect in effects {
            match effect {
                Effect::Ask(Question::Submit { attempt }) => {
                    assert!(numbers.contains(attempt));
                    assert_eq!(stage, Stage::Submitting);
                    self.submissions += 1;
                }
                Effect::Advance(advance) => {
                    assert_eq!(advance.from, stage);
                    assert!(advance.from == advance.to || advance.from.may_become(advance.to));
                    check_numbers(numbers, &advance.attempts);
                }
                Effect::Settle(settlement) => {
                    assert_eq!(settlement.from, stage);
                    assert_ne!(settlement.from, Stage::Ended);
                    check_numbers(numbers, &settlement.attempts);
                    let count = |state| {
                        let attempts = settlement.attempts.iter();
                        attempts.filter(|attempt| attempt.state == state).count()
                    };
                    let is_completed = settlement.ending == Ending::Completed;
                    assert_eq!(is_completed, settlement.output.is_some());
                    assert_eq!(is_completed, settlement.reason.is_none());
                    assert_eq!(is_completed, settlement.message.is_none());
                    assert_eq!(usize::from(is_completed), count(AttemptState::Won));
                    assert_eq!(settlement.has_orphans, count(AttemptState::Orphaned) > 0);
                    self.ends += 1;
                }
                Effect::Ask(_) | Effect::Count(_) => {}
            }
        }
        assert!(self.submissions <= 1 && self.ends <= 1);
    }
}

fn check_numbers(numbers: &BTreeSet<u32>, changed: &[Attempt]) {
    let written: BTreeSet<u32> = changed.iter().map(|attempt| attempt.number).collect();
    assert_eq!(written.len(), changed.len(), "an attempt is written twice");
    assert!(written.is_subset(numbers), "{written:?} of {numbers:?}");
}

/// The event that the last effects wait for, out of those at hand.
fn fitting(effects: &[Effect], events: &[Event], turn: usize) -> Option<Event> {
    let fits = |event: &&Event| {
        effects.iter().any(|effect| {
            matches!(
                (effect, event),
                (Effect::Ask(Question::Submit { .. }), Event::Submitted(_))
                    | (Effect::Ask(Question::Look { .. }), Event::Looked(_))
                    | (Effect::Ask(Question::Stop { .. }), Event::Stopped(_))
                    | (
                        Effect::Advance(_) | Effect::Settle(_),
                        Event::Written(_) | Event::WriteLost
                    )
            )
        })
    };
    let fitting: Vec<&Event> = events.iter().filter(fits).collect();
    let place = turn.checked_rem(fitting.len())?;
    fitting.get(place).copied().cloned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn no_state_and_no_events_break_a_rule(
        state in any_state(), is_fresh_attempt in any::<bool>(), now in -100_i64..3000,
        events in prop::collection::vec(event(), 1..40), noise in any::<u64>(),
    ) {
        let numbers = state.attempts.iter().map(|attempt| attempt.number).collect();
        let mut task = Task::new(lease(), state, Policy::default());
        let mut seen = Seen::default();
        let mut next = Some(Event::Claimed { is_fresh_attempt });
        let mut waiting = Vec::new();
        for turn in 0..40 {
            // Sometimes something comes that nobody waits for, or not yet.
            let is_noise = noise >> turn & 1 == 1;
            let event = match next.take().filter(|_| !is_noise || turn == 0) {
                Some(event) => event,
                None => events[turn % events.len()].clone(),
            };
            let stage = task.stage();
            let effects;
            (task, effects) = step(task, at(now), event);
            seen.check(&numbers, stage, &effects);
            if !effects.is_empty() {
                waiting = effects;
            }
            next = fitting(&waiting, &events, turn);
        }
    }
}
