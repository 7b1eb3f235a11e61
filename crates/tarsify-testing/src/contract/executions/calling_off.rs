//! Calling an execution off.

use tarsify_domain::Scope;
use tarsify_domain::execution::{
    Advance, AttemptState, CancelAnswer, EndReason, Execution, ExecutionStatus, Found, Stage, Then,
};
use tarsify_domain::id::ExecutionId;

use super::world::{ExecutionWorld, assert_applied, assert_due, assert_not_due, ids, seconds};
use crate::builders::{
    advance, attempt, attempt_with_job, completion, new_job, new_run, new_test_run, settlement,
};

async fn call_off(world: &ExecutionWorld, id: ExecutionId) -> CancelAnswer {
    let answer = world.repository.request_cancel(Scope::System, id).await;
    match answer.unwrap() {
        Found::Here(answer) => answer,
        other => panic!("{id} is not here: {other:?}"),
    }
}

async fn assert_cancelled(world: &ExecutionWorld, execution: &Execution) {
    let summary = &execution.summary;
    let reason = EndReason::CancelledByCaller;
    assert_eq!(summary.status, ExecutionStatus::Cancelled);
    assert_eq!(summary.reason, Some(reason));
    assert_eq!(summary.message.as_deref(), Some(reason.meaning()));
    assert!(summary.completed_at.is_some());
    assert_eq!(execution.output, None);
    assert_eq!(&world.found(summary.id).await, execution);
    let report = world.report(summary.id).await;
    assert_eq!(report.stage, Stage::Ended);
    assert_eq!(report.lease_until, None);
    assert_eq!(world.story(summary.id).await.last(), Some(&"cancelled"));
}

pub(super) async fn what_was_not_sent_ends_at_once(world: ExecutionWorld) {
    let id = world.run().await;
    let CancelAnswer::Ended(execution) = call_off(&world, id).await else {
        panic!("it has not ended");
    };
    assert_cancelled(&world, &execution).await;
    assert_eq!(world.story(id).await, ["queued", "cancelled"]);
    assert_eq!(world.report(id).await.next_action_at, None);
    for _ in 0..2 {
        assert_eq!(world.submit_all().await, []);
        assert_eq!(world.look_all().await, []);
        assert_eq!(world.sweep_all().await, []);
        world.pass(seconds(3_600)).await;
    }
}

pub(super) async fn what_waits_again_ends_at_once(world: ExecutionWorld) {
    let id = world.put_back(seconds(60)).await;
    let CancelAnswer::Ended(execution) = call_off(&world, id).await else {
        panic!("it has not ended");
    };
    assert_cancelled(&world, &execution).await;
    world.pass(seconds(61)).await;
    assert_eq!(world.submit_all().await, []);
    assert_eq!(world.look_all().await, []);
}

pub(super) async fn what_waits_again_leaves_no_job_behind(world: ExecutionWorld) {
    let id = world.run().await;
    let claimed = world.submit().await;
    let given_up = Advance {
        attempts: vec![attempt(&claimed, AttemptState::Lost)],
        then: Then::After(seconds(30)),
        ..advance(&claimed, Stage::Created)
    };
    assert_not_due(world.advance(&given_up).await);
    let job = new_job();
    world.queue.hint(id, 1, Some(&job)).await.unwrap();
    let CancelAnswer::Ended(execution) = call_off(&world, id).await else {
        panic!("it has not ended");
    };
    assert_cancelled(&world, &execution).await;
    let claimed = world.look().await;
    assert_eq!(claimed.state.stage, Stage::Ended);
    let left = &claimed.state.attempts[0];
    assert_eq!(left.state, AttemptState::Orphaned);
    assert_eq!(left.live_job(), Some(&job));
}

pub(super) async fn what_is_on_its_way_is_requested(world: ExecutionWorld) {
    let id = world.run().await;
    let claimed = world.submit().await;
    let CancelAnswer::Requested(execution) = call_off(&world, id).await else {
        panic!("it cannot have ended");
    };
    assert_eq!(execution.summary.status, ExecutionStatus::Pending);
    assert!(world.report(id).await.cancel_requested_at.is_some());
    assert_eq!(world.look_all().await, [], "its worker still has it");
    let accepted = Advance {
        attempts: vec![attempt_with_job(&claimed, AttemptState::Accepted)],
        ..advance(&claimed, Stage::Queued)
    };
    assert_due(world.advance(&accepted).await);
    let claimed = world.look().await;
    assert!(claimed.state.is_cancel_requested);
    let end = settlement(&claimed, EndReason::CancelledByCaller);
    assert_applied(world.settle(&end).await);
    assert_cancelled(&world, &world.found(id).await).await;
}

pub(super) async fn what_is_at_the_provider_is_requested_once(world: ExecutionWorld) {
    let id = world.accepted().await;
    let answer = call_off(&world, id).await;
    assert!(matches!(answer, CancelAnswer::Requested(_)), "{answer:?}");
    let since = async || {
        let report = world.report(id).await;
        report.cancel_requested_at.unwrap() - report.execution.summary.created_at
    };
    let first = since().await;
    world.pass(seconds(5)).await;
    let answer = call_off(&world, id).await;
    assert!(matches!(answer, CancelAnswer::Requested(_)), "{answer:?}");
    assert_eq!(since().await, first);
    let claimed = world.look().await;
    assert_eq!(claimed.lease.id, id);
    assert!(claimed.state.is_cancel_requested);
    assert_eq!(world.story(id).await, ["queued"]);
}

pub(super) async fn what_is_being_swept_is_requested(world: ExecutionWorld) {
    let id = world.run().await;
    world.pass(seconds(601)).await;
    let swept = world.sweep_all().await;
    assert_eq!(ids(&swept), [id]);
    let answer = call_off(&world, id).await;
    assert!(matches!(answer, CancelAnswer::Requested(_)), "{answer:?}");
    let end = settlement(&swept[0], EndReason::Deadline);
    assert_applied(world.settle(&end).await);
    assert_eq!(world.story(id).await, ["queued", "timed_out"]);
}

pub(super) async fn what_has_ended_is_too_late(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    assert_applied(world.settle(&completion(&claimed, 1.into())).await);
    let before = world.everything(id).await;
    let CancelAnswer::TooLate(execution) = call_off(&world, id).await else {
        panic!("it had ended");
    };
    assert_eq!(execution, before.0.execution);
    assert_eq!(world.everything(id).await, before);
    let cancelled = world.run().await;
    call_off(&world, cancelled).await;
    let again = call_off(&world, cancelled).await;
    assert!(matches!(again, CancelAnswer::TooLate(_)), "{again:?}");
    assert_eq!(world.story(cancelled).await, ["queued", "cancelled"]);
}

pub(super) async fn nobody_calls_off_what_is_not_his(world: ExecutionWorld) {
    let model = world.model().await;
    let (carla, clara) = (world.consumer().await, world.consumer().await);
    let run = world.admit(&new_run(&model, carla)).await.summary.id;
    let test_run = world.admit(&new_test_run(&model, 5)).await.summary.id;
    let developer = Scope::Developer(model.developer_id);
    for (scope, id) in [
        (Scope::Consumer(clara), run),
        (developer, run),
        (Scope::Consumer(carla), test_run),
    ] {
        let before = world.everything(id).await;
        let answer = world.repository.request_cancel(scope, id).await.unwrap();
        assert_eq!(answer, Found::Foreign, "{scope:?}");
        assert_eq!(world.everything(id).await, before);
    }
    for (scope, id) in [(Scope::Consumer(carla), run), (developer, test_run)] {
        let answer = world.repository.request_cancel(scope, id).await.unwrap();
        assert!(
            matches!(answer, Found::Here(CancelAnswer::Ended(_))),
            "{answer:?}"
        );
    }
}
