//! Writes that fall together with somebody else's, and what no column can hold.

use std::time::Duration;

use tarsify_domain::RepoError;
use tarsify_domain::execution::{
    Advance, Attempt, AttemptState, EndReason, Exchange, ExecutionQueue, ExecutionRepository,
    Found, NewEvent, Operation, ProviderJobId, Settlement, Stage, Then, Work, Written,
};
use tarsify_testing::builders::{advance, attempt_with_job, settlement};

use super::place::{Place, a_claim, attempt};
use crate::support::Outside;

/// What a callback does, stopped before its end.
const A_CALLBACK: &str = "BEGIN; \
    UPDATE executions SET wake = true, next_action_at = created_at; \
    UPDATE provider_attempts SET job_id = 'late' WHERE job_id IS NULL";

#[tokio::test]
async fn a_move_sees_the_callback_that_it_waited_for() {
    let place = Place::open().await;
    let claimed = place.submitting().await;
    let outside = Outside::connect(&place.test().url).await;
    outside.sql(A_CALLBACK).await;
    let lost = Advance {
        attempts: vec![attempt(&claimed, AttemptState::Lost)],
        ..advance(&claimed, Stage::Unknown)
    };
    let writing = place.executions.advance(&lost);
    let telling = async {
        place.until_blocked().await;
        outside.sql("COMMIT").await;
    };
    let (written, ()) = tokio::join!(writing, telling);
    assert_eq!(written.unwrap(), Written::Applied { is_due: true });
    let again = place.look().await.remove(0);
    let newest = again.state.attempts.last().unwrap();
    assert_eq!(newest.state, AttemptState::Lost);
    assert_eq!(newest.job.as_ref().map(ProviderJobId::as_str), Some("late"));
}

#[tokio::test]
async fn an_end_sees_the_job_of_the_callback_that_it_waited_for() {
    // Whether or not the end says something about the attempt that got the job.
    for says_so in [true, false] {
        let place = Place::open().await;
        let claimed = place.submitting().await;
        let outside = Outside::connect(&place.test().url).await;
        outside.sql(A_CALLBACK).await;
        let mut attempts = Vec::new();
        if says_so {
            attempts.push(attempt(&claimed, AttemptState::Lost));
        }
        let end = Settlement {
            attempts,
            ..settlement(&claimed, EndReason::Deadline)
        };
        let writing = place.executions.settle(&end);
        let telling = async {
            place.until_blocked().await;
            outside.sql("COMMIT").await;
        };
        let (written, ()) = tokio::join!(writing, telling);
        assert_eq!(written.unwrap(), Written::Applied { is_due: true });
        let orphan = place.look().await.remove(0);
        assert_eq!(orphan.state.stage, Stage::Ended);
        assert!(orphan.state.attempts[0].live_job().is_some());
    }
}

#[tokio::test]
async fn a_cancellation_leaves_no_job_of_a_callback_behind() {
    let place = Place::open().await;
    let claimed = place.submitting().await;
    let lost = Advance {
        attempts: vec![attempt(&claimed, AttemptState::Lost)],
        ..advance(&claimed, Stage::Unknown)
    };
    place.executions.advance(&lost).await.unwrap();
    place
        .sql("UPDATE executions SET stage = 'created', status = 'PENDING'")
        .await;
    let outside = Outside::connect(&place.test().url).await;
    outside.sql(A_CALLBACK).await;
    let id = claimed.lease.id;
    let cancelling = place
        .executions
        .request_cancel(tarsify_domain::Scope::System, id);
    let telling = async {
        place.until_blocked().await;
        outside.sql("COMMIT").await;
    };
    let (answer, ()) = tokio::join!(cancelling, telling);
    let Found::Here(answer) = answer.unwrap() else {
        panic!("it is there");
    };
    assert!(matches!(
        answer,
        tarsify_domain::execution::CancelAnswer::Ended(_)
    ));
    let orphan = place.look().await.remove(0);
    assert_eq!(orphan.state.attempts[0].state, AttemptState::Orphaned);
    assert_eq!(place.broken().await, []);
}

#[tokio::test]
async fn a_claim_by_somebody_else_voids_the_lease_at_once() {
    let place = Place::open().await;
    let claimed = place.submitting().await;
    let outside = Outside::connect(&place.test().url).await;
    outside
        .sql("BEGIN; UPDATE executions SET lease_epoch = lease_epoch + 1")
        .await;
    let accepted = Advance {
        attempts: vec![attempt_with_job(&claimed, AttemptState::Accepted)],
        events: vec![NewEvent::plain(
            tarsify_domain::execution::EventKind::Accepted,
        )],
        ..advance(&claimed, Stage::Queued)
    };
    let writing = place.executions.advance(&accepted);
    let claiming = async {
        place.until_blocked().await;
        outside.sql("COMMIT").await;
    };
    let (written, ()) = tokio::join!(writing, claiming);
    assert_eq!(written.unwrap(), Written::Refused);
    let written = place
        .executions
        .settle(&settlement(&claimed, EndReason::Lost))
        .await;
    assert_eq!(written.unwrap(), Written::Refused);
    assert_eq!(
        place.sql("SELECT stage FROM executions").await,
        ["submitting"]
    );
    assert_eq!(
        place.sql("SELECT state FROM provider_attempts").await,
        ["calling"]
    );
    assert_eq!(place.count("execution_events").await, 1);
}

#[tokio::test]
async fn a_nul_is_stored_as_well_as_it_can_be() {
    let place = Place::open().await;
    let claimed = place.submitting().await;
    let end = Settlement {
        message: Some("bad\0news".to_owned()),
        exchanges: vec![Exchange {
            attempt: 1,
            operation: Operation::Run,
            http_status: Some(400),
            took: Duration::from_millis(12),
            said: "a\0b".to_owned(),
        }],
        ..settlement(&claimed, EndReason::Refused)
    };
    let written = place.executions.settle(&end).await.unwrap();
    assert_eq!(written, Written::Applied { is_due: false });
    let report = place.executions.find_report(claimed.lease.id).await;
    let report = report.unwrap().unwrap();
    let message = report.execution.summary.message;
    assert_eq!(message.as_deref(), Some("bad\u{FFFD}news"));
    assert_eq!(report.attempts[0].exchanges[0]["said"], "a\u{FFFD}b");
}

#[tokio::test]
async fn an_attempt_that_no_claim_recorded_is_a_fault() {
    let place = Place::open().await;
    let claimed = place.submitting().await;
    let unheard = || Attempt {
        number: 2,
        ..attempt(&claimed, AttemptState::Lost)
    };
    let move_on = Advance {
        attempts: vec![unheard()],
        ..advance(&claimed, Stage::Unknown)
    };
    let refusal = place.executions.advance(&move_on).await;
    assert!(
        matches!(refusal, Err(RepoError::Internal(_))),
        "{refusal:?}"
    );
    let end = Settlement {
        attempts: vec![unheard()],
        ..settlement(&claimed, EndReason::Lost)
    };
    let refusal = place.executions.settle(&end).await;
    assert!(
        matches!(refusal, Err(RepoError::Internal(_))),
        "{refusal:?}"
    );
    assert_eq!(
        place.sql("SELECT stage FROM executions").await,
        ["submitting"]
    );
}

#[tokio::test]
async fn a_very_long_wait_is_a_date_all_the_same() {
    let place = Place::open().await;
    let claimed = place.submitting().await;
    let patient = Advance {
        then: Then::After(Duration::MAX),
        ..advance(&claimed, Stage::Unknown)
    };
    let written = place.executions.advance(&patient).await.unwrap();
    assert_eq!(written, Written::Applied { is_due: false });
    assert_eq!(
        place.executions.claim(&a_claim(Work::Look)).await.unwrap(),
        []
    );
}
