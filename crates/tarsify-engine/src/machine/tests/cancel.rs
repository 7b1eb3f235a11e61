//! Calling executions off, at each stage.

use serde_json::json;
use tarsify_domain::execution::Stage;

use super::{
    CLAIMED, CLAIMED_FRESH, Row, SILENCE, cancelled, check, completed, failed, running, stopped,
};
use crate::provider::StopAnswer;

#[test]
fn each_stage_is_called_off() {
    let table: Vec<Row> = vec![
        (
            "before the first attempt",
            cancelled(Stage::Created, ""),
            5,
            vec![CLAIMED],
            "created>CANCELLED cancelled_by_caller",
        ),
        (
            "when it is about to be submitted: it never runs",
            cancelled(Stage::Submitting, "calling"),
            5,
            vec![CLAIMED_FRESH],
            "submitting>CANCELLED cancelled_by_caller [1 undone]",
        ),
        (
            "about to be submitted again, while the first job is known by now",
            cancelled(Stage::Submitting, "lost:a calling"),
            95,
            vec![CLAIMED_FRESH],
            "stop 1:a",
        ),
        (
            "after its worker was gone",
            cancelled(Stage::Submitting, "calling"),
            40,
            vec![CLAIMED],
            "submitting>CANCELLED cancelled_by_caller [1 lost]",
        ),
        (
            "when nobody knows its job",
            cancelled(Stage::Unknown, "lost"),
            40,
            vec![CLAIMED],
            "unknown>CANCELLED cancelled_by_caller",
        ),
        (
            "when a callback told of its job",
            cancelled(Stage::Unknown, "lost:a"),
            40,
            vec![CLAIMED],
            "stop 1:a",
        ),
        (
            "while it waits",
            cancelled(Stage::Queued, "accepted:a"),
            40,
            vec![CLAIMED],
            "stop 1:a",
        ),
        (
            "while it runs",
            cancelled(Stage::Running, "accepted:a"),
            40,
            vec![CLAIMED],
            "stop 1:a",
        ),
        (
            "when it has ended there is nothing left to do",
            cancelled(Stage::Ended, "won:a"),
            40,
            vec![CLAIMED],
            "ended>ended rest",
        ),
    ];
    check(table);
}

#[test]
fn each_answer_leads_somewhere() {
    let queued = || cancelled(Stage::Queued, "accepted:a");
    let table: Vec<Row> = vec![
        (
            "stopped",
            queued(),
            40,
            vec![CLAIMED, stopped(StopAnswer::Cancelled)],
            "queued>CANCELLED cancelled_by_caller [1 over:a]",
        ),
        (
            "unknown to the provider",
            queued(),
            40,
            vec![CLAIMED, stopped(StopAnswer::NotFound)],
            "queued>CANCELLED cancelled_by_caller [1 over:a]",
        ),
        (
            "not yet known to the provider: asked again in the background",
            queued(),
            5,
            vec![CLAIMED, stopped(StopAnswer::NotFound)],
            "count Orphan; queued>CANCELLED cancelled_by_caller [1 orphaned:a] with orphans",
        ),
        (
            "silence: asked again in the background",
            queued(),
            40,
            vec![CLAIMED, stopped(StopAnswer::Unavailable)],
            "count Orphan; queued>CANCELLED cancelled_by_caller [1 orphaned:a] with orphans",
        ),
        (
            "it has ended: how?",
            queued(),
            40,
            vec![CLAIMED, stopped(StopAnswer::Ended)],
            "look 1:a",
        ),
    ];
    check(table);
}

#[test]
fn a_job_that_had_ended_by_then_still_counts() {
    let late = |look| vec![CLAIMED, stopped(StopAnswer::Ended), look];
    let running_one = || cancelled(Stage::Running, "accepted:a");
    let table: Vec<Row> = vec![
        (
            "with a result",
            running_one(),
            40,
            late(completed(json!(1))),
            "running>COMPLETED 1 [1 won:a]",
        ),
        (
            "with a fault: he had called it off",
            running_one(),
            40,
            late(failed("no")),
            "running>CANCELLED cancelled_by_caller [1 over:a]",
        ),
        (
            "not really",
            running_one(),
            40,
            late(running(json!(null))),
            "count Orphan; running>CANCELLED cancelled_by_caller [1 orphaned:a] with orphans",
        ),
        (
            "nobody says how",
            running_one(),
            40,
            late(SILENCE),
            "count Orphan; running>CANCELLED cancelled_by_caller [1 orphaned:a] with orphans",
        ),
    ];
    check(table);
}

#[test]
fn every_job_is_called_off() {
    let two = || cancelled(Stage::Queued, "lost:a accepted:b");
    let (first, second) = (StopAnswer::Cancelled, StopAnswer::Ended);
    let table: Vec<Row> = vec![
        (
            "one after the other",
            two(),
            40,
            vec![CLAIMED, stopped(first)],
            "stop 1:a",
        ),
        (
            "until all are stopped",
            two(),
            40,
            vec![CLAIMED, stopped(first), stopped(first)],
            "queued>CANCELLED cancelled_by_caller [1 over:a, 2 over:b]",
        ),
        (
            "and only those that had ended are looked at",
            two(),
            40,
            vec![CLAIMED, stopped(first), stopped(second)],
            "look 1:a",
        ),
        (
            "the first result counts, the other one is left over",
            two(),
            40,
            vec![
                CLAIMED,
                stopped(second),
                stopped(second),
                completed(json!(2)),
            ],
            "count Orphan; queued>COMPLETED 2 [1 orphaned:a, 2 won:b] with orphans",
        ),
        (
            "the second result counts when there is no first",
            two(),
            40,
            vec![
                CLAIMED,
                stopped(second),
                stopped(second),
                failed("no"),
                completed(json!(1)),
            ],
            "queued>COMPLETED 1 [1 won:a, 2 over:b]",
        ),
    ];
    check(table);
}
