//! What the machine does with each answer at each stage, as tables, and laws that hold for any
//! state and any events.

mod begin;
mod cancel;
mod deadline;
mod laws;
mod life;
mod look;
mod orphans;
mod policy;
mod submit;
mod two_jobs;
mod unknown;

use std::time::Duration;

use serde_json::{Value, json};
use tarsify_domain::Timestamp;
use tarsify_domain::execution::{
    Advance, Attempt, AttemptState, Lease, ProviderJobId, Settlement, Stage, State, Then, Written,
};
use time::macros::datetime;

use super::{Effect, Event, Policy, Question, Task, step};
use crate::provider::{JobStatus, JobView, LookAnswer, StopAnswer, SubmitAnswer};

const BEGIN: Timestamp = datetime!(2026-03-01 12:00 UTC);
const DEADLINE: i64 = 1200;

const CLAIMED: Event = Event::Claimed {
    is_fresh_attempt: false,
};
const CLAIMED_FRESH: Event = Event::Claimed {
    is_fresh_attempt: true,
};
const APPLIED: Event = Event::Written(Written::Applied { is_due: false });
const REFUSED: Event = Event::Written(Written::Refused);
const SILENCE: Event = Event::Looked(LookAnswer::Unavailable { retry_after: None });

/// So many seconds after the execution began.
fn at(seconds: i64) -> Timestamp {
    BEGIN + time::Duration::seconds(seconds)
}

/// A lease whose waits are not shortened at all.
fn lease() -> Lease {
    Lease {
        id: "00000000-0000-0000-0000-000000000000".parse().unwrap(),
        epoch: 0,
    }
}

/// Attempts called at the beginning, from `"lost accepted:b"`.
fn attempts(words: &str) -> Vec<Attempt> {
    let attempt = |(number, word): (u32, &str)| {
        let (state, job) = word.split_once(':').unwrap_or((word, ""));
        Attempt {
            number,
            state: AttemptState::parse(state).unwrap(),
            job: ProviderJobId::parse(job).ok(),
            called_at: at(0),
            missing_since: None,
            unreadable: 0,
        }
    };
    (1..).zip(words.split_whitespace()).map(attempt).collect()
}

/// An execution at this stage with these attempts, under its first lease in a row.
fn state(stage: Stage, words: &str) -> State {
    State {
        stage,
        attempts: attempts(words),
        looks: 0,
        strikes: 1,
        is_cancel_requested: false,
        progress: None,
        created_at: at(0),
        deadline_at: at(DEADLINE),
    }
}

fn cancelled(stage: Stage, words: &str) -> State {
    State {
        is_cancel_requested: true,
        ..state(stage, words)
    }
}

/// What follows from each of the events, at `seconds`.
fn play(state: State, seconds: i64, events: &[Event]) -> (Task, Vec<String>) {
    let mut task = Task::new(lease(), state, Policy::default());
    let mut told = Vec::new();
    for event in events {
        let effects;
        (task, effects) = step(task, at(seconds), event.clone());
        told.push(tell(&effects));
    }
    (task, told)
}

/// What follows from the last of the events.
fn last(state: State, seconds: i64, events: &[Event]) -> String {
    play(state, seconds, events).1.pop().unwrap()
}

/// A row of a table: why, the state, when, what happens, and what follows from the last of it.
type Row = (&'static str, State, i64, Vec<Event>, &'static str);

fn check(table: Vec<Row>) {
    for (why, state, seconds, events, expected) in table {
        assert_eq!(last(state, seconds, &events), expected, "{why}");
    }
}

fn submitted(answer: SubmitAnswer) -> Event {
    Event::Submitted(answer)
}

fn accepted(job: &str) -> Event {
    submitted(SubmitAnswer::Accepted(ProviderJobId::parse(job).unwrap()))
}

fn undone(retry_after: Option<u64>) -> Event {
    let retry_after = retry_after.map(Duration::from_secs);
    submitted(SubmitAnswer::Undone { retry_after })
}

fn seen(status: JobStatus) -> Event {
    Event::Looked(LookAnswer::Seen(JobView {
        status,
        queue_ms: Some(5),
        run_ms: Some(70),
    }))
}

fn in_queue() -> Event {
    seen(JobStatus::InQueue)
}

fn running(progress: Value) -> Event {
    let progress = Some(progress).filter(|progress| !progress.is_null());
    seen(JobStatus::InProgress { progress })
}

fn completed(output: Value) -> Event {
    let output = Some(output);
    seen(JobStatus::Completed { output })
}

fn failed(message: &str) -> Event {
    let message = Some(message.to_owned());
    seen(JobStatus::Failed { message })
}

fn unavailable(seconds: u64) -> Event {
    let retry_after = Some(Duration::from_secs(seconds));
    Event::Looked(LookAnswer::Unavailable { retry_after })
}

fn not_found() -> Event {
    Event::Looked(LookAnswer::NotFound)
}

fn stopped(answer: StopAnswer) -> Event {
    Event::Stopped(answer)
}

fn tell(effects: &[Effect]) -> String {
    let told: Vec<String> = effects.iter().map(tell_one).collect();
    told.join("; ")
}

fn tell_one(effect: &Effect) -> String {
    match effect {
        Effect::Ask(Question::Submit { attempt }) => format!("submit {attempt}"),
        Effect::Ask(Question::Look { attempt, job }) => format!("look {attempt}:{}", job.as_str()),
        Effect::Ask(Question::Stop { attempt, job }) => format!("stop {attempt}:{}", job.as_str()),
        Effect::Count(what) => format!("count {what:?}"),
        Effect::Advance(advance) => tell_advance(advance),
        Effect::Settle(settlement) => tell_settlement(settlement),
    }
}

/// `unknown>queued after 3s [1 accepted:a] accepted`
fn tell_advance(advance: &Advance) -> String {
    let then = match advance.then {
        Then::After(wait) => format!("after {}s", wait.as_secs_f64()),
        Then::Rest => "rest".to_owned(),
    };
    let (from, to) = (advance.from.as_str(), advance.to.as_str());
    let mut told = format!("{from}>{to} {then}");
    told.push_str(&tell_attempts(&advance.attempts));
    for event in &advance.events {
        told.push(' ');
        told.push_str(event.kind.as_str());
        if let Some(data) = event.data.get("data") {
            told.push_str(&format!("={data}"));
        }
    }
    told
}

/// `queued>FAILED lost [1 over:a]`
fn tell_settlement(settlement: &Settlement) -> String {
    let ending = settlement.ending.as_str();
    let mut told = format!("{}>{ending}", settlement.from.as_str());
    if let Some(reason) = settlement.reason {
        told.push_str(&format!(" {}", reason.as_str()));
    }
    if let Some(output) = &settlement.output {
        told.push_str(&format!(" {output}"));
    }
    told.push_str(&tell_attempts(&settlement.attempts));
    if settlement.has_orphans {
        told.push_str(" with orphans");
    }
    told
}

fn tell_attempts(attempts: &[Attempt]) -> String {
    if attempts.is_empty() {
        return String::new();
    }
    let told = attempts.iter().map(|attempt| {
        let job = attempt.job.as_ref().map(|job| format!(":{}", job.as_str()));
        let (number, state) = (attempt.number, attempt.state.as_str());
        format!("{number} {state}{}", job.unwrap_or_default())
    });
    format!(" [{}]", told.collect::<Vec<_>>().join(", "))
}

#[test]
fn events_that_nobody_waits_for_change_nothing() {
    let waiting = [
        ("starting", state(Stage::Queued, "accepted:a"), vec![]),
        (
            "submitting",
            state(Stage::Submitting, "calling"),
            vec![CLAIMED_FRESH],
        ),
        ("looking", state(Stage::Queued, "accepted:a"), vec![CLAIMED]),
        (
            "stopping",
            cancelled(Stage::Queued, "accepted:a"),
            vec![CLAIMED],
        ),
        (
            "writing",
            state(Stage::Queued, "accepted:a"),
            vec![CLAIMED, in_queue()],
        ),
        (
            "done",
            state(Stage::Queued, "accepted:a"),
            vec![CLAIMED, in_queue(), APPLIED],
        ),
    ];
    let events = [
        CLAIMED,
        accepted("z"),
        completed(json!(1)),
        stopped(StopAnswer::Cancelled),
        APPLIED,
    ];
    for (index, (why, state, before)) in waiting.into_iter().enumerate() {
        let (task, _) = play(state, 5, &before);
        for (place, event) in events.iter().enumerate() {
            if place == index {
                continue;
            }
            let (after, effects) = step(task.clone(), at(6), event.clone());
            assert_eq!(effects, [], "{why}: {event:?}");
            assert_eq!(after, task, "{why}: {event:?}");
        }
    }
}

#[test]
fn a_task_is_done_when_its_write_was_answered() {
    for answer in [APPLIED, REFUSED, Event::WriteLost] {
        let (task, _) = play(
            state(Stage::Queued, "accepted:a"),
            5,
            &[CLAIMED, in_queue()],
        );
        assert!(!task.is_done());
        assert_eq!(task.stage(), Stage::Queued);
        let (task, _) = step(task, at(6), answer);
        assert!(task.is_done());
    }
}
