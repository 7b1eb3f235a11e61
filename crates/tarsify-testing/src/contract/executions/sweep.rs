//! Claiming what is past its deadline.

use tarsify_domain::execution::{AttemptState, Claim, EndReason, Stage, Work};

use super::world::{
    ExecutionWorld, PAST_A_LEASE, a_claim, assert_applied, assert_not_due, ids, seconds,
};
use crate::builders::{advance, attempt, settlement};

/// A little more than the time that runs have in these cases.
const PAST_THE_DEADLINE: u64 = 601;

pub(super) async fn whatever_is_past_its_deadline_is_swept(world: ExecutionWorld) {
    let paused = world.put_back(seconds(3_600)).await;
    let queued = world.looked_at().await;
    let patient = tarsify_domain::execution::Then::After(seconds(3_600));
    let mut move_on = advance(&queued, Stage::Queued);
    move_on.then = patient;
    assert_not_due(world.advance(&move_on).await);
    world.run().await;
    let unknown = world.submit().await;
    let mut lost = advance(&unknown, Stage::Unknown);
    lost.attempts = vec![attempt(&unknown, AttemptState::Lost)];
    lost.then = patient;
    assert_not_due(world.advance(&lost).await);
    world.run().await;
    let abandoned = world.submit().await.lease.id;
    let waiting = world.run().await;
    world.pass(seconds(PAST_THE_DEADLINE)).await;
    let swept = world.sweep_all().await;
    let mut found = ids(&swept);
    found.sort_unstable();
    let mut expected = [
        paused,
        queued.lease.id,
        unknown.lease.id,
        abandoned,
        waiting,
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
    for claimed in swept {
        let id = claimed.lease.id;
        assert_eq!(claimed.submission, None);
        let attempts = if id == waiting { 0 } else { 1 };
        assert_eq!(claimed.state.attempts.len(), attempts);
        assert!(claimed.now >= claimed.state.deadline_at);
        let report = world.report(id).await;
        assert_eq!(report.stage, claimed.state.stage, "it is only leased");
        assert!(report.lease_until.is_some());
        let strikes = if id == abandoned { 2 } else { 1 };
        assert_eq!(claimed.state.strikes, strikes);
        let end = settlement(&claimed, EndReason::Deadline);
        assert_applied(world.settle(&end).await);
    }
    assert_eq!(world.sweep_all().await, []);
}

pub(super) async fn what_is_in_time_is_not_swept(world: ExecutionWorld) {
    world.accepted().await;
    world.run().await;
    assert_eq!(world.sweep_all().await, []);
    world.pass(seconds(PAST_THE_DEADLINE - 30)).await;
    assert_eq!(world.sweep_all().await, []);
}

pub(super) async fn what_is_leased_is_not_swept(world: ExecutionWorld) {
    let id = world.accepted().await;
    world.pass(seconds(PAST_THE_DEADLINE - 20)).await;
    let looked_at = world.look().await;
    world.pass(seconds(25)).await;
    assert_eq!(world.sweep_all().await, []);
    world.pass(seconds(10)).await;
    let swept = world.sweep_all().await;
    assert_eq!(ids(&swept), [id]);
    assert_eq!(swept[0].lease.epoch, looked_at.lease.epoch + 1);
    assert_eq!(swept[0].state.strikes, 2);
    assert_eq!(world.sweep_all().await, [], "now it is leased again");
    assert_eq!(world.look_all().await, []);
    world.pass(PAST_A_LEASE).await;
    assert_eq!(ids(&world.sweep_all().await), [id]);
}

pub(super) async fn what_has_ended_is_not_swept(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let mut end = settlement(&claimed, EndReason::ProviderError);
    end.attempts = vec![attempt(&claimed, AttemptState::Orphaned)];
    end.has_orphans = true;
    assert_applied(world.settle(&end).await);
    world.pass(seconds(PAST_THE_DEADLINE)).await;
    assert_eq!(world.sweep_all().await, [], "not even with a job left");
}

pub(super) async fn limits_are_kept_and_allowances_are_not_asked(world: ExecutionWorld) {
    let model = world.model().await;
    let consumer = world.consumer().await;
    world.runs(&model, consumer, 3).await;
    world.pass(seconds(PAST_THE_DEADLINE)).await;
    let two = Claim {
        limit: 2,
        allowance: 0,
        allowances: [(model.endpoint.id, 0)].into(),
        ..a_claim(Work::Sweep)
    };
    assert_eq!(world.claim(&two).await.len(), 2);
    assert_eq!(world.claim(&two).await.len(), 1);
}
