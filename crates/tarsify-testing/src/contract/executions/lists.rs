//! Reading: scopes, filters and pages.

use tarsify_domain::Scope;
use tarsify_domain::execution::{
    EndReason, Execution, ExecutionFilter, ExecutionKind, ExecutionStatus, Found, NewExecution,
};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, TarsModelId};

use super::world::{ExecutionWorld, assert_applied, seconds};
use crate::builders::{new_run, new_test_run, settlement};
use crate::clock::MOMENT;
use crate::contract::check::{assert_newest_first, whole_list};

pub(super) async fn scopes_are_apart(world: ExecutionWorld) {
    let model = world.model().await;
    let (carla, clara) = (world.consumer().await, world.consumer().await);
    let stranger = world.model().await.developer_id;
    let run = world.admit(&new_run(&model, carla)).await;
    let test_run = world.admit(&new_test_run(&model, 5)).await;
    let developer = model.developer_id;
    for (scope, sees_run, sees_test_run) in [
        (Scope::System, true, true),
        (Scope::Consumer(carla), true, false),
        (Scope::Consumer(clara), false, false),
        (Scope::Developer(developer), false, true),
        (Scope::Developer(stranger), false, false),
        // A person of another kind who happens to have the same number.
        (
            Scope::Consumer(ConsumerId::from_uuid(developer.uuid())),
            false,
            false,
        ),
        (
            Scope::Developer(DeveloperId::from_uuid(carla.uuid())),
            false,
            false,
        ),
    ] {
        for (execution, is_seen) in [(&run, sees_run), (&test_run, sees_test_run)] {
            let found = world.repository.find(scope, execution.summary.id).await;
            let expected = if is_seen {
                Found::Here(execution.clone())
            } else {
                Found::Foreign
            };
            assert_eq!(found.unwrap(), expected, "{scope:?}");
        }
    }
}

pub(super) async fn what_is_absent_is_nowhere(world: ExecutionWorld) {
    let id = ExecutionId::new(MOMENT);
    let consumer = world.consumer().await;
    for scope in [Scope::System, Scope::Consumer(consumer)] {
        let found = world.repository.find(scope, id).await.unwrap();
        assert_eq!(found, Found::Nowhere);
        let cancelled = world.repository.request_cancel(scope, id).await.unwrap();
        assert_eq!(cancelled, Found::Nowhere);
    }
    assert_eq!(world.repository.find_report(id).await.unwrap(), None);
    let expedited = world.repository.expedite(id).await.unwrap();
    assert_eq!(expedited, None);
    assert!(!world.repository.nudge(id, seconds(0)).await.unwrap());
    world.queue.hint(id, 1, None).await.unwrap();
}

pub(super) async fn lists_are_newest_first_and_page_both_ways(world: ExecutionWorld) {
    let model = world.model().await;
    let consumer = world.consumer().await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.insert(0, world.admit(&new_run(&model, consumer)).await.summary.id);
        world.pass(seconds(1)).await;
    }
    let filter = ExecutionFilter::default();
    let list = whole_list(Execution::ORDER, async |page| {
        let scope = Scope::Consumer(consumer);
        world.repository.list(scope, &filter, page).await
    });
    let list = list.await;
    let ids: Vec<_> = list.iter().map(|summary| summary.id).collect();
    assert_eq!(ids, expected);
    assert_newest_first(list.iter().map(|summary| summary.created_at));
    for summary in list {
        let found = world.found(summary.id).await;
        assert_eq!(summary, found.summary, "a list shows the same");
    }
}

async fn listed(world: &ExecutionWorld, scope: Scope, filter: ExecutionFilter) -> Vec<ExecutionId> {
    let list = whole_list(Execution::ORDER, async |page| {
        world.repository.list(scope, &filter, page).await
    });
    list.await.into_iter().map(|summary| summary.id).collect()
}

/// Admits it a moment after everything before it.
async fn admit(world: &ExecutionWorld, new: &NewExecution) -> ExecutionId {
    world.tick().await;
    world.admit(new).await.summary.id
}

pub(super) async fn lists_filter(world: ExecutionWorld) {
    let (model, other) = (world.model().await, world.model().await);
    let (carla, clara) = (world.consumer().await, world.consumer().await);
    let ended = admit(&world, &new_run(&model, carla)).await;
    let claimed = world.submit().await;
    let end = settlement(&claimed, EndReason::Refused);
    assert_applied(world.settle(&end).await);
    let queued = admit(&world, &new_run(&other, carla)).await;
    world.accept().await;
    let waiting = admit(&world, &new_run(&model, clara)).await;
    let tried = admit(&world, &new_test_run(&model, 5)).await;
    let all = ExecutionFilter::default();
    let only = |status| ExecutionFilter {
        status: Some(status),
        ..ExecutionFilter::default()
    };
    let of_carla = ExecutionFilter {
        consumer: Some(carla),
        ..all.clone()
    };
    let of_model = ExecutionFilter {
        model: Some(model.id),
        ..all.clone()
    };
    let test_runs = ExecutionFilter {
        kind: Some(ExecutionKind::TestRun),
        ..all.clone()
    };
    let everything_named = ExecutionFilter {
        status: Some(ExecutionStatus::Pending),
        consumer: Some(clara),
        model: Some(model.id),
        kind: Some(ExecutionKind::Run),
    };
    let nobodys = ExecutionFilter {
        model: Some(TarsModelId::new(MOMENT)),
        ..all.clone()
    };
    for (filter, expected) in [
        (all, vec![tried, waiting, queued, ended]),
        (only(ExecutionStatus::Pending), vec![tried, waiting]),
        (only(ExecutionStatus::Queued), vec![queued]),
        (only(ExecutionStatus::Failed), vec![ended]),
        (only(ExecutionStatus::Completed), vec![]),
        (of_carla, vec![queued, ended]),
        (of_model, vec![tried, waiting, ended]),
        (test_runs, vec![tried]),
        (everything_named, vec![waiting]),
        (nobodys, vec![]),
    ] {
        let why = format!("{filter:?}");
        assert_eq!(
            listed(&world, Scope::System, filter).await,
            expected,
            "{why}"
        );
    }
}

pub(super) async fn lists_are_scoped(world: ExecutionWorld) {
    let model = world.model().await;
    let (carla, clara) = (world.consumer().await, world.consumer().await);
    let of_carla = admit(&world, &new_run(&model, carla)).await;
    let of_clara = admit(&world, &new_run(&model, clara)).await;
    let tried = admit(&world, &new_test_run(&model, 5)).await;
    let developer = model.developer_id;
    let all = ExecutionFilter::default;
    for (scope, expected) in [
        (Scope::System, vec![tried, of_clara, of_carla]),
        (Scope::Consumer(carla), vec![of_carla]),
        (Scope::Consumer(clara), vec![of_clara]),
        (Scope::Developer(developer), vec![tried]),
        (Scope::Consumer(ConsumerId::new(MOMENT)), vec![]),
    ] {
        assert_eq!(listed(&world, scope, all()).await, expected, "{scope:?}");
    }
    let of_clara = ExecutionFilter {
        consumer: Some(clara),
        ..all()
    };
    let foreign = listed(&world, Scope::Consumer(carla), of_clara).await;
    assert_eq!(foreign, [], "a filter opens no door");
}
