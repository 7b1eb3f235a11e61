//! How many test runs a developer has on one day.

use tarsify_domain::Scope;
use tarsify_domain::execution::{AdmitError, NewExecution};

use super::world::{Change, ExecutionWorld, seconds};
use crate::builders::{idempotency_claim, new_run, new_test_run};

async fn assert_used_up(world: &ExecutionWorld, new: &NewExecution, quota: u32) {
    let refusal = world.repository.admit(new).await;
    assert!(
        matches!(refusal, Err(AdmitError::QuotaUsedUp(its)) if its == quota),
        "{refusal:?}"
    );
    let report = world.repository.find_report(new.id).await.unwrap();
    assert_eq!(report, None, "a refusal stores nothing");
}

pub(super) async fn the_quota_of_a_day_is_exact(world: ExecutionWorld) {
    let (model, other) = (world.model().await, world.model().await);
    let consumer = world.consumer().await;
    assert_used_up(&world, &new_test_run(&model, 0), 0).await;
    for _ in 0..3 {
        world.admit(&new_test_run(&model, 3)).await;
    }
    assert_used_up(&world, &new_test_run(&model, 3), 3).await;
    world.admit(&new_test_run(&other, 3)).await;
    world.admit(&new_run(&model, consumer)).await;
    world.admit(&new_test_run(&model, 4)).await;
    assert_used_up(&world, &new_test_run(&model, 4), 4).await;
}

pub(super) async fn replays_and_refusals_use_nothing_up(world: ExecutionWorld) {
    let old = world.model().await;
    let model = world.props.change(&old, Change::Revise).await;
    let model = std::sync::Arc::new(model);
    let keyed = |new| NewExecution {
        idempotency: Some(idempotency_claim()),
        ..new
    };
    let first = keyed(new_test_run(&model, 2));
    world.admit(&first).await;
    for _ in 0..3 {
        assert!(world.repository.admit(&first).await.unwrap().is_replay);
        let refused = keyed(new_test_run(&old, 2));
        let refusal = world.repository.admit(&refused).await;
        assert!(matches!(refusal, Err(AdmitError::ModelChanged)));
    }
    world.admit(&keyed(new_test_run(&model, 2))).await;
    let too_many = keyed(new_test_run(&model, 2));
    assert_used_up(&world, &too_many, 2).await;
    let claim = too_many.idempotency.unwrap();
    let replay = world.repository.find_replay(&claim).await.unwrap();
    assert_eq!(replay, None, "its key is not taken");
    let replay = world.repository.admit(&first).await.unwrap();
    assert!(replay.is_replay, "a replay asks nothing of the quota");
}

pub(super) async fn ended_test_runs_count(world: ExecutionWorld) {
    let model = world.model().await;
    let new = new_test_run(&model, 1);
    world.admit(&new).await;
    let cancel = world.repository.request_cancel(Scope::System, new.id);
    cancel.await.unwrap();
    assert_used_up(&world, &new_test_run(&model, 1), 1).await;
}

pub(super) async fn the_next_day_begins_anew(world: ExecutionWorld) {
    let model = world.model().await;
    for _ in 0..2 {
        world.admit(&new_test_run(&model, 1)).await;
        assert_used_up(&world, &new_test_run(&model, 1), 1).await;
        world.pass(seconds(24 * 60 * 60)).await;
    }
    world.admit(&new_test_run(&model, 1)).await;
}
