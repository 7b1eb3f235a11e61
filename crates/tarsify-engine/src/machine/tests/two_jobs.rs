//! Two jobs of one execution: the first result wins, and the other job works for nobody.

use serde_json::json;
use tarsify_domain::execution::Stage;

use super::{
    CLAIMED, Event, Lease, Policy, Row, SILENCE, Task, at, cancelled, check, completed, failed,
    in_queue, lease, running, seen, state, step, stopped, tell, unavailable,
};
use crate::provider::{JobStatus, StopAnswer};

#[test]
fn both_are_looked_at_until_one_has_a_result() {
    let two = || state(Stage::Queued, "lost:a accepted:b");
    let table: Vec<Row> = vec![
        (
            "the newest first",
            two(),
            100,
            vec![CLAIMED, in_queue()],
            "look 1:a",
        ),
        (
            "the first one is done, whose answer was lost",
            two(),
            100,
            vec![CLAIMED, in_queue(), completed(json!(1))],
            "count Orphan; queued>COMPLETED 1 [1 won:a, 2 orphaned:b] with orphans",
        ),
        (
            "the second is done: the first is not even asked for",
            two(),
            100,
            vec![CLAIMED, completed(json!(2))],
            "count Orphan; queued>COMPLETED 2 [1 orphaned:a, 2 won:b] with orphans",
        ),
        (
            "one failed, the other may still do it",
            two(),
            100,
            vec![CLAIMED, failed("no"), running(json!(null))],
            "queued>running after 1s [1 accepted:a, 2 over:b] started",
        ),
        (
            "one failed, of the other nothing is heard",
            two(),
            100,
            vec![CLAIMED, failed("no"), SILENCE],
            "queued>queued after 1s [2 over:b]",
        ),
        (
            "both failed",
            two(),
            100,
            vec![CLAIMED, failed("no"), failed("no")],
            "queued>FAILED provider_error [1 over:a, 2 over:b]",
        ),
        (
            "one was called off by a late worker, the other waits",
            two(),
            100,
            vec![CLAIMED, in_queue(), seen(JobStatus::Cancelled)],
            "queued>queued after 1s [1 over:a, 2 accepted:b]",
        ),
    ];
    check(table);
}

#[test]
fn what_happens_is_told_once() {
    let table: Vec<Row> = vec![
        (
            "accepted, both of them",
            state(Stage::Unknown, "lost:a lost:b"),
            100,
            vec![CLAIMED, in_queue(), in_queue()],
            "unknown>queued after 1s [1 accepted:a, 2 accepted:b] accepted",
        ),
        (
            "at work, both of them",
            state(Stage::Unknown, "lost:a lost:b"),
            100,
            vec![CLAIMED, running(json!(1)), running(json!(1))],
            "unknown>running after 1s [1 accepted:a, 2 accepted:b] accepted started progress=1",
        ),
        (
            "the one further on decides where it is",
            state(Stage::Unknown, "lost:a lost:b"),
            100,
            vec![CLAIMED, running(json!(null)), in_queue()],
            "unknown>running after 1s [1 accepted:a, 2 accepted:b] accepted started",
        ),
    ];
    check(table);
}

#[test]
fn the_longest_wish_for_patience_counts() {
    let two = || state(Stage::Queued, "lost:a accepted:b");
    let table: Vec<Row> = vec![
        (
            "the later one",
            two(),
            100,
            vec![CLAIMED, unavailable(5), unavailable(30)],
            "queued>queued after 30s",
        ),
        (
            "the earlier one",
            two(),
            100,
            vec![CLAIMED, unavailable(30), SILENCE],
            "queued>queued after 30s",
        ),
    ];
    check(table);
}

#[test]
fn nothing_more_is_asked_when_the_answer_might_come_after_the_lease() {
    let two = "lost:a accepted:b";
    let table = [
        (state(Stage::Queued, two), SILENCE, "queued>queued after 1s"),
        (
            cancelled(Stage::Queued, two),
            stopped(StopAnswer::Ended),
            "count Orphan; count Orphan; queued>CANCELLED cancelled_by_caller \
             [1 orphaned:a, 2 orphaned:b] with orphans",
        ),
    ];
    for (state, late, expected) in table {
        let task = Task::new(lease(), state, Policy::default());
        let (task, _) = step(task, at(100), CLAIMED);
        let late: Event = late;
        let (_, effects) = step(task, at(119), late);
        assert_eq!(tell(&effects), expected);
    }
}

#[test]
fn each_job_is_the_first_in_its_turn() {
    for (epoch, expected) in [(0, "look 2:b"), (1, "look 1:a"), (2, "look 2:b")] {
        let lease = Lease { epoch, ..lease() };
        let state = state(Stage::Queued, "lost:a accepted:b");
        let task = Task::new(lease, state, Policy::default());
        let (_, effects) = step(task, at(100), CLAIMED);
        assert_eq!(tell(&effects), expected);
    }
}
