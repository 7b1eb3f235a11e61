//! The same request under the same idempotency key.

use std::sync::Arc;

use tarsify_domain::Scope;
use tarsify_domain::execution::{AdmitError, ExecutionFilter, ExecutionStatus, NewExecution};
use tarsify_domain::idempotency::IdempotencyClaim;

use super::world::{Change, ExecutionWorld, seconds};
use crate::builders::{idempotency_claim, new_run, page};

async fn keyed_run(world: &ExecutionWorld) -> (NewExecution, IdempotencyClaim) {
    let claim = idempotency_claim();
    let model = world.model().await;
    let new = NewExecution {
        idempotency: Some(claim.clone()),
        ..new_run(&model, world.consumer().await)
    };
    (new, claim)
}

/// The same request once more: its sender made a new id for it.
fn again(new: &NewExecution, claim: IdempotencyClaim) -> NewExecution {
    NewExecution {
        id: tarsify_domain::id::ExecutionId::new(crate::clock::MOMENT),
        idempotency: Some(claim),
        ..new.clone()
    }
}

fn with_another_body(claim: &IdempotencyClaim) -> IdempotencyClaim {
    IdempotencyClaim {
        fingerprint: [8; 32],
        ..claim.clone()
    }
}

async fn total(world: &ExecutionWorld) -> u64 {
    let (filter, first_page) = (ExecutionFilter::default(), page(1, 10));
    let list = world.repository.list(Scope::System, &filter, &first_page);
    list.await.unwrap().total
}

pub(super) async fn the_same_request_answers_the_same_execution(world: ExecutionWorld) {
    let (new, claim) = keyed_run(&world).await;
    let execution = world.admit(&new).await;
    for _ in 0..3 {
        let replay = world.repository.admit(&again(&new, claim.clone())).await;
        let replay = replay.unwrap();
        assert!(replay.is_replay);
        assert_eq!(replay.execution, execution);
    }
    assert_eq!(total(&world).await, 1);
    assert_eq!(world.story(new.id).await, ["queued"]);
    assert_eq!(world.submit_all().await.len(), 1);
}

pub(super) async fn another_body_is_refused(world: ExecutionWorld) {
    let (new, claim) = keyed_run(&world).await;
    world.admit(&new).await;
    let other = again(&new, with_another_body(&claim));
    let refusal = world.repository.admit(&other).await;
    assert!(matches!(refusal, Err(AdmitError::KeyReused)), "{refusal:?}");
    assert_eq!(total(&world).await, 1);
    let replay = world.repository.admit(&again(&new, claim)).await.unwrap();
    assert!(replay.is_replay, "the refusal spoiled nothing");
}

pub(super) async fn everybody_has_his_own_keys(world: ExecutionWorld) {
    let (new, claim) = keyed_run(&world).await;
    world.admit(&new).await;
    let of_another = IdempotencyClaim {
        principal: "somebody else".into(),
        ..with_another_body(&claim)
    };
    world.admit(&again(&new, of_another)).await;
    let elsewhere = IdempotencyClaim {
        route: "POST /elsewhere".into(),
        ..claim.clone()
    };
    world.admit(&again(&new, elsewhere)).await;
    let without = NewExecution {
        idempotency: None,
        ..again(&new, claim)
    };
    world.admit(&without).await;
    assert_eq!(total(&world).await, 4);
}

pub(super) async fn a_replay_shows_the_execution_as_it_is_now(world: ExecutionWorld) {
    let (new, claim) = keyed_run(&world).await;
    world.admit(&new).await;
    let cancel = world.repository.request_cancel(Scope::System, new.id);
    cancel.await.unwrap();
    let replay = world.repository.admit(&again(&new, claim)).await.unwrap();
    assert!(replay.is_replay);
    assert_eq!(replay.execution.summary.status, ExecutionStatus::Cancelled);
    assert_eq!(replay.execution, world.found(new.id).await);
}

pub(super) async fn a_replay_asks_nothing_of_the_model(world: ExecutionWorld) {
    let (new, claim) = keyed_run(&world).await;
    world.admit(&new).await;
    world.props.change(&new.model, Change::Unpublish).await;
    let replay = world.repository.admit(&again(&new, claim)).await.unwrap();
    assert!(replay.is_replay);
}

pub(super) async fn a_refusal_takes_no_key(world: ExecutionWorld) {
    let (new, claim) = keyed_run(&world).await;
    let changed = world.props.change(&new.model, Change::Revise).await;
    let refusal = world.repository.admit(&new).await;
    assert!(matches!(refusal, Err(AdmitError::ModelChanged)));
    assert!(
        world
            .repository
            .find_replay(&claim)
            .await
            .unwrap()
            .is_none()
    );
    let new = NewExecution {
        model: Arc::new(changed),
        ..again(&new, with_another_body(&claim))
    };
    world.admit(&new).await;
}

pub(super) async fn a_replay_is_found_without_admitting(world: ExecutionWorld) {
    let (new, claim) = keyed_run(&world).await;
    let find = async |claim: &IdempotencyClaim| world.repository.find_replay(claim).await;
    assert_eq!(find(&claim).await.unwrap(), None);
    let execution = world.admit(&new).await;
    let replay = find(&claim).await.unwrap().unwrap();
    assert!(replay.is_replay);
    assert_eq!(replay.execution, execution);
    let refusal = find(&with_another_body(&claim)).await;
    assert!(matches!(refusal, Err(AdmitError::KeyReused)), "{refusal:?}");
    assert_eq!(find(&idempotency_claim()).await.unwrap(), None);
}

pub(super) async fn a_forgotten_key_begins_anew(world: ExecutionWorld) {
    const DAY: u64 = 24 * 60 * 60;
    let (new, claim) = keyed_run(&world).await;
    world.admit(&new).await;
    world.pass(seconds(DAY / 2)).await;
    let forgotten = world.keys.forget(seconds(DAY), 100).await.unwrap();
    assert_eq!(forgotten, 0, "it is young");
    world.pass(seconds(DAY)).await;
    let forgotten = world.keys.forget(seconds(DAY), 100).await.unwrap();
    assert_eq!(forgotten, 1);
    world.admit(&again(&new, claim)).await;
    assert_eq!(total(&world).await, 2);
}
