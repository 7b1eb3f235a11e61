//! How much of an endpoint is used: never more jobs, submissions in a minute or on a day than its
//! limits say. What has to wait for that only waits.

use std::sync::Arc;

use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::execution::{
    Attempt, AttemptState, Claimed, EndReason, ExecutionStatus, RunnableModel, Settlement, Stage,
    Then,
};
use tokio::task::JoinSet;

use super::world::{Change, ExecutionWorld, a_claim, assert_applied, ids, seconds, submissions};
use crate::builders::{advance, attempt, attempt_with_job, new_run, settlement};

const NONE: EndpointLimits = EndpointLimits {
    max_concurrency: None,
    max_per_minute: None,
    max_per_day: None,
    retry_on_429: None,
    max_retries: None,
    base_backoff_ms: None,
};

async fn limited(world: &ExecutionWorld, limits: EndpointLimits) -> Arc<RunnableModel> {
    let model = world.model().await;
    Arc::new(world.props.change(&model, Change::Limit(limits)).await)
}

fn at_once(most: u32) -> EndpointLimits {
    EndpointLimits {
        max_concurrency: Some(most),
        ..NONE
    }
}

fn a_minute(most: u32) -> EndpointLimits {
    EndpointLimits {
        max_per_minute: Some(most),
        ..NONE
    }
}

/// The claimed run fails, and nothing is left of it.
async fn end(world: &ExecutionWorld, claimed: &Claimed) {
    let lost = settlement(claimed, EndReason::Lost);
    assert_applied(world.settle(&lost).await);
}

pub(super) async fn an_endpoint_has_no_more_jobs_than_it_may(world: ExecutionWorld) {
    let model = limited(&world, at_once(2)).await;
    let all = world.runs(&model, world.consumer().await, 5).await;
    let first = world.submit_all().await;
    assert_eq!(ids(&first), all[..2]);
    assert_eq!(world.submit_all().await, []);
    end(&world, &first[0]).await;
    assert_eq!(ids(&world.submit_all().await), all[2..3]);
    assert_eq!(world.submit_all().await, []);
    let waiting = world.report(all[3]).await;
    assert_eq!(waiting.stage, Stage::Created);
    assert_eq!(waiting.execution.summary.status, ExecutionStatus::Pending);
    assert_eq!(waiting.attempts, [], "to wait is no attempt");
}

pub(super) async fn what_comes_to_nothing_leaves_its_place(world: ExecutionWorld) {
    let model = limited(&world, at_once(1)).await;
    let all = world.runs(&model, world.consumer().await, 2).await;
    let claimed = world.submit().await;
    assert_eq!(claimed.lease.id, all[0]);
    let mut undone = advance(&claimed, Stage::Created);
    undone.attempts = vec![attempt(&claimed, AttemptState::Undone)];
    undone.then = Then::After(seconds(30));
    assert_applied(world.advance(&undone).await);
    assert_eq!(ids(&world.submit_all().await), all[1..]);
}

pub(super) async fn a_job_that_is_left_keeps_its_place(world: ExecutionWorld) {
    let model = limited(&world, at_once(1)).await;
    let all = world.runs(&model, world.consumer().await, 2).await;
    let claimed = world.submit().await;
    let left = Settlement {
        attempts: vec![attempt_with_job(&claimed, AttemptState::Orphaned)],
        has_orphans: true,
        ..settlement(&claimed, EndReason::Lost)
    };
    assert_applied(world.settle(&left).await);
    assert_eq!(world.submit_all().await, [], "its job may still be at work");
    let orphan = world.look().await;
    let mut over = advance(&orphan, Stage::Ended);
    over.attempts = orphan
        .state
        .attempts
        .iter()
        .map(|its| Attempt {
            state: AttemptState::Over,
            ..its.clone()
        })
        .collect();
    over.then = Then::Rest;
    assert_applied(world.advance(&over).await);
    assert_eq!(ids(&world.submit_all().await), all[1..]);
}

pub(super) async fn a_minute_has_no_more_submissions_than_it_may(world: ExecutionWorld) {
    let model = limited(&world, a_minute(3)).await;
    let all = world.runs(&model, world.consumer().await, 5).await;
    let first = world.submit_all().await;
    assert_eq!(ids(&first), all[..3]);
    for claimed in &first {
        end(&world, claimed).await;
    }
    assert_eq!(world.submit_all().await, [], "an end gives nothing back");
    world.pass(seconds(55)).await;
    assert_eq!(world.submit_all().await, []);
    world.pass(seconds(7)).await;
    assert_eq!(ids(&world.submit_all().await), all[3..]);
}

pub(super) async fn a_minute_slides(world: ExecutionWorld) {
    let model = limited(&world, a_minute(3)).await;
    let consumer = world.consumer().await;
    world.runs(&model, consumer, 1).await;
    assert_eq!(world.submit_all().await.len(), 1);
    world.pass(seconds(40)).await;
    world.runs(&model, consumer, 5).await;
    assert_eq!(world.submit_all().await.len(), 2);
    world.pass(seconds(22)).await;
    assert_eq!(
        world.submit_all().await.len(),
        1,
        "the first is a minute ago"
    );
    world.pass(seconds(30)).await;
    assert_eq!(world.submit_all().await.len(), 0, "the next two are not");
    world.pass(seconds(10)).await;
    assert_eq!(world.submit_all().await.len(), 2);
}

pub(super) async fn a_day_has_no_more_submissions_than_it_may(world: ExecutionWorld) {
    let limits = EndpointLimits {
        max_per_day: Some(2),
        ..NONE
    };
    let model = limited(&world, limits).await;
    let consumer = world.consumer().await;
    let all = world.runs(&model, consumer, 3).await;
    assert_eq!(ids(&world.submit_all().await), all[..2]);
    assert_eq!(world.submit_all().await, []);
    world.pass(seconds(24 * 60 * 60)).await;
    let next = world.runs(&model, consumer, 1).await;
    assert_eq!(ids(&world.submit_all().await), next);
}

pub(super) async fn the_narrowest_limit_counts(world: ExecutionWorld) {
    for (limits, expected) in [
        ((Some(1), Some(2), Some(3)), 1),
        ((Some(3), Some(1), Some(2)), 1),
        ((Some(2), Some(3), Some(1)), 1),
        ((Some(9), None, Some(2)), 2),
    ] {
        let (max_concurrency, max_per_minute, max_per_day) = limits;
        let limits = EndpointLimits {
            max_concurrency,
            max_per_minute,
            max_per_day,
            ..NONE
        };
        let model = limited(&world, limits).await;
        world.runs(&model, world.consumer().await, 4).await;
        let claimed = world.submit_all().await;
        assert_eq!(claimed.len(), expected, "{limits:?}");
        assert!(claimed.iter().all(|one| one.place.limits == limits));
    }
}

pub(super) async fn limits_are_each_endpoints_own(world: ExecutionWorld) {
    let consumer = world.consumer().await;
    let narrow = limited(&world, at_once(1)).await;
    let rated = limited(&world, a_minute(2)).await;
    let free = world.model().await;
    for model in [&narrow, &rated, &free] {
        world.runs(model, consumer, 4).await;
    }
    let claimed = world.submit_all().await;
    let at = |model: &RunnableModel| {
        let places = claimed.iter().map(|one| one.place.endpoint_id);
        places.filter(|its| *its == model.endpoint.id).count()
    };
    assert_eq!((at(&narrow), at(&rated), at(&free)), (1, 2, 4));
    assert_eq!(world.submit_all().await, []);
}

pub(super) async fn a_claim_that_takes_less_uses_less_up(world: ExecutionWorld) {
    let model = limited(&world, a_minute(3)).await;
    world.runs(&model, world.consumer().await, 5).await;
    for expected in [1, 1, 1, 0] {
        let claimed = world.claim(&a_claim(submissions(1))).await;
        assert_eq!(claimed.len(), expected);
    }
}

pub(super) async fn limits_are_in_force_at_once(world: ExecutionWorld) {
    let model = limited(&world, at_once(1)).await;
    world.runs(&model, world.consumer().await, 6).await;
    assert_eq!(world.submit_all().await.len(), 1);
    let model = world.props.change(&model, Change::Limit(at_once(3))).await;
    assert_eq!(world.submit_all().await.len(), 2);
    let model = world.props.change(&model, Change::Limit(at_once(1))).await;
    assert_eq!(world.submit_all().await.len(), 0, "there are more by now");
    world.props.change(&model, Change::Limit(NONE)).await;
    assert_eq!(world.submit_all().await.len(), 3);
}

pub(super) async fn a_crowd_never_takes_more_than_there_is(world: ExecutionWorld) {
    let limits = EndpointLimits {
        max_concurrency: Some(4),
        max_per_minute: Some(9),
        ..NONE
    };
    let model = limited(&world, limits).await;
    let consumer = world.consumer().await;
    for _ in 0..30 {
        world.admit(&new_run(&model, consumer)).await;
    }
    let mut taken = Vec::new();
    for expected in [4, 8, 9, 9] {
        let mut crowd = JoinSet::new();
        for _ in 0..12 {
            let queue = Arc::clone(&world.queue);
            crowd.spawn(async move {
                let mut mine = Vec::new();
                for _ in 0..3 {
                    mine.extend(queue.claim(&a_claim(submissions(3))).await.unwrap());
                }
                mine
            });
        }
        let claimed: Vec<Claimed> = crowd.join_all().await.into_iter().flatten().collect();
        taken.extend(ids(&claimed));
        assert_eq!(taken.len(), expected);
        for claimed in &claimed {
            end(&world, claimed).await;
        }
    }
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), 9, "each once");
}
