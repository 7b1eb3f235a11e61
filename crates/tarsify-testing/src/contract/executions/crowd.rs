//! How many runs of a consumer may be unfinished at once.

use std::sync::Arc;

use tarsify_domain::Scope;
use tarsify_domain::execution::{AdmitError, NewExecution, RunnableModel};
use tarsify_domain::id::ConsumerId;
use tokio::task::JoinSet;

use super::world::ExecutionWorld;
use crate::builders::{idempotency_claim, new_run, new_test_run};

fn run_beside(model: &Arc<RunnableModel>, consumer: ConsumerId, most: Option<u32>) -> NewExecution {
    NewExecution {
        max_concurrent_runs: most,
        ..new_run(model, consumer)
    }
}

async fn assert_too_many(world: &ExecutionWorld, new: &NewExecution, most: u32) {
    let refusal = world.repository.admit(new).await;
    assert!(
        matches!(refusal, Err(AdmitError::TooManyAtOnce(its)) if its == most),
        "{refusal:?}"
    );
    let report = world.repository.find_report(new.id).await.unwrap();
    assert_eq!(report, None, "a refusal stores nothing");
}

pub(super) async fn only_so_many_runs_are_unfinished(world: ExecutionWorld) {
    let model = world.model().await;
    let (consumer, other) = (world.consumer().await, world.consumer().await);
    let first = run_beside(&model, consumer, Some(2));
    world.admit(&first).await;
    world.admit(&run_beside(&model, consumer, Some(2))).await;
    let funds = world.repository.find_funds(consumer).await.unwrap();
    assert_too_many(&world, &run_beside(&model, consumer, Some(2)), 2).await;
    assert_too_many(&world, &run_beside(&model, consumer, Some(1)), 1).await;
    let left = world.repository.find_funds(consumer).await.unwrap();
    assert_eq!(left, funds, "a refusal holds nothing");

    world.admit(&run_beside(&model, other, Some(1))).await;
    world.admit(&run_beside(&model, consumer, Some(3))).await;
    world.admit(&run_beside(&model, consumer, None)).await;
    world.admit(&new_test_run(&model, 1)).await;

    for _ in 0..2 {
        assert_too_many(&world, &run_beside(&model, consumer, Some(4)), 4).await;
    }
    let cancel = world.repository.request_cancel(Scope::System, first.id);
    cancel.await.unwrap();
    world.admit(&run_beside(&model, consumer, Some(4))).await;
    assert_too_many(&world, &run_beside(&model, consumer, Some(4)), 4).await;
}

pub(super) async fn a_replay_needs_no_room(world: ExecutionWorld) {
    let model = world.model().await;
    let consumer = world.consumer().await;
    let keyed = |most| NewExecution {
        idempotency: Some(idempotency_claim()),
        ..run_beside(&model, consumer, Some(most))
    };
    let first = keyed(1);
    world.admit(&first).await;
    let refused = keyed(1);
    assert_too_many(&world, &refused, 1).await;
    let claim = refused.idempotency.unwrap();
    let replay = world.repository.find_replay(&claim).await.unwrap();
    assert_eq!(replay, None, "its key is not taken");
    assert!(world.repository.admit(&first).await.unwrap().is_replay);
}

/// Whoever repeats himself at the same instant is not told that there is no room: it is his own
/// request that took the last.
pub(super) async fn of_twins_for_the_last_place_none_is_refused(world: ExecutionWorld) {
    let model = world.model().await;
    for round in 1..=10 {
        let consumer = world.consumer().await;
        let run = idempotency_claim();
        let trial = idempotency_claim();
        let mut twins = JoinSet::new();
        for _ in 0..4 {
            let run = NewExecution {
                idempotency: Some(run.clone()),
                ..run_beside(&model, consumer, Some(1))
            };
            let trial = NewExecution {
                idempotency: Some(trial.clone()),
                ..new_test_run(&model, round)
            };
            for new in [run, trial] {
                let repository = Arc::clone(&world.repository);
                twins.spawn(async move { repository.admit(&new).await });
            }
        }
        let mut accepted = 0;
        while let Some(answer) = twins.join_next().await {
            let admitted = answer
                .unwrap()
                .expect("a twin is answered as the first one");
            accepted += u32::from(!admitted.is_replay);
        }
        assert_eq!(accepted, 2, "one of each");
    }
}

pub(super) async fn there_is_room_for_exactly_so_many_of_a_crowd(world: ExecutionWorld) {
    let model = world.model().await;
    let consumer = world.consumer().await;
    let mut crowd = JoinSet::new();
    for _ in 0..64 {
        let repository = Arc::clone(&world.repository);
        let new = run_beside(&model, consumer, Some(7));
        crowd.spawn(async move { repository.admit(&new).await });
    }
    let mut accepted = 0;
    while let Some(answer) = crowd.join_next().await {
        match answer.unwrap() {
            Ok(_) => accepted += 1,
            Err(AdmitError::TooManyAtOnce(7)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(accepted, 7);
}
