//! Who works on the store: each knows how many there are.

use std::sync::Arc;

use tarsify_domain::id::WorkerId;
use tokio::task::JoinSet;

use super::world::{ExecutionWorld, seconds};
use crate::clock::MOMENT;

fn worker() -> WorkerId {
    WorkerId::new(MOMENT)
}

async fn check_in(world: &ExecutionWorld, worker: WorkerId) -> u32 {
    world.crew.check_in(worker).await.unwrap()
}

pub(super) async fn each_worker_counts_once(world: ExecutionWorld) {
    let (one, other) = (worker(), worker());
    assert_eq!(check_in(&world, one).await, 1);
    assert_eq!(check_in(&world, one).await, 1);
    assert_eq!(check_in(&world, other).await, 2);
    assert_eq!(check_in(&world, one).await, 2);
}

pub(super) async fn who_is_gone_counts_no_more(world: ExecutionWorld) {
    let (one, other) = (worker(), worker());
    check_in(&world, one).await;
    check_in(&world, other).await;
    world.crew.check_out(one).await.unwrap();
    assert_eq!(check_in(&world, other).await, 1);
    world.crew.check_out(one).await.unwrap();
    assert_eq!(check_in(&world, one).await, 2, "and may come again");
}

pub(super) async fn who_is_silent_counts_for_a_while(world: ExecutionWorld) {
    let (one, other) = (worker(), worker());
    check_in(&world, one).await;
    world.pass(seconds(8)).await;
    assert_eq!(check_in(&world, other).await, 2);
    world.pass(seconds(3)).await;
    assert_eq!(check_in(&world, other).await, 1);
    assert_eq!(check_in(&world, one).await, 2, "it was only slow");
    world.pass(seconds(90)).await;
    assert_eq!(check_in(&world, other).await, 1);
}

pub(super) async fn of_a_crowd_that_comes_at_once_each_knows_of_those_before(
    world: ExecutionWorld,
) {
    let mut crowd = JoinSet::new();
    for _ in 0..8 {
        let crew = Arc::clone(&world.crew);
        crowd.spawn(async move { crew.check_in(worker()).await.unwrap() });
    }
    let mut counts = crowd.join_all().await;
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8]);
}
