//! Asking for attention before its time.

use tarsify_domain::execution::Stage;
use tarsify_domain::id::ExecutionId;

use super::world::{
    ExecutionWorld, PAST_A_LEASE, assert_applied, assert_due, assert_not_due, ids, seconds,
};
use crate::builders::{advance, completion};
use crate::clock::MOMENT;

pub(super) async fn a_nudge_makes_due_after_a_rest(world: ExecutionWorld) {
    let id = world.accepted().await;
    let nudge = async |rest| world.repository.nudge(id, seconds(rest)).await.unwrap();
    assert!(!nudge(20).await, "its worker has just written");
    assert_eq!(world.look_all().await, []);
    world.pass(seconds(21)).await;
    assert!(nudge(20).await);
    let claimed = world.look().await;
    assert_eq!(claimed.lease.id, id);
    assert!(!nudge(20).await, "it was just claimed");
    world.pass(seconds(15)).await;
    assert_not_due(world.advance(&advance(&claimed, Stage::Queued)).await);
    world.pass(seconds(10)).await;
    assert!(!nudge(20).await, "its worker wrote since");
    assert_eq!(world.look_all().await, []);
}

pub(super) async fn a_nudge_needs_a_job(world: ExecutionWorld) {
    let nudge = async |id| world.repository.nudge(id, seconds(0)).await.unwrap();
    let paused = world.put_back(seconds(3_600)).await;
    world.pass(seconds(60)).await;
    assert!(!nudge(paused).await, "it is not at the provider");
    assert_eq!(world.submit_all().await, []);
    let claimed = world.looked_at().await;
    assert_applied(world.settle(&completion(&claimed, 1.into())).await);
    world.pass(seconds(60)).await;
    assert!(!nudge(claimed.lease.id).await, "it has ended");
    assert_eq!(world.look_all().await, []);
    assert!(!nudge(ExecutionId::new(MOMENT)).await);
}

pub(super) async fn a_nudge_during_a_lease_is_not_lost(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    world.pass(seconds(21)).await;
    let nudged = world.repository.nudge(claimed.lease.id, seconds(20));
    assert!(nudged.await.unwrap());
    assert_eq!(world.look_all().await, [], "its worker still has it");
    assert_due(world.advance(&advance(&claimed, Stage::Queued)).await);
    assert_eq!(world.look().await.lease.id, claimed.lease.id);
}

pub(super) async fn a_claim_answers_the_calls_before_it(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    world.queue.hint(claimed.lease.id, 1, None).await.unwrap();
    world.pass(PAST_A_LEASE).await;
    let claimed = world.look().await;
    let seen = advance(&claimed, Stage::Queued);
    assert_not_due(world.advance(&seen).await);
    assert_eq!(world.look_all().await, []);
}

pub(super) async fn expediting_ends_a_pause(world: ExecutionWorld) {
    let paused = world.put_back(seconds(3_600)).await;
    let expedite = async |id| world.repository.expedite(id).await.unwrap();
    assert_eq!(world.submit_all().await, []);
    assert_eq!(expedite(paused).await, Some(true));
    assert_eq!(ids(&world.submit_all().await), [paused]);
    let accepted = world.accepted().await;
    assert_eq!(expedite(accepted).await, Some(true));
    let claimed = world.look().await;
    assert_eq!(claimed.lease.id, accepted);
    assert_eq!(expedite(accepted).await, Some(true));
    assert_eq!(world.look_all().await, [], "its worker still has it");
    assert_due(world.advance(&advance(&claimed, Stage::Queued)).await);
}

pub(super) async fn expediting_forgives_strikes(world: ExecutionWorld) {
    let id = world.looked_at().await.lease.id;
    for _ in 0..3 {
        world.pass(PAST_A_LEASE).await;
        world.look().await;
    }
    world.repository.expedite(id).await.unwrap();
    world.pass(PAST_A_LEASE).await;
    // The last lease was not given back, which whoever comes next has to know.
    assert_eq!(world.look().await.state.strikes, 2);
    world.pass(PAST_A_LEASE).await;
    world.repository.expedite(id).await.unwrap();
    assert_eq!(world.look().await.state.strikes, 2);
    let given_back = world.put_back(seconds(0)).await;
    world.repository.expedite(given_back).await.unwrap();
    assert_eq!(ids(&world.submit_all().await), [given_back]);
}

pub(super) async fn the_end_is_not_expedited(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    assert_applied(world.settle(&completion(&claimed, 1.into())).await);
    let before = world.everything(id).await;
    let expedited = world.repository.expedite(id).await.unwrap();
    assert_eq!(expedited, Some(false));
    assert_eq!(world.everything(id).await, before);
    assert_eq!(world.look_all().await, []);
}
