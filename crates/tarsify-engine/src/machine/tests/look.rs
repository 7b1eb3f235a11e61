//! The answers to a look at one job.

use serde_json::json;
use tarsify_domain::execution::{Stage, State};

use super::{
    CLAIMED, DEADLINE, Effect, Event, Policy, Row, SILENCE, Task, at, check, completed, failed,
    in_queue, last, lease, not_found, play, running, seen, state, step, tell, unavailable,
};
use crate::provider::{JobStatus, LookAnswer};

fn queued() -> State {
    state(Stage::Queued, "accepted:a")
}

fn busy() -> State {
    state(Stage::Running, "accepted:a")
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn each_answer_leads_somewhere() {
    let table: Vec<Row> = vec![
        (
            "still waiting",
            queued(),
            5,
            vec![CLAIMED, in_queue()],
            "queued>queued after 1s [1 accepted:a]",
        ),
        (
            "at work now",
            queued(),
            5,
            vec![CLAIMED, running(json!(null))],
            "queued>running after 1s [1 accepted:a] started",
        ),
        (
            "at work now, and it tells of it",
            queued(),
            5,
            vec![CLAIMED, running(json!({"step": 3}))],
            "queued>running after 1s [1 accepted:a] started progress={\"step\":3}",
        ),
        (
            "still at work",
            busy(),
            5,
            vec![CLAIMED, running(json!(null))],
            "running>running after 1s [1 accepted:a]",
        ),
        (
            "a status that goes backwards",
            busy(),
            5,
            vec![CLAIMED, in_queue()],
            "running>running after 1s [1 accepted:a]",
        ),
        (
            "a status that we do not know",
            busy(),
            5,
            vec![CLAIMED, seen(JobStatus::Unknown)],
            "count UnknownStatus; running>running after 1s [1 accepted:a]",
        ),
        (
            "done without ever being seen at work",
            queued(),
            5,
            vec![CLAIMED, completed(json!({"image": "x"}))],
            "queued>COMPLETED {\"image\":\"x\"} [1 won:a]",
        ),
        (
            "failed",
            busy(),
            5,
            vec![CLAIMED, failed("CUDA out of memory")],
            "running>FAILED provider_error [1 over:a]",
        ),
        (
            "stopped for taking too long",
            busy(),
            5,
            vec![CLAIMED, seen(JobStatus::TimedOut)],
            "running>TIMED_OUT provider_timeout [1 over:a]",
        ),
        (
            "called off at the provider",
            busy(),
            5,
            vec![CLAIMED, seen(JobStatus::Cancelled)],
            "running>CANCELLED cancelled_by_provider [1 over:a]",
        ),
        (
            "too large, and perhaps not even at its end",
            busy(),
            5,
            vec![CLAIMED, Event::Looked(LookAnswer::TooLarge)],
            "running>FAILED output_too_large [1 orphaned:a] with orphans",
        ),
        (
            "silent",
            queued(),
            5,
            vec![CLAIMED, SILENCE],
            "queued>queued after 1s",
        ),
        (
            "asks for patience",
            queued(),
            5,
            vec![CLAIMED, unavailable(20)],
            "queued>queued after 20s",
        ),
        (
            "asks for more patience than there is",
            queued(),
            5,
            vec![CLAIMED, unavailable(7200)],
            "queued>queued after 60s",
        ),
    ];
    check(table);
}

#[test]
fn nothing_is_no_result_and_what_is_like_nothing_is_one() {
    for output in [json!(false), json!([]), json!(""), json!(0), json!({})] {
        let told = last(busy(), 5, &[CLAIMED, completed(output.clone())]);
        assert_eq!(told, format!("running>COMPLETED {output} [1 won:a]"));
    }
    for output in [None, Some(json!(null))] {
        let told = last(busy(), 5, &[CLAIMED, seen(JobStatus::Completed { output })]);
        assert_eq!(told, "running>FAILED output_missing [1 over:a]");
    }
}

#[test]
fn the_end_carries_the_times_and_what_the_model_said() {
    let mut task = Task::new(lease(), busy(), Policy::default());
    (task, _) = step(task, at(5), CLAIMED);
    let (_, effects) = step(task.clone(), at(5), failed("CUDA out of memory"));
    let [Effect::Settle(settlement)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(settlement.message.as_deref(), Some("CUDA out of memory"));
    assert_eq!(
        (settlement.queue_ms, settlement.run_ms),
        (Some(5), Some(70))
    );
    let (_, effects) = step(task, at(5), seen(JobStatus::Failed { message: None }));
    let [Effect::Settle(settlement)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(
        settlement.message.as_deref(),
        Some("The model reported an error.")
    );
}

#[test]
fn progress_is_told_once_and_never_is_the_result() {
    let mut told_before = busy();
    told_before.progress = Some(json!("half"));
    let same = last(told_before.clone(), 5, &[CLAIMED, running(json!("half"))]);
    assert_eq!(same, "running>running after 1s [1 accepted:a]");
    let more = last(told_before, 5, &[CLAIMED, running(json!("most"))]);
    assert_eq!(
        more,
        "running>running after 1s [1 accepted:a] progress=\"most\""
    );
}

#[test]
fn looks_become_rarer() {
    for (looks, expected) in [(0, 1), (1, 2), (2, 3), (3, 5), (4, 8), (5, 15), (900, 15)] {
        let mut looked = queued();
        looked.looks = looks;
        let mut task = Task::new(lease(), looked, Policy::default());
        (task, _) = step(task, at(5), CLAIMED);
        let (_, effects) = step(task, at(5), in_queue());
        let wanted = format!("queued>queued after {expected}s [1 accepted:a]");
        assert_eq!(tell(&effects), wanted);
        let Some(Effect::Advance(advance)) = effects.last() else {
            panic!("{effects:?}");
        };
        assert_eq!(advance.looks, looks + 1);
    }
}

/// Plays one look after the other, each from what the one before wrote.
fn looks(mut state: State, answers: &[(i64, Event)]) -> Vec<String> {
    let mut told = Vec::new();
    for (seconds, answer) in answers {
        let mut task = Task::new(lease(), state.clone(), Policy::default());
        let mut effects;
        (task, _) = step(task, at(*seconds), CLAIMED);
        (task, effects) = step(task, at(*seconds), answer.clone());
        told.push(tell(&effects));
        if let Some(Effect::Advance(advance)) = effects.pop() {
            state.stage = task.stage();
            state.looks = 0;
            for changed in advance.attempts {
                let place = usize::try_from(changed.number - 1).unwrap();
                state.attempts[place] = changed;
            }
        }
    }
    told
}

#[test]
fn a_job_is_lost_when_it_was_missing_for_a_minute() {
    let still = "queued>queued after 1s [1 accepted:a]";
    let quiet = "queued>queued after 1s";
    let lost = "queued>FAILED lost [1 over:a]";
    let table = [
        ("too young to be known", vec![(5, not_found(), quiet)]),
        (
            "a minute is counted from the first time that is not too young",
            vec![
                (5, not_found(), quiet),
                (20, not_found(), still),
                (70, not_found(), still),
                (79, not_found(), still),
                (80, not_found(), lost),
            ],
        ),
        (
            "it was seen in between",
            vec![
                (20, not_found(), still),
                (50, in_queue(), still),
                (80, not_found(), still),
                (139, not_found(), still),
                (140, not_found(), lost),
            ],
        ),
        (
            "silence in between says nothing",
            vec![
                (20, not_found(), still),
                (50, SILENCE, quiet),
                (80, not_found(), lost),
            ],
        ),
        (
            "silence alone loses nothing",
            vec![(20, not_found(), still), (900, SILENCE, quiet)],
        ),
    ];
    for (why, rows) in table {
        let answers: Vec<_> = rows
            .iter()
            .map(|(when, event, _)| (*when, event.clone()))
            .collect();
        let expected: Vec<_> = rows.iter().map(|(.., expected)| *expected).collect();
        assert_eq!(looks(queued(), &answers), expected, "{why}");
    }
}

#[test]
fn the_fifth_unreadable_answer_in_a_row_is_the_last() {
    let unreadable = || (30, Event::Looked(LookAnswer::Unreadable));
    let told = looks(
        busy(),
        &[
            unreadable(),
            unreadable(),
            unreadable(),
            unreadable(),
            unreadable(),
        ],
    );
    assert_eq!(told[3], "running>running after 1s [1 accepted:a]");
    assert_eq!(
        told[4],
        "running>FAILED output_unreadable [1 orphaned:a] with orphans"
    );
    let mended = [
        unreadable(),
        unreadable(),
        unreadable(),
        unreadable(),
        (30, running(json!(null))),
        unreadable(),
        unreadable(),
        unreadable(),
        unreadable(),
    ];
    let told = looks(busy(), &mended);
    assert_eq!(told[8], "running>running after 1s [1 accepted:a]");
}

#[test]
fn a_look_before_the_deadline_is_no_last_one() {
    let told = play(busy(), DEADLINE - 1, &[CLAIMED, running(json!(null))]).1;
    assert_eq!(told[1], "running>running after 1s [1 accepted:a]");
}
