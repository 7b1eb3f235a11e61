//! After a lost answer: waiting for news, another attempt, and at last the deadline.

use serde_json::json;
use tarsify_domain::execution::Stage;

use super::{
    CLAIMED, Row, SILENCE, check, completed, failed, in_queue, not_found, running, seen, state,
};
use crate::provider::JobStatus;

#[test]
fn news_are_waited_for_and_then_it_is_tried_once_more() {
    let table: Vec<Row> = vec![
        (
            "within the grace",
            state(Stage::Unknown, "lost"),
            30,
            vec![CLAIMED],
            "unknown>unknown after 60s",
        ),
        (
            "after the grace",
            state(Stage::Unknown, "lost"),
            90,
            vec![CLAIMED],
            "unknown>created after 0s",
        ),
        (
            "attempts without effect do not count",
            state(Stage::Unknown, "undone undone lost"),
            90,
            vec![CLAIMED],
            "unknown>created after 0s",
        ),
        (
            "a second answer was lost too: until the deadline",
            state(Stage::Unknown, "lost lost"),
            90,
            vec![CLAIMED],
            "unknown>unknown after 1110s",
        ),
        (
            "whatever was in between",
            state(Stage::Unknown, "lost undone lost"),
            1000,
            vec![CLAIMED],
            "unknown>unknown after 200s",
        ),
    ];
    check(table);
}

#[test]
fn a_job_of_which_a_callback_told_is_looked_at() {
    let adopted = || state(Stage::Unknown, "lost:a");
    let table: Vec<Row> = vec![
        ("at once", adopted(), 30, vec![CLAIMED], "look 1:a"),
        (
            "even when two answers were lost",
            state(Stage::Unknown, "lost:a lost"),
            300,
            vec![CLAIMED],
            "look 1:a",
        ),
        (
            "it waits",
            adopted(),
            30,
            vec![CLAIMED, in_queue()],
            "unknown>queued after 1s [1 accepted:a] accepted",
        ),
        (
            "it runs",
            adopted(),
            30,
            vec![CLAIMED, running(json!(null))],
            "unknown>running after 1s [1 accepted:a] accepted started",
        ),
        (
            "it is done",
            adopted(),
            30,
            vec![CLAIMED, completed(json!(1))],
            "unknown>COMPLETED 1 [1 won:a]",
        ),
        (
            "it failed",
            adopted(),
            30,
            vec![CLAIMED, failed("no")],
            "unknown>FAILED provider_error [1 over:a]",
        ),
        (
            "nobody says",
            adopted(),
            30,
            vec![CLAIMED, SILENCE],
            "unknown>unknown after 1s",
        ),
        (
            "it is not known: that may pass",
            adopted(),
            30,
            vec![CLAIMED, not_found()],
            "unknown>unknown after 1s [1 lost:a]",
        ),
    ];
    check(table);
}

/// A worker whose lease had run out while it submitted calls off the job that it may not write
/// down. A callback about that job must not end an execution that nobody called off.
#[test]
fn a_job_that_a_late_worker_called_off_is_as_good_as_none() {
    let cancelled = || vec![CLAIMED, seen(JobStatus::Cancelled)];
    let table: Vec<Row> = vec![
        (
            "it is waited and tried once more",
            state(Stage::Unknown, "lost:a"),
            30,
            cancelled(),
            "unknown>unknown after 0s [1 over:a]",
        ),
        (
            "within the grace",
            state(Stage::Unknown, "over:a"),
            30,
            vec![CLAIMED],
            "unknown>unknown after 60s",
        ),
        (
            "after it",
            state(Stage::Unknown, "over:a"),
            90,
            vec![CLAIMED],
            "unknown>created after 0s",
        ),
        (
            "but no third time",
            state(Stage::Unknown, "over:a lost:b"),
            90,
            cancelled(),
            "unknown>CANCELLED cancelled_by_provider [2 over:b]",
        ),
    ];
    check(table);
}
