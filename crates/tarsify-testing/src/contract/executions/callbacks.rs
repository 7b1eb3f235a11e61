//! What the provider's callbacks tell.

use tarsify_domain::execution::{Advance, AttemptState, Known, ProviderJobId, Stage, TokenHash};
use tarsify_domain::id::ExecutionId;

use super::world::{ExecutionWorld, assert_applied, assert_due, assert_not_due, seconds};
use crate::builders::{advance, attempt, completion, new_job, new_token};
use crate::clock::MOMENT;

async fn known(world: &ExecutionWorld, id: ExecutionId, token: &TokenHash) -> Option<Known> {
    world.queue.find_callback(id, token).await.unwrap()
}

async fn job_of(world: &ExecutionWorld, id: ExecutionId) -> Option<ProviderJobId> {
    world.report(id).await.attempts[0].attempt.job.clone()
}

/// A run whose first attempt's answer was lost.
async fn lost(world: &ExecutionWorld) -> (ExecutionId, TokenHash) {
    world.run().await;
    let claimed = world.submit().await;
    let lost = Advance {
        attempts: vec![attempt(&claimed, AttemptState::Lost)],
        ..advance(&claimed, Stage::Unknown)
    };
    assert_not_due(world.advance(&lost).await);
    let (token, _) = claimed.submission.unwrap();
    (claimed.lease.id, token)
}

pub(super) async fn an_attempt_is_known_by_its_token(world: ExecutionWorld) {
    let (id, token) = lost(&world).await;
    let (other, others_token) = lost(&world).await;
    let first = Known {
        attempt: 1,
        has_job: false,
    };
    assert_eq!(known(&world, id, &token).await, Some(first));
    assert_eq!(known(&world, other, &others_token).await, Some(first));
    assert_eq!(known(&world, id, &others_token).await, None);
    assert_eq!(known(&world, id, &new_token()).await, None);
    assert_eq!(known(&world, ExecutionId::new(MOMENT), &token).await, None);
    world.queue.hint(id, 1, None).await.unwrap();
    let claimed = world.look().await;
    assert_applied(world.settle(&completion(&claimed, 1.into())).await);
    let won = Known {
        attempt: 1,
        has_job: true,
    };
    assert_eq!(
        known(&world, id, &token).await,
        Some(won),
        "the end forgets no token"
    );
}

pub(super) async fn a_hint_makes_due(world: ExecutionWorld) {
    let id = world.accepted().await;
    assert_eq!(world.look_all().await, []);
    world.queue.hint(id, 1, None).await.unwrap();
    assert_eq!(world.look().await.lease.id, id);
}

pub(super) async fn a_hint_during_a_lease_is_not_lost(world: ExecutionWorld) {
    let claimed = world.looked_at().await;
    let id = claimed.lease.id;
    world.queue.hint(id, 1, None).await.unwrap();
    assert_eq!(world.look_all().await, [], "its worker still has it");
    let seen = advance(&claimed, Stage::Queued);
    assert_due(world.advance(&seen).await);
    let claimed = world.look().await;
    let seen = advance(&claimed, Stage::Queued);
    assert_not_due(world.advance(&seen).await);
}

pub(super) async fn a_job_is_adopted_once(world: ExecutionWorld) {
    let (id, token) = lost(&world).await;
    let job = new_job();
    world.queue.hint(id, 1, Some(&job)).await.unwrap();
    assert_eq!(job_of(&world, id).await, Some(job.clone()));
    let adopted = Known {
        attempt: 1,
        has_job: true,
    };
    assert_eq!(known(&world, id, &token).await, Some(adopted));
    world.queue.hint(id, 1, Some(&new_job())).await.unwrap();
    world.queue.hint(id, 1, Some(&job)).await.unwrap();
    assert_eq!(job_of(&world, id).await, Some(job.clone()));
    let claimed = world.look().await;
    assert_eq!(claimed.state.stage, Stage::Unknown, "a hint moves nothing");
    assert_eq!(claimed.state.attempts[0].live_job(), Some(&job));
    assert_eq!(world.story(id).await, ["queued"]);
}

pub(super) async fn the_job_of_another_is_not_adopted(world: ExecutionWorld) {
    let other = world.accepted().await;
    let its = job_of(&world, other).await.unwrap();
    let (id, _) = lost(&world).await;
    world.queue.hint(id, 1, Some(&its)).await.unwrap();
    assert_eq!(job_of(&world, id).await, None);
    assert_eq!(job_of(&world, other).await, Some(its));
    assert_eq!(world.look().await.lease.id, id, "it is due all the same");
}

pub(super) async fn an_adopted_job_outlives_a_worker_who_did_not_know(world: ExecutionWorld) {
    let id = world.run().await;
    let claimed = world.submit().await;
    let job = new_job();
    world.queue.hint(id, 1, Some(&job)).await.unwrap();
    let lost = Advance {
        attempts: vec![attempt(&claimed, AttemptState::Lost)],
        ..advance(&claimed, Stage::Unknown)
    };
    assert_due(world.advance(&lost).await);
    let claimed = world.look().await;
    let attempt = &claimed.state.attempts[0];
    assert_eq!(attempt.state, AttemptState::Lost);
    assert_eq!(attempt.live_job(), Some(&job));
}

pub(super) async fn the_end_hears_no_hints(world: ExecutionWorld) {
    let id = world.run().await;
    let claimed = world.submit().await;
    let mut end =
        crate::builders::settlement(&claimed, tarsify_domain::execution::EndReason::Refused);
    end.attempts = vec![attempt(&claimed, AttemptState::Lost)];
    assert_applied(world.settle(&end).await);
    let before = world.everything(id).await;
    world.queue.hint(id, 1, Some(&new_job())).await.unwrap();
    world.queue.hint(id, 1, None).await.unwrap();
    assert_eq!(world.everything(id).await, before);
    world.pass(seconds(3_600)).await;
    assert_eq!(world.look_all().await, []);
}
