//! A worker's moves.

use serde_json::{Value, json};
use tarsify_domain::RepoError;
use tarsify_domain::execution::{
    Advance, AttemptState, Claimed, EndReason, EventKind, ExecutionStatus, Lease, NewEvent, Stage,
    Then, Written,
};
use tarsify_domain::id::ExecutionId;

use super::world::{
    ExecutionWorld, PAST_A_LEASE, assert_applied, assert_due, assert_not_due, seconds,
};
use crate::builders::{advance, attempt, attempt_with_job, object, settlement};
use crate::clock::MOMENT;

fn told(kind: EventKind, data: Value) -> NewEvent {
    NewEvent {
        kind,
        data: object(data),
    }
}

/// Makes it due and leases it again.
async fn again(world: &ExecutionWorld, id: ExecutionId) -> Claimed {
    world.queue.hint(id, 1, None).await.unwrap();
    let claimed = world.look().await;
    assert_eq!(claimed.lease.id, id);
    claimed
}

pub(super) async fn a_move_is_written(world: ExecutionWorld) {
    let id = world.run().await;
    let claimed = world.submit().await;
    let accepted = Advance {
        attempts: vec![attempt_with_job(&claimed, AttemptState::Accepted)],
        looks: 3,
        progress: Some(json!({"percent": 10})),
        events: vec![NewEvent::plain(EventKind::Accepted)],
        ..advance(&claimed, Stage::Queued)
    };
    assert_not_due(world.advance(&accepted).await);
    let report = world.report(id).await;
    assert_eq!(report.stage, Stage::Queued);
    assert_eq!(report.lease_until, None);
    assert_eq!(report.execution.summary.status, ExecutionStatus::Queued);
    assert_eq!(report.execution.summary.started_at, None);
    assert_eq!(world.story(id).await, ["queued", "accepted"]);
    let next = again(&world, id).await;
    assert_eq!(next.state.looks, 3);
    assert_eq!(next.state.progress, accepted.progress);
    assert_eq!(next.state.attempts, accepted.attempts);
    assert_eq!(next.state.strikes, 1);
    assert_eq!(next.lease.epoch, claimed.lease.epoch + 1);
}

pub(super) async fn every_stage_is_told(world: ExecutionWorld) {
    let id = world.run().await;
    let status = async || world.found(id).await.summary.status;
    let claimed = world.submit().await;
    let lost = Advance {
        attempts: vec![attempt(&claimed, AttemptState::Lost)],
        ..advance(&claimed, Stage::Unknown)
    };
    assert_not_due(world.advance(&lost).await);
    assert_eq!(status().await, ExecutionStatus::Pending);
    let claimed = again(&world, id).await;
    assert_eq!(claimed.state.stage, Stage::Unknown);
    let once_more = Advance {
        then: Then::After(seconds(0)),
        ..advance(&claimed, Stage::Created)
    };
    assert_due(world.advance(&once_more).await);
    assert_eq!(status().await, ExecutionStatus::Pending);
    world.accept().await;
    assert_eq!(status().await, ExecutionStatus::Queued);
    let claimed = again(&world, id).await;
    let running = advance(&claimed, Stage::Running);
    assert_not_due(world.advance(&running).await);
    assert_eq!(status().await, ExecutionStatus::Running);
    assert_eq!(world.report(id).await.stage, Stage::Running);
}

pub(super) async fn the_start_is_remembered_once(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    assert_eq!(world.found(id).await.summary.started_at, None);
    assert_not_due(world.advance(&advance(&claimed, Stage::Running)).await);
    let since = async || {
        let summary = world.found(id).await.summary;
        summary.started_at.unwrap() - summary.created_at
    };
    let first = since().await;
    assert!(!first.is_negative());
    world.pass(seconds(61)).await;
    let claimed = world.look().await;
    assert_eq!(claimed.state.stage, Stage::Running);
    assert_not_due(world.advance(&advance(&claimed, Stage::Running)).await);
    assert_eq!(since().await, first);
}

pub(super) async fn what_is_not_new_stays(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    let told = Advance {
        progress: Some(json!("half")),
        ..advance(&claimed, Stage::Running)
    };
    assert_not_due(world.advance(&told).await);
    let claimed = again(&world, id).await;
    let silent = Advance {
        looks: 9,
        ..advance(&claimed, Stage::Running)
    };
    assert_not_due(world.advance(&silent).await);
    let after = again(&world, id).await;
    assert_eq!(after.state.progress, Some(json!("half")));
    assert_eq!(after.state.looks, 9);
    assert_eq!(after.state.attempts, claimed.state.attempts);
    assert_eq!(world.story(id).await, ["queued"], "nothing was told");
}

pub(super) async fn events_are_numbered_without_a_gap(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    let first = Advance {
        events: vec![
            NewEvent::plain(EventKind::Accepted),
            NewEvent::plain(EventKind::Started),
            told(EventKind::Progress, json!({"data": 1})),
        ],
        ..advance(&claimed, Stage::Running)
    };
    assert_not_due(world.advance(&first).await);
    let claimed = again(&world, id).await;
    let second = Advance {
        events: vec![
            told(EventKind::Progress, json!({"data": {"step": 2}})),
            told(EventKind::Progress, json!({"data": 3})),
        ],
        ..advance(&claimed, Stage::Running)
    };
    assert_not_due(world.advance(&second).await);
    let story = [
        "queued", "accepted", "started", "progress", "progress", "progress",
    ];
    assert_eq!(world.story(id).await, story);
    let events = world.props.events(id).await;
    let events: Vec<_> = events.into_iter().skip(1).map(|(_, event)| event).collect();
    assert_eq!(events, [first.events, second.events].concat());
}

pub(super) async fn any_progress_is_kept(world: ExecutionWorld) {
    let mut claimed = world.looked_at().await;
    let id = claimed.lease.id;
    let odd = [
        json!(false),
        json!([]),
        json!(""),
        json!("a\u{0}b"),
        json!({"N\u{0}L": [null, 1.5, u64::MAX]}),
    ];
    for progress in odd {
        let told = Advance {
            progress: Some(progress.clone()),
            events: vec![told(EventKind::Progress, json!({"data": progress}))],
            ..advance(&claimed, Stage::Running)
        };
        assert_not_due(world.advance(&told).await);
        claimed = again(&world, id).await;
        assert_eq!(claimed.state.progress.as_ref(), Some(&progress));
        let (_, last) = world.props.events(id).await.pop().unwrap();
        assert_eq!(Some(&last), told.events.last());
    }
}

pub(super) async fn the_lease_is_given_back(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let at_once = Advance {
        then: Then::After(seconds(0)),
        ..advance(&claimed, Stage::Queued)
    };
    assert_due(world.advance(&at_once).await);
    let claimed = world.look().await;
    let later = Advance {
        then: Then::After(seconds(100)),
        ..advance(&claimed, Stage::Queued)
    };
    assert_not_due(world.advance(&later).await);
    let report = world.report(claimed.lease.id).await;
    assert_eq!(report.lease_until, None);
    assert!(report.next_action_at.is_some());
    assert_eq!(world.look_all().await, []);
    world.pass(seconds(50)).await;
    assert_eq!(world.look_all().await, []);
    world.pass(seconds(51)).await;
    assert_eq!(world.look().await.lease.epoch, claimed.lease.epoch + 1);
}

pub(super) async fn rest_is_rest(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    let mut end = settlement(&claimed, EndReason::ProviderError);
    end.attempts = vec![attempt(&claimed, AttemptState::Orphaned)];
    end.has_orphans = true;
    assert_applied(world.settle(&end).await);
    let claimed = world.look().await;
    let over = Advance {
        attempts: vec![attempt(&claimed, AttemptState::Over)],
        then: Then::Rest,
        ..advance(&claimed, Stage::Ended)
    };
    assert_not_due(world.advance(&over).await);
    let report = world.report(id).await;
    assert_eq!((report.next_action_at, report.lease_until), (None, None));
    world.pass(seconds(3_600)).await;
    assert_eq!(world.look_all().await, []);
}

async fn assert_refused(world: &ExecutionWorld, id: ExecutionId, refused: &Advance) {
    let before = world.everything(id).await;
    assert_eq!(world.advance(refused).await, Written::Refused);
    assert_eq!(world.everything(id).await, before, "something was written");
}

/// A move that would leave its mark everywhere.
fn loud(claimed: &Claimed, to: Stage) -> Advance {
    Advance {
        attempts: vec![attempt(claimed, AttemptState::Over)],
        looks: 77,
        progress: Some(json!("loud")),
        events: vec![NewEvent::plain(EventKind::Started)],
        ..advance(claimed, to)
    }
}

pub(super) async fn an_old_lease_writes_nothing(world: ExecutionWorld) {
    let old = world.looked_at().await;
    let id = old.lease.id;
    world.pass(PAST_A_LEASE).await;
    let new = world.look().await;
    assert_refused(&world, id, &loud(&old, Stage::Running)).await;
    assert_not_due(world.advance(&advance(&new, Stage::Queued)).await);
    assert_refused(&world, id, &loud(&old, Stage::Running)).await;
    let not_yet = Lease {
        epoch: new.lease.epoch + 1,
        ..new.lease
    };
    let early = Advance {
        lease: not_yet,
        ..loud(&new, Stage::Running)
    };
    assert_refused(&world, id, &early).await;
}

pub(super) async fn a_lease_that_ran_out_writes_until_somebody_takes_over(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    world.pass(PAST_A_LEASE).await;
    assert_not_due(world.advance(&advance(&claimed, Stage::Queued)).await);
}

pub(super) async fn a_lease_that_was_given_back_writes_nothing(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    assert_not_due(world.advance(&advance(&claimed, Stage::Queued)).await);
    // As if the answer to the first write had been lost and it were written again.
    assert_refused(&world, claimed.lease.id, &loud(&claimed, Stage::Queued)).await;
}

pub(super) async fn a_move_from_elsewhere_writes_nothing(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    for from in [Stage::Submitting, Stage::Unknown, Stage::Running] {
        let elsewhere = Advance {
            from,
            ..loud(&claimed, Stage::Running)
        };
        assert_refused(&world, claimed.lease.id, &elsewhere).await;
    }
}

pub(super) async fn an_unknown_execution_is_refused(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let unknown = Advance {
        lease: Lease {
            id: ExecutionId::new(MOMENT),
            ..claimed.lease
        },
        ..advance(&claimed, Stage::Running)
    };
    assert_eq!(world.advance(&unknown).await, Written::Refused);
}

pub(super) async fn forbidden_moves_fail_and_write_nothing(world: ExecutionWorld) {
    let mut claimed = world.looked_at().await;
    let id = claimed.lease.id;
    for from in [Stage::Queued, Stage::Running] {
        assert_eq!(claimed.state.stage, from);
        let before = world.everything(id).await;
        for to in Stage::ALL {
            if *to == from || (from.may_become(*to) && *to != Stage::Ended) {
                continue;
            }
            let refusal = world.queue.advance(&loud(&claimed, *to)).await;
            assert!(
                matches!(refusal, Err(RepoError::Internal(_))),
                "{from:?} to {to:?}: {refusal:?}"
            );
            assert_eq!(world.everything(id).await, before, "{from:?} to {to:?}");
        }
        assert_not_due(world.advance(&advance(&claimed, Stage::Running)).await);
        claimed = again(&world, id).await;
    }
}
