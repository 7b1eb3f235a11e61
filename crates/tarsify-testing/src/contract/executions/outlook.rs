//! What is known about when a run may be done.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::execution::{Forecast, Outlook, RunnableModel, Stage, Standing};
use tarsify_domain::id::ExecutionId;

use super::world::{Change, ExecutionWorld, a_claim, assert_applied, seconds, submissions};
use crate::builders::{advance, attempt_with_job, completion, new_run};

impl ExecutionWorld {
    async fn outlook(&self, id: ExecutionId) -> Outlook {
        let outlook = self.repository.find_outlook(id).await.unwrap();
        outlook.expect("the execution is there")
    }

    async fn positions(&self, ids: &[ExecutionId]) -> Vec<Option<u32>> {
        let mut positions = Vec::new();
        for id in ids {
            positions.push(self.outlook(*id).await.forecast().queue_position);
        }
        positions
    }
}

pub(super) async fn nothing_is_known_of_what_is_not_there(world: ExecutionWorld) {
    let model = world.model().await;
    let id = new_run(&model, world.consumer().await).id;
    assert_eq!(world.repository.find_outlook(id).await.unwrap(), None);
}

pub(super) async fn a_line_is_counted_in_the_order_of_service(world: ExecutionWorld) {
    let model = world.model().await;
    let (carla, clara) = (world.consumer().await, world.consumer().await);
    let many = world.runs(&model, carla, 4).await;
    let newcomer = world.runs(&model, clara, 1).await;
    let elsewhere = world.model().await;
    let alone = world.runs(&elsewhere, carla, 1).await;
    let told = world.positions(&many).await;
    assert_eq!(told, [Some(1), Some(3), Some(4), Some(5)]);
    assert_eq!(world.positions(&newcomer).await, [Some(2)]);
    assert_eq!(world.positions(&alone).await, [Some(1)]);
    let claimed = world.claim(&a_claim(submissions(2))).await;
    assert_eq!(claimed.len(), 2);
    let here = claimed
        .iter()
        .filter(|one| one.place.endpoint_id == model.endpoint.id);
    let here = u32::try_from(here.count()).unwrap();
    assert_eq!(world.positions(&many).await[3], Some(5 - here));
}

pub(super) async fn what_was_submitted_has_no_place(world: ExecutionWorld) {
    let model = world.model().await;
    let all = world.runs(&model, world.consumer().await, 2).await;
    let claimed = world.submit().await;
    assert_eq!(world.positions(&all).await, [None, Some(1)]);
    let outlook = world.outlook(all[1]).await;
    let expected = Standing::Waiting {
        ahead: 0,
        under_way: 1,
    };
    assert_eq!(outlook.standing, expected);
    let estimated = seconds(model.base_model.estimated_seconds.into());
    assert_eq!(outlook.estimated, estimated);
    let mut running = advance(&claimed, Stage::Running);
    running.attempts = vec![attempt_with_job(
        &claimed,
        tarsify_domain::execution::AttemptState::Accepted,
    )];
    assert_applied(world.advance(&running).await);
    world.pass(seconds(3)).await;
    let Standing::Submitted { worked } = world.outlook(all[0]).await.standing else {
        panic!("it is at work");
    };
    assert!((seconds(3)..seconds(13)).contains(&worked), "{worked:?}");
}

pub(super) async fn limits_are_known(world: ExecutionWorld) {
    let model = world.model().await;
    let limits = EndpointLimits {
        max_concurrency: Some(2),
        max_per_minute: Some(7),
        ..EndpointLimits::default()
    };
    let model = world.props.change(&model, Change::Limit(limits)).await;
    let id = world
        .runs(&Arc::new(model), world.consumer().await, 1)
        .await[0];
    assert_eq!(world.outlook(id).await.limits, limits);
}

pub(super) async fn the_times_are_those_of_its_model(world: ExecutionWorld) {
    let (model, other) = (world.model().await, world.model().await);
    for (model, took) in [(&other, 90_000), (&model, 1_000), (&model, 2_000)] {
        completed(&world, model, took, 4).await;
    }
    completed(&world, &model, 30_000, 2).await;
    world.queue.tally(100).await.unwrap();
    let id = world.runs(&model, world.consumer().await, 1).await[0];
    let outlook = world.outlook(id).await;
    let runs: Vec<u64> = outlook.times.iter().map(|(_, runs)| *runs).collect();
    assert_eq!(runs, [4, 4, 2]);
    let expected = Forecast {
        queue_position: Some(1),
        eta_seconds: Some(3),
        eta_seconds_p90: Some(32),
    };
    let told = outlook.forecast();
    assert_eq!(told.queue_position, expected.queue_position);
    assert!(told.eta_seconds >= Some(2) && told.eta_seconds <= expected.eta_seconds);
    assert!(told.eta_seconds_p90 >= Some(29) && told.eta_seconds_p90 <= expected.eta_seconds_p90);
}

pub(super) async fn the_end_has_no_outlook(world: ExecutionWorld) {
    let model = world.model().await;
    let id = completed(&world, &model, 1_000, 1).await;
    let outlook = world.outlook(id).await;
    assert_eq!(
        (outlook.standing, outlook.times.len()),
        (Standing::Ended, 0)
    );
    assert_eq!(outlook.forecast(), Forecast::default());
}

/// So many runs that took so many milliseconds; the last one's id.
async fn completed(
    world: &ExecutionWorld,
    model: &Arc<RunnableModel>,
    took: i64,
    count: usize,
) -> ExecutionId {
    let ids = world.runs(model, world.consumer().await, count).await;
    for _ in 0..count {
        let claimed = world.submit().await;
        let mut end = completion(&claimed, json!("done"));
        end.run_ms = Some(took);
        assert_applied(world.settle(&end).await);
    }
    world.pass(Duration::from_millis(1)).await;
    ids[count - 1]
}
