//! Counting runs for their models and consumers.

use std::sync::Arc;

use tarsify_domain::Scope;
use tarsify_domain::execution::{Advance, EndReason, RunnableModel, Settlement, Stage, Then};
use tarsify_domain::id::ConsumerId;

use super::world::{ExecutionWorld, assert_applied, seconds};
use crate::builders::{advance, completion, new_test_run, settlement};

/// So many runs that completed.
pub(super) async fn complete(
    world: &ExecutionWorld,
    model: &Arc<RunnableModel>,
    consumer: ConsumerId,
    count: usize,
) {
    world.runs(model, consumer, count).await;
    for claimed in world.submit_all().await {
        assert_applied(world.settle(&completion(&claimed, 1.into())).await);
    }
}

pub(super) async fn runs_are_counted_once(world: ExecutionWorld) {
    let (model, other) = (world.model().await, world.model().await);
    let (carla, clara) = (world.consumer().await, world.consumer().await);
    complete(&world, &model, carla, 3).await;
    complete(&world, &other, carla, 1).await;
    complete(&world, &model, clara, 1).await;
    assert_eq!(world.queue.tally(2).await.unwrap(), 2);
    assert_eq!(world.queue.tally(100).await.unwrap(), 3);
    assert_eq!(world.queue.tally(100).await.unwrap(), 0);
    assert_eq!(world.props.runs_of_model(model.id).await, 4);
    assert_eq!(world.props.runs_of_model(other.id).await, 1);
    assert_eq!(world.props.runs_of_consumer(carla).await, 4);
    assert_eq!(world.props.runs_of_consumer(clara).await, 1);
    complete(&world, &model, clara, 1).await;
    assert_eq!(world.queue.tally(100).await.unwrap(), 1);
    assert_eq!(world.props.runs_of_model(model.id).await, 5);
}

pub(super) async fn only_runs_that_completed_are_counted(world: ExecutionWorld) {
    let model = world.model().await;
    let carla = world.consumer().await;
    world.admit(&new_test_run(&model, 5)).await;
    let tried = world.submit().await;
    assert_applied(world.settle(&completion(&tried, 1.into())).await);
    let runs = world.runs(&model, carla, 4).await;
    let claimed = world.submit().await;
    let end = settlement(&claimed, EndReason::ProviderError);
    assert_applied(world.settle(&end).await);
    let cancel = world.repository.request_cancel(Scope::System, runs[1]);
    cancel.await.unwrap();
    world.accept().await;
    // What has ended otherwise is taken, and counts for nothing here.
    assert_eq!(world.queue.tally(100).await.unwrap(), 2);
    assert_eq!(world.queue.tally(100).await.unwrap(), 0);
    assert_eq!(world.props.runs_of_model(model.id).await, 0);
    assert_eq!(world.props.runs_of_consumer(carla).await, 0);
}

pub(super) async fn a_run_that_is_tidied_up_is_counted_once(world: ExecutionWorld) {
    let model = world.model().await;
    world.runs(&model, world.consumer().await, 1).await;
    let claimed = world.submit().await;
    let end = Settlement {
        has_orphans: true,
        ..completion(&claimed, 1.into())
    };
    assert_applied(world.settle(&end).await);
    for _ in 0..2 {
        let claimed = world.look().await;
        let again = Advance {
            then: Then::After(seconds(0)),
            ..advance(&claimed, Stage::Ended)
        };
        assert_applied(world.advance(&again).await);
    }
    assert_eq!(world.queue.tally(100).await.unwrap(), 1);
    assert_eq!(world.queue.tally(100).await.unwrap(), 0);
    assert_eq!(world.props.runs_of_model(model.id).await, 1);
}
