//! Claiming what is to be looked after.

use std::collections::HashMap;

use tarsify_domain::execution::{AttemptState, Claim, Claimed, ExecutionStatus, Stage, Then, Work};
use tarsify_domain::id::ExecutionId;

use super::world::{ExecutionWorld, LEASE, PAST_A_LEASE, a_claim, assert_not_due, ids, seconds};
use crate::builders::{advance, attempt_with_job};

pub(super) async fn what_is_due_is_looked_at(world: ExecutionWorld) {
    let id = world.accepted().await;
    let accepted = world.report(id).await;
    assert_eq!(world.look_all().await, []);
    world.pass(seconds(30)).await;
    assert_eq!(world.look_all().await, []);
    world.pass(seconds(31)).await;
    let claimed = world.look().await;
    assert_eq!((claimed.lease.id, claimed.lease.epoch), (id, 2));
    assert_eq!(claimed.state.stage, Stage::Queued);
    assert_eq!(claimed.state.strikes, 1);
    assert_eq!(claimed.submission, None);
    let attempt = &claimed.state.attempts[0];
    assert_eq!(attempt.state, AttemptState::Accepted);
    assert_eq!(attempt.job, accepted.attempts[0].attempt.job);
    assert_eq!(claimed.state.attempts.len(), 1);
    let report = world.report(id).await;
    assert_eq!(report.lease_until, Some(claimed.now + LEASE));
    assert_eq!(report.execution.summary.status, ExecutionStatus::Queued);
    assert_eq!(world.look_all().await, [], "it is leased");
    assert_eq!(world.submit_all().await, []);
    assert_eq!(claimed.started_at, None);
    let mut at_work = advance(&claimed, Stage::Running);
    at_work.then = Then::After(seconds(1));
    assert_not_due(world.advance(&at_work).await);
    world.pass(seconds(2)).await;
    let started_at = world.report(id).await.execution.summary.started_at;
    assert!(started_at.is_some());
    assert_eq!(world.look().await.started_at, started_at);
}

pub(super) async fn what_waits_to_be_submitted_is_not_looked_at(world: ExecutionWorld) {
    world.run().await;
    assert_eq!(world.look_all().await, []);
    world.pass(seconds(60)).await;
    assert_eq!(world.look_all().await, []);
    let paused = world.put_back(seconds(10)).await;
    world.pass(seconds(60)).await;
    assert_eq!(world.look_all().await, []);
    assert!(ids(&world.submit_all().await).contains(&paused));
}

/// One run of each wait, accepted by the provider and then due after that many seconds.
async fn accepted_for(world: &ExecutionWorld, waits: &[u64]) -> Vec<ExecutionId> {
    let model = world.model().await;
    let consumer = world.consumer().await;
    world.runs(&model, consumer, waits.len()).await;
    let mut ids = Vec::new();
    for wait in waits {
        let claimed = world.submit().await;
        let mut accepted = advance(&claimed, Stage::Queued);
        accepted.attempts = vec![attempt_with_job(&claimed, AttemptState::Accepted)];
        accepted.then = Then::After(seconds(*wait));
        assert_not_due(world.advance(&accepted).await);
        ids.push(claimed.lease.id);
    }
    ids
}

pub(super) async fn the_longest_due_is_first(world: ExecutionWorld) {
    let all = accepted_for(&world, &[300, 100, 200]).await;
    world.pass(seconds(250)).await;
    assert_eq!(ids(&world.look_all().await), [all[1], all[2]]);
    world.pass(seconds(100)).await;
    let order = ids(&world.look_all().await);
    assert_eq!(order, [all[1], all[2], all[0]], "leases ran out meanwhile");
}

pub(super) async fn the_longest_due_is_first_wherever_it_is(world: ExecutionWorld) {
    let mut expected = accepted_for(&world, &[10, 40]).await;
    let others = accepted_for(&world, &[20, 30]).await;
    expected.splice(1..1, others);
    world.pass(seconds(60)).await;
    let one = Claim {
        limit: 1,
        ..a_claim(Work::Look)
    };
    let mut order = ids(&world.claim(&one).await);
    order.extend(ids(&world.look_all().await));
    assert_eq!(order, expected);
}

pub(super) async fn what_was_called_for_is_first(world: ExecutionWorld) {
    let all = accepted_for(&world, &[10, 20, 30, 400]).await;
    world.pass(seconds(60)).await;
    world.queue.hint(all[2], 1, None).await.unwrap();
    let two = Claim {
        limit: 2,
        ..a_claim(Work::Look)
    };
    assert_eq!(ids(&world.claim(&two).await), [all[2], all[0]]);
    world.queue.hint(all[3], 1, None).await.unwrap();
    assert_eq!(ids(&world.claim(&two).await), [all[3], all[1]]);
}

pub(super) async fn a_lease_that_ran_out_is_void(world: ExecutionWorld) {
    let first = world.looked_at().await;
    world.pass(seconds(20)).await;
    assert_eq!(world.look_all().await, []);
    world.pass(seconds(11)).await;
    let second = world.look().await;
    assert_eq!(second.lease.id, first.lease.id);
    assert_eq!(second.lease.epoch, first.lease.epoch + 1);
    assert_eq!(second.state.strikes, 2);
}

pub(super) async fn strikes_count_until_somebody_writes(world: ExecutionWorld) {
    let mut claimed = world.looked_at().await;
    for strikes in 1..5 {
        assert_eq!(claimed.state.strikes, strikes);
        world.pass(PAST_A_LEASE).await;
        claimed = world.look().await;
    }
    let seen = advance(&claimed, Stage::Queued);
    assert_not_due(world.advance(&seen).await);
    world.pass(seconds(61)).await;
    assert_eq!(world.look().await.state.strikes, 1);
}

pub(super) async fn limits_and_allowances_are_kept(world: ExecutionWorld) {
    for _ in 0..3 {
        accepted_for(&world, &[10, 20, 30]).await;
    }
    world.pass(seconds(60)).await;
    let two = Claim {
        limit: 2,
        ..a_claim(Work::Look)
    };
    let claimed = world.claim(&two).await;
    assert_eq!(claimed.len(), 2);
    world.pass(PAST_A_LEASE).await;
    let endpoint = claimed[0].place.endpoint_id;
    let at_most = Claim {
        allowance: 1,
        allowances: HashMap::from([(endpoint, 0)]),
        ..a_claim(Work::Look)
    };
    let claimed = world.claim(&at_most).await;
    assert_eq!(claimed.len(), 2, "one of each other endpoint");
    let is_elsewhere = |one: &Claimed| one.place.endpoint_id != endpoint;
    assert!(claimed.iter().all(is_elsewhere));
    let nothing = Claim {
        allowance: 0,
        ..a_claim(Work::Look)
    };
    assert_eq!(world.claim(&nothing).await, []);
}
