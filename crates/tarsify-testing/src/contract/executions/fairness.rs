//! In which order executions are submitted, so that nobody who asks for much keeps others
//! waiting.

use tarsify_domain::execution::{AttemptState, Claim, Requester, RunnableModel, Stage, Then};

use super::world::{ExecutionWorld, a_claim, assert_due, ids, seconds, submissions};
use crate::builders::{advance, attempt, new_test_run};

pub(super) async fn requesters_take_turns(world: ExecutionWorld) {
    let model = world.model().await;
    let (carla, clara) = (world.consumer().await, world.consumer().await);
    let a = world.runs(&model, carla, 3).await;
    let b = world.runs(&model, clara, 3).await;
    let mut c = Vec::new();
    for _ in 0..2 {
        let new = new_test_run(&model, 5);
        assert!(matches!(new.requester, Requester::Developer { .. }));
        c.push(world.admit(&new).await.summary.id);
        world.tick().await;
    }
    let order = ids(&world.submit_all().await);
    assert_eq!(order, [a[0], b[0], c[0], a[1], b[1], c[1], a[2], b[2]]);
}

pub(super) async fn a_newcomer_waits_for_one_of_many(world: ExecutionWorld) {
    let model = world.model().await;
    let (carla, clara) = (world.consumer().await, world.consumer().await);
    let many = world.runs(&model, carla, 50).await;
    let newcomer = world.runs(&model, clara, 1).await;
    let claim = Claim {
        limit: 2,
        ..a_claim(submissions(10))
    };
    let order = ids(&world.claim(&claim).await);
    assert_eq!(order, [many[0], newcomer[0]]);
    assert_eq!(ids(&world.claim(&claim).await), many[1..3]);
}

pub(super) async fn a_newcomer_overtakes_nobody_who_waits_as_long(world: ExecutionWorld) {
    let model = world.model().await;
    let (carla, clara) = (world.consumer().await, world.consumer().await);
    let a = world.runs(&model, carla, 4).await;
    let two = a_claim(submissions(2));
    assert_eq!(ids(&world.claim(&two).await), a[..2]);
    let b = world.runs(&model, clara, 2).await;
    let order = ids(&world.submit_all().await);
    assert_eq!(order, [a[2], b[0], a[3], b[1]]);
}

pub(super) async fn turns_are_taken_at_each_endpoint_by_itself(world: ExecutionWorld) {
    let (left, right) = (world.model().await, world.model().await);
    for (here, there) in [(&left, &right), (&right, &left)] {
        let (carla, clara) = (world.consumer().await, world.consumer().await);
        let at = |model: &RunnableModel, count| Claim {
            allowance: 0,
            allowances: [(model.endpoint.id, 100)].into(),
            ..a_claim(submissions(count))
        };
        let b = world.runs(there, clara, 2).await;
        let many = world.runs(here, carla, 6).await;
        assert_eq!(ids(&world.claim(&at(here, 4)).await), many[..4]);
        let a = world.runs(there, carla, 1).await;
        let order = ids(&world.claim(&at(there, 100)).await);
        assert_eq!(order, [b[0], a[0], b[1]]);
        assert_eq!(ids(&world.submit_all().await), many[4..]);
    }
}

pub(super) async fn the_first_of_each_endpoint_come_first(world: ExecutionWorld) {
    let (left, right) = (world.model().await, world.model().await);
    let (carla, clara) = (world.consumer().await, world.consumer().await);
    // Whoever is submitted here leaves higher turns to those who are left.
    let many = world.runs(&left, carla, 5).await;
    assert_eq!(ids(&world.claim(&a_claim(submissions(3))).await), many[..3]);
    let few = world.runs(&right, clara, 2).await;
    let order = ids(&world.submit_all().await);
    assert_eq!(order, [many[3], few[0], many[4], few[1]]);
}

pub(super) async fn what_waits_again_keeps_its_turn(world: ExecutionWorld) {
    let model = world.model().await;
    let (carla, clara) = (world.consumer().await, world.consumer().await);
    let a = world.runs(&model, carla, 3).await;
    let claimed = world.submit().await;
    assert_eq!(claimed.lease.id, a[0]);
    let mut undone = advance(&claimed, Stage::Created);
    undone.attempts = vec![attempt(&claimed, AttemptState::Undone)];
    undone.then = Then::After(seconds(0));
    assert_due(world.advance(&undone).await);
    world.tick().await;
    let b = world.runs(&model, clara, 1).await;
    let order = ids(&world.submit_all().await);
    assert_eq!(order, [a[0], b[0], a[1], a[2]]);
}
