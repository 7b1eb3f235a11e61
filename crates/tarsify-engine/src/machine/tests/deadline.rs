//! Past the deadline, at each stage: one last look, and the end.

use serde_json::json;
use tarsify_domain::execution::Stage;

use super::{
    CLAIMED, DEADLINE, Event, Row, SILENCE, cancelled, check, completed, failed, not_found,
    running, seen, state,
};
use crate::provider::{JobStatus, LookAnswer};

#[test]
fn each_stage_ends() {
    let table: Vec<Row> = vec![
        (
            "never submitted",
            state(Stage::Created, "undone"),
            DEADLINE,
            vec![CLAIMED],
            "created>TIMED_OUT deadline",
        ),
        (
            "its worker was gone",
            state(Stage::Submitting, "calling"),
            DEADLINE,
            vec![CLAIMED],
            "submitting>TIMED_OUT deadline [1 lost]",
        ),
        (
            "its job was never known",
            state(Stage::Unknown, "lost lost"),
            DEADLINE,
            vec![CLAIMED],
            "unknown>TIMED_OUT deadline",
        ),
        (
            "a callback told of its job: a last look",
            state(Stage::Unknown, "lost lost:b"),
            DEADLINE,
            vec![CLAIMED],
            "look 2:b",
        ),
        (
            "a last look while it waits to be submitted again",
            state(Stage::Created, "lost:a"),
            DEADLINE,
            vec![CLAIMED],
            "look 1:a",
        ),
        (
            "a last look at what waits",
            state(Stage::Queued, "accepted:a"),
            DEADLINE,
            vec![CLAIMED],
            "look 1:a",
        ),
        (
            "a last look at what runs, called off or not",
            cancelled(Stage::Running, "accepted:a"),
            DEADLINE,
            vec![CLAIMED],
            "look 1:a",
        ),
    ];
    check(table);
}

#[test]
fn the_last_look_decides() {
    let late = |answer| vec![CLAIMED, answer];
    let job = || state(Stage::Running, "accepted:a");
    let table: Vec<Row> = vec![
        (
            "there is a result after all",
            job(),
            DEADLINE + 50,
            late(completed(json!(1))),
            "running>COMPLETED 1 [1 won:a]",
        ),
        (
            "it still runs and is called off",
            job(),
            DEADLINE,
            late(running(json!("most"))),
            "count Orphan; running>TIMED_OUT deadline [1 orphaned:a] with orphans",
        ),
        (
            "nobody says",
            job(),
            DEADLINE,
            late(SILENCE),
            "count Orphan; running>TIMED_OUT deadline [1 orphaned:a] with orphans",
        ),
        (
            "it failed by itself",
            job(),
            DEADLINE,
            late(failed("no")),
            "running>FAILED provider_error [1 over:a]",
        ),
        (
            "the provider ended it",
            job(),
            DEADLINE,
            late(seen(JobStatus::TimedOut)),
            "running>TIMED_OUT provider_timeout [1 over:a]",
        ),
        (
            "the provider forgets jobs past their time to live",
            job(),
            DEADLINE,
            late(not_found()),
            "count Orphan; running>TIMED_OUT deadline [1 orphaned:a] with orphans",
        ),
        (
            "the result is too large",
            job(),
            DEADLINE,
            late(Event::Looked(LookAnswer::TooLarge)),
            "running>FAILED output_too_large [1 orphaned:a] with orphans",
        ),
    ];
    check(table);
}

#[test]
fn a_job_that_was_missing_before_is_late_and_not_lost() {
    let mut missing = state(Stage::Running, "accepted:a");
    missing.attempts[0].missing_since = Some(super::at(DEADLINE - 100));
    let told = super::last(missing, DEADLINE, &[CLAIMED, not_found()]);
    assert_eq!(told, "running>TIMED_OUT deadline [1 over:a]");
}

#[test]
fn a_fault_of_one_job_is_not_the_end_of_another_that_still_runs() {
    let two = || state(Stage::Running, "accepted:a accepted:b");
    let table: Vec<Row> = vec![
        (
            "both are asked for",
            two(),
            DEADLINE,
            vec![CLAIMED, failed("no")],
            "look 1:a",
        ),
        (
            "one failed, one runs",
            two(),
            DEADLINE,
            vec![CLAIMED, failed("no"), running(json!(null))],
            "count Orphan; running>TIMED_OUT deadline [1 orphaned:a, 2 over:b] with orphans",
        ),
        (
            "both failed",
            two(),
            DEADLINE,
            vec![CLAIMED, failed("no"), failed("no")],
            "running>FAILED provider_error [1 over:a, 2 over:b]",
        ),
    ];
    check(table);
}
