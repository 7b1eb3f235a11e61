//! The answers to a submission.

use std::time::Duration;

use tarsify_domain::execution::{Stage, Written};

use super::{
    APPLIED, CLAIMED_FRESH, Event, REFUSED, Row, accepted, check, last, play, state, stopped,
    submitted, undone,
};
use crate::provider::{StopAnswer, SubmitAnswer};

#[test]
fn each_answer_leads_somewhere() {
    let fresh = || state(Stage::Submitting, "calling");
    let table: Vec<Row> = vec![
        (
            "accepted",
            fresh(),
            1,
            vec![CLAIMED_FRESH, accepted("a")],
            "submitting>queued after 1s [1 accepted:a] accepted",
        ),
        (
            "refused for good",
            fresh(),
            1,
            vec![CLAIMED_FRESH, submitted(SubmitAnswer::Refused)],
            "submitting>FAILED refused [1 refused]",
        ),
        (
            "surely nothing happened",
            fresh(),
            1,
            vec![CLAIMED_FRESH, undone(None)],
            "submitting>created after 1s [1 undone]",
        ),
        (
            "nobody knows, and the grace counts from the call",
            fresh(),
            20,
            vec![CLAIMED_FRESH, submitted(SubmitAnswer::Lost)],
            "count LostAnswer; submitting>unknown after 70s [1 lost]",
        ),
        (
            "nobody knows, shortly before the deadline",
            super::State {
                deadline_at: super::at(30),
                ..fresh()
            },
            20,
            vec![CLAIMED_FRESH, submitted(SubmitAnswer::Lost)],
            "count LostAnswer; submitting>unknown after 10s [1 lost]",
        ),
        (
            "a second answer is lost",
            state(Stage::Submitting, "lost calling"),
            20,
            vec![CLAIMED_FRESH, submitted(SubmitAnswer::Lost)],
            "count LostAnswer; submitting>unknown after 70s [2 lost]",
        ),
    ];
    check(table);
}

#[test]
fn looks_are_counted_from_the_acceptance() {
    let mut state = state(Stage::Submitting, "lost calling");
    state.looks = 7;
    let (_, told) = play(state, 1, &[CLAIMED_FRESH, accepted("b")]);
    assert_eq!(
        told[1],
        "submitting>queued after 1s [2 accepted:b] accepted"
    );
}

#[test]
fn the_pause_grows_and_what_the_provider_asks_for_counts_up_to_a_minute() {
    let table = [
        (0, None, 1),
        (1, None, 2),
        (2, None, 4),
        (3, None, 8),
        (5, None, 32),
        (6, None, 60),
        (60, None, 60),
        (0, Some(0), 1),
        (0, Some(7), 7),
        (4, Some(7), 16),
        (0, Some(3600), 60),
    ];
    for (before, asked, expected) in table {
        let words = format!("{}calling", "undone ".repeat(before));
        let state = state(Stage::Submitting, &words);
        let told = last(state, 1, &[CLAIMED_FRESH, undone(asked)]);
        let number = before + 1;
        let wanted = format!("submitting>created after {expected}s [{number} undone]");
        assert_eq!(told, wanted, "{before} before, asked for {asked:?}");
    }
}

#[test]
fn only_failures_in_a_row_make_the_pause_longer() {
    let state = state(
        Stage::Submitting,
        "undone undone undone lost undone calling",
    );
    let told = last(state, 1, &[CLAIMED_FRESH, undone(None)]);
    assert_eq!(told, "submitting>created after 2s [6 undone]");
}

#[test]
fn a_job_that_may_not_be_written_down_is_called_off() {
    let begun = || state(Stage::Submitting, "calling");
    let table: Vec<Row> = vec![
        (
            "nobody else knows of it",
            begun(),
            40,
            vec![CLAIMED_FRESH, accepted("a"), REFUSED],
            "count LeaseLost; count Orphan; stop 1:a",
        ),
        (
            "it was written down",
            begun(),
            40,
            vec![CLAIMED_FRESH, accepted("a"), APPLIED],
            "",
        ),
        (
            "perhaps it was",
            begun(),
            40,
            vec![CLAIMED_FRESH, accepted("a"), Event::WriteLost],
            "",
        ),
        (
            "there is no job",
            begun(),
            40,
            vec![CLAIMED_FRESH, undone(None), REFUSED],
            "count LeaseLost",
        ),
        (
            "somebody else knows of it",
            state(Stage::Queued, "accepted:a"),
            40,
            vec![super::CLAIMED, super::in_queue(), REFUSED],
            "count LeaseLost",
        ),
        (
            "an end that somebody else decided",
            state(Stage::Queued, "accepted:a"),
            40,
            vec![super::CLAIMED, super::failed("no"), REFUSED],
            "count LeaseLost",
        ),
    ];
    check(table);
}

#[test]
fn whatever_the_called_off_job_came_to_ends_the_task() {
    let answers = [
        StopAnswer::Cancelled,
        StopAnswer::Ended,
        StopAnswer::NotFound,
        StopAnswer::Unavailable,
    ];
    for answer in answers {
        let events = [CLAIMED_FRESH, accepted("a"), REFUSED, stopped(answer)];
        let (task, told) = play(state(Stage::Submitting, "calling"), 40, &events);
        assert_eq!(told[3], "", "{answer:?}");
        assert!(task.is_done());
    }
}

#[test]
fn whether_it_is_due_at_once_is_no_concern_of_the_machine() {
    for is_due in [true, false] {
        let written = Event::Written(Written::Applied { is_due });
        let state = state(Stage::Submitting, "calling");
        assert_eq!(last(state, 1, &[CLAIMED_FRESH, accepted("a"), written]), "");
    }
}

#[test]
fn the_write_holds_all_that_a_lost_answer_needs() {
    let task = super::Task::new(
        super::lease(),
        state(Stage::Submitting, "calling"),
        super::Policy::default(),
    );
    let (task, _) = super::step(task, super::at(1), CLAIMED_FRESH);
    let (_, effects) = super::step(task, super::at(1), submitted(SubmitAnswer::Lost));
    let Some(super::Effect::Advance(advance)) = effects.last() else {
        panic!("{effects:?}");
    };
    assert_eq!(advance.then, super::Then::After(Duration::from_secs(89)));
    assert_eq!(advance.attempts[0].called_at, super::at(0));
    assert!(advance.events.is_empty() && advance.progress.is_none());
}
