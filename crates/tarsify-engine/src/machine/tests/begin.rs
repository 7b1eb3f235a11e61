//! The first decision under a lease.

use tarsify_domain::execution::{Stage, State};

use super::{CLAIMED, CLAIMED_FRESH, DEADLINE, Row, at, cancelled, check, state};

#[test]
fn each_stage_begins_in_its_own_way() {
    let table: Vec<Row> = vec![
        (
            "a fresh attempt is submitted",
            state(Stage::Submitting, "calling"),
            0,
            vec![CLAIMED_FRESH],
            "submit 1",
        ),
        (
            "so is a second one after a lost answer",
            state(Stage::Submitting, "lost calling"),
            95,
            vec![CLAIMED_FRESH],
            "submit 2",
        ),
        (
            "what only waits to be submitted goes back to that",
            state(Stage::Created, ""),
            5,
            vec![CLAIMED],
            "created>created after 0s",
        ),
        (
            "whose worker stopped has lost its answer",
            state(Stage::Submitting, "calling"),
            30,
            vec![CLAIMED],
            "count LostAnswer; submitting>unknown after 60s [1 lost]",
        ),
        (
            "and is past its grace when it was long ago",
            state(Stage::Submitting, "calling"),
            95,
            vec![CLAIMED],
            "count LostAnswer; submitting>unknown after 0s [1 lost]",
        ),
        (
            "but is looked at soon when a callback told of its job",
            state(Stage::Submitting, "calling:a"),
            30,
            vec![CLAIMED],
            "count LostAnswer; submitting>unknown after 0s [1 lost:a]",
        ),
        (
            "a queued job is looked at",
            state(Stage::Queued, "accepted:a"),
            5,
            vec![CLAIMED],
            "look 1:a",
        ),
        (
            "so is a running one, and the newest first",
            state(Stage::Running, "lost:a accepted:b"),
            5,
            vec![CLAIMED],
            "look 2:b",
        ),
        (
            "an execution without any job is lost",
            state(Stage::Queued, "over:a"),
            5,
            vec![CLAIMED],
            "queued>FAILED lost",
        ),
    ];
    check(table);
}

#[test]
fn only_an_attempt_that_nobody_asked_for_yet_is_submitted() {
    let table: Vec<Row> = vec![
        (
            "one that has a job is looked at instead",
            state(Stage::Submitting, "calling:a"),
            1,
            vec![CLAIMED_FRESH],
            "count LostAnswer; submitting>unknown after 0s [1 lost:a]",
        ),
        (
            "a callback told of the lost first job while the second waited",
            state(Stage::Submitting, "lost:a calling"),
            95,
            vec![CLAIMED_FRESH],
            "submitting>unknown after 0s [2 undone]",
        ),
        (
            "an accepted one is never asked for again",
            state(Stage::Queued, "accepted:a"),
            5,
            vec![CLAIMED_FRESH],
            "look 1:a",
        ),
        (
            "past the deadline nobody is asked",
            state(Stage::Submitting, "calling"),
            DEADLINE,
            vec![CLAIMED_FRESH],
            "submitting>TIMED_OUT deadline [1 undone]",
        ),
    ];
    check(table);
}

#[test]
fn what_stops_its_worker_again_and_again_is_quarantined() {
    let struck = |state: State, strikes| State { strikes, ..state };
    let table: Vec<Row> = vec![
        (
            "not at the fifth time",
            struck(state(Stage::Queued, "accepted:a"), 5),
            5,
            vec![CLAIMED],
            "look 1:a",
        ),
        (
            "at the sixth, and its job is called off",
            struck(state(Stage::Queued, "accepted:a"), 6),
            5,
            vec![CLAIMED],
            "count Quarantined; count Orphan; queued>FAILED quarantined [1 orphaned:a] with orphans",
        ),
        (
            "before it is submitted",
            struck(state(Stage::Submitting, "calling"), 6),
            5,
            vec![CLAIMED_FRESH],
            "count Quarantined; submitting>FAILED quarantined [1 undone]",
        ),
        (
            "after its worker was gone",
            struck(state(Stage::Submitting, "calling"), 6),
            5,
            vec![CLAIMED],
            "count Quarantined; submitting>FAILED quarantined [1 lost]",
        ),
        (
            "rather than called off: that may be what stops the worker",
            struck(cancelled(Stage::Queued, "accepted:a"), 6),
            5,
            vec![CLAIMED],
            "count Quarantined; count Orphan; queued>FAILED quarantined [1 orphaned:a] with orphans",
        ),
        (
            "rather than looked at a last time, for the same reason",
            struck(state(Stage::Queued, "accepted:a"), 6),
            DEADLINE + 1,
            vec![CLAIMED],
            "count Quarantined; count Orphan; queued>FAILED quarantined [1 orphaned:a] with orphans",
        ),
        (
            "an ended one gives up its orphans",
            struck(state(Stage::Ended, "orphaned:a"), 6),
            5,
            vec![CLAIMED],
            "ended>ended rest [1 over:a]",
        ),
    ];
    check(table);
}

#[test]
fn moments_at_the_end_of_all_time_do_no_harm() {
    let far = time::PrimitiveDateTime::MAX.assume_utc();
    for stage in Stage::ALL {
        let mut distant = state(*stage, "orphaned:a calling");
        distant.deadline_at = far;
        distant.attempts[1].called_at = far;
        let (task, _) = super::play(distant, 5, &[CLAIMED]);
        assert!(task.stage() <= Stage::Ended);
    }
    let patient = super::Policy {
        lost_grace: std::time::Duration::MAX,
        ..super::Policy::default()
    };
    let task = super::Task::new(super::lease(), state(Stage::Unknown, "lost"), patient);
    let (_, effects) = super::step(task, at(200), CLAIMED);
    assert_eq!(super::tell(&effects), "unknown>unknown after 1000s");
}
