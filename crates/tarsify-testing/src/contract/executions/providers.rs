//! How much of a provider is used, over all of its endpoints: never more jobs, submissions in a
//! minute or on a day than its limits say, whatever its endpoints may have.

use std::sync::Arc;

use tarsify_domain::catalog::Provider;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::execution::{Claimed, EndReason, RunnableModel, Work};
use tokio::task::JoinSet;

use super::world::{Change, ExecutionWorld, a_claim, assert_applied, ids, seconds, submissions};
use crate::builders::{new_run, settlement};

const NONE: EndpointLimits = EndpointLimits {
    max_concurrency: None,
    max_per_minute: None,
    max_per_day: None,
    retry_on_429: None,
    max_retries: None,
    base_backoff_ms: None,
};

const fn at_once(most: u32) -> EndpointLimits {
    EndpointLimits {
        max_concurrency: Some(most),
        ..NONE
    }
}

async fn limit(world: &ExecutionWorld, limits: EndpointLimits) {
    world.props.limit_provider(Provider::RunPod, limits).await;
}

/// Two models at endpoints of their own, with so many runs each.
async fn two_with(world: &ExecutionWorld, runs: usize) -> [Arc<RunnableModel>; 2] {
    let models = [world.model().await, world.model().await];
    let consumer = world.consumer().await;
    for model in &models {
        world.runs(model, consumer, runs).await;
    }
    models
}

fn count_at(model: &RunnableModel, claimed: &[Claimed]) -> usize {
    let places = claimed.iter().map(|one| one.place.endpoint_id);
    places.filter(|its| *its == model.endpoint.id).count()
}

async fn end(world: &ExecutionWorld, claimed: &Claimed) {
    let lost = settlement(claimed, EndReason::Lost);
    assert_applied(world.settle(&lost).await);
}

pub(super) async fn all_endpoints_together_have_no_more_jobs_than_it_may(world: ExecutionWorld) {
    limit(&world, at_once(3)).await;
    let [one, other] = two_with(&world, 4).await;
    let first = world.submit_all().await;
    assert_eq!(first.len(), 3);
    let (here, there) = (count_at(&one, &first), count_at(&other, &first));
    assert_eq!(here.abs_diff(there), 1, "they take turns");
    assert_eq!(world.submit_all().await, []);
    end(&world, &first[0]).await;
    end(&world, &first[1]).await;
    assert_eq!(world.submit_all().await.len(), 2);
    assert_eq!(world.submit_all().await, []);
}

pub(super) async fn a_minute_and_a_day_of_a_provider_are_kept(world: ExecutionWorld) {
    let limits = EndpointLimits {
        max_per_minute: Some(3),
        max_per_day: Some(5),
        ..NONE
    };
    limit(&world, limits).await;
    let consumer = world.consumer().await;
    let [one, other] = two_with(&world, 4).await;
    let first = world.submit_all().await;
    assert_eq!(first.len(), 3);
    for claimed in &first {
        end(&world, claimed).await;
    }
    assert_eq!(world.submit_all().await, [], "an end gives nothing back");
    world.pass(seconds(55)).await;
    assert_eq!(world.submit_all().await, []);
    world.pass(seconds(7)).await;
    assert_eq!(world.submit_all().await.len(), 2, "the day is over");
    world.pass(seconds(62)).await;
    assert_eq!(world.submit_all().await, []);
    world.pass(seconds(24 * 60 * 60)).await;
    for model in [&one, &other] {
        world.runs(model, consumer, 2).await;
    }
    assert_eq!(world.submit_all().await.len(), 3);
}

pub(super) async fn endpoints_keep_their_own_limits_as_well(world: ExecutionWorld) {
    limit(&world, at_once(5)).await;
    let [narrow, wide] = two_with(&world, 6).await;
    world.props.change(&narrow, Change::Limit(at_once(1))).await;
    let wide = world.props.change(&wide, Change::Limit(at_once(9))).await;
    let claimed = world.submit_all().await;
    let at = (count_at(&narrow, &claimed), count_at(&wide, &claimed));
    assert_eq!(at, (1, 4));
    assert_eq!(world.submit_all().await, []);
    let its = claimed
        .iter()
        .find(|one| one.place.endpoint_id == wide.endpoint.id);
    end(&world, its.unwrap()).await;
    let next = world.submit_all().await;
    assert_eq!((next.len(), count_at(&wide, &next)), (1, 1));
}

pub(super) async fn limits_of_a_provider_are_in_force_at_once(world: ExecutionWorld) {
    two_with(&world, 5).await;
    limit(&world, at_once(1)).await;
    assert_eq!(world.submit_all().await.len(), 1);
    limit(&world, at_once(4)).await;
    assert_eq!(world.submit_all().await.len(), 3);
    limit(&world, at_once(2)).await;
    assert_eq!(world.submit_all().await, [], "there are more by now");
    limit(&world, NONE).await;
    assert_eq!(world.submit_all().await.len(), 6);
}

pub(super) async fn what_an_endpoint_does_not_say_its_provider_says(world: ExecutionWorld) {
    let limits = EndpointLimits {
        max_per_day: Some(90),
        retry_on_429: Some(false),
        max_retries: Some(1),
        base_backoff_ms: Some(700),
        ..NONE
    };
    limit(&world, limits).await;
    let own = EndpointLimits {
        max_concurrency: Some(8),
        max_per_day: Some(100),
        max_retries: Some(0),
        ..NONE
    };
    let model = world.model().await;
    let model = Arc::new(world.props.change(&model, Change::Limit(own)).await);
    world.runs(&model, world.consumer().await, 1).await;
    let claimed = world.submit().await;
    let expected = EndpointLimits {
        max_concurrency: Some(8),
        max_per_minute: None,
        max_per_day: Some(90),
        retry_on_429: Some(false),
        max_retries: Some(0),
        base_backoff_ms: Some(700),
    };
    assert_eq!(claimed.place.limits, expected);
    world.pass(seconds(31)).await;
    let looked_at = world.claim(&a_claim(Work::Look)).await;
    assert_eq!(looked_at[0].place.limits, expected, "and whatever is asked");
}

pub(super) async fn a_crowd_never_takes_more_of_a_provider_than_there_is(world: ExecutionWorld) {
    let limits = EndpointLimits {
        max_concurrency: Some(5),
        max_per_minute: Some(11),
        ..NONE
    };
    limit(&world, limits).await;
    let consumer = world.consumer().await;
    let narrow = world.model().await;
    let narrow = world.props.change(&narrow, Change::Limit(at_once(2))).await;
    let models = [Arc::new(narrow), world.model().await, world.model().await];
    for model in &models {
        for _ in 0..12 {
            world.admit(&new_run(model, consumer)).await;
        }
    }
    let mut taken = Vec::new();
    for expected in [5, 10, 11, 11] {
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
        let mut claimed: Vec<Claimed> = crowd.join_all().await.into_iter().flatten().collect();
        // Those of a crowd who stand in each other's way take nothing; whoever comes next does.
        claimed.extend(world.submit_all().await);
        taken.extend(ids(&claimed));
        assert_eq!(taken.len(), expected);
        assert!(count_at(&models[0], &claimed) <= 2);
        for claimed in &claimed {
            end(&world, claimed).await;
        }
    }
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), 11, "each once");
}
