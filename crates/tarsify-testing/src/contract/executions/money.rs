//! What a run costs before it has ended: its price is set aside, or it is not accepted.

use std::sync::Arc;

use tarsify_domain::Credits;
use tarsify_domain::execution::{AdmitError, NewExecution};
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::idempotency::IdempotencyClaim;

use super::world::{Change, ExecutionWorld, assert_applied, ids};
use crate::builders::{completion, idempotency_claim, new_run, new_test_run, object, page, price};
use crate::clock::MOMENT;

/// Sees that the request is refused for want of credits, told exactly, and stores nothing.
async fn assert_insufficient(world: &ExecutionWorld, new: &NewExecution, (costs, has): (i64, i64)) {
    let refusal = world.repository.admit(new).await;
    let Err(AdmitError::InsufficientCredits {
        required,
        available,
    }) = refusal
    else {
        panic!("it was not refused for that: {refusal:?}");
    };
    assert_eq!((required.get(), available.get()), (costs, has));
    let report = world.repository.find_report(new.id).await.unwrap();
    assert_eq!(report, None, "a refusal stores nothing");
    assert_eq!(world.props.events(new.id).await, [], "not even an event");
}

/// How many executions there are.
async fn count(world: &ExecutionWorld) -> u64 {
    let (filter, first_page) = (Default::default(), page(1, 10));
    let scope = tarsify_domain::Scope::System;
    let list = world.repository.list(scope, &filter, &first_page);
    list.await.unwrap().total
}

fn keyed(new: NewExecution) -> (NewExecution, IdempotencyClaim) {
    let claim = idempotency_claim();
    let new = NewExecution {
        idempotency: Some(claim.clone()),
        ..new
    };
    (new, claim)
}

/// The same request once more: its sender made a new id for it.
fn again(new: &NewExecution) -> NewExecution {
    NewExecution {
        id: ExecutionId::new(MOMENT),
        ..new.clone()
    }
}

pub(super) async fn the_price_is_set_aside(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let carla = world.consumer_with(100).await;
    let execution = world.admit(&new_run(&model, carla)).await;
    let summary = execution.summary;
    assert_eq!((summary.price, summary.charged), (price(25), Credits::ZERO));
    assert_eq!(world.wallet(carla).await, (75_000, 25_000));
    world.admit(&new_run(&model, carla)).await;
    assert_eq!(world.wallet(carla).await, (50_000, 50_000));
    assert_eq!(world.income(&model).await, (0, 0), "nothing is earned yet");
}

pub(super) async fn exactly_enough_is_enough(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let carla = world.consumer_with(25).await;
    world.admit(&new_run(&model, carla)).await;
    assert_eq!(world.wallet(carla).await, (0, 25_000));
    assert_insufficient(&world, &new_run(&model, carla), (25, 0)).await;
    assert_eq!(world.wallet(carla).await, (0, 25_000));
}

pub(super) async fn one_credit_too_few_is_too_few(world: ExecutionWorld) {
    let dear = world.model_for(1_000_000).await;
    let carla = world.consumer_with(999_999).await;
    assert_insufficient(&world, &new_run(&dear, carla), (1_000_000, 999_999)).await;
    world.props.fund(carla, Credits::new(1)).await;
    world.admit(&new_run(&dear, carla)).await;
    assert_eq!(world.wallet(carla).await, (0, 1_000_000_000));
}

pub(super) async fn too_little_is_refused_and_stores_nothing(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let carla = world.consumer_with(24).await;
    let (new, claim) = keyed(new_run(&model, carla));
    for _ in 0..2 {
        assert_insufficient(&world, &new, (25, 24)).await;
    }
    assert_eq!(world.wallet(carla).await, (24_000, 0));
    let replay = world.repository.find_replay(&claim).await.unwrap();
    assert_eq!(replay, None, "its key is not taken");
    assert_eq!(count(&world).await, 0);
    assert_eq!(world.submit_all().await, []);
    let poor = world.consumer_with(0).await;
    assert_insufficient(&world, &new_run(&model, poor), (25, 0)).await;
}

pub(super) async fn a_refusal_for_want_of_credits_uses_nothing_up(world: ExecutionWorld) {
    let (cheap, dear) = (world.model_for(10).await, world.model_for(30).await);
    let carla = world.consumer_with(29).await;
    let (new, claim) = keyed(new_run(&dear, carla));
    assert_insufficient(&world, &new, (30, 29)).await;
    // The key is free for another request, of another body too.
    let other = NewExecution {
        idempotency: Some(IdempotencyClaim {
            fingerprint: [8; 32],
            ..claim
        }),
        ..new_run(&cheap, carla)
    };
    world.admit(&other).await;
    assert_eq!(world.wallet(carla).await, (19_000, 10_000));
}

pub(super) async fn what_was_refused_is_accepted_once_there_is_enough(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let carla = world.consumer_with(20).await;
    let (new, _) = keyed(new_run(&model, carla));
    assert_insufficient(&world, &new, (25, 20)).await;
    world.props.fund(carla, Credits::new(6)).await;
    world.admit(&new).await;
    assert_eq!(world.wallet(carla).await, (1_000, 25_000));
}

pub(super) async fn what_is_free_needs_no_credits(world: ExecutionWorld) {
    let model = world.model_for(0).await;
    let carla = world.consumer_with(0).await;
    let new = new_run(&model, carla);
    let execution = world.admit(&new).await;
    assert_eq!(execution.summary.price, price(0));
    assert_eq!(world.wallet(carla).await, (0, 0));
    let claimed = world.submit().await;
    assert_applied(world.settle(&completion(&claimed, 1.into())).await);
    assert_eq!(world.found(new.id).await.summary.charged, Credits::ZERO);
    assert_eq!(world.wallet(carla).await, (0, 0));
    assert_eq!(world.income(&model).await, (0, 0));
}

pub(super) async fn test_runs_hold_nothing(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let new = new_test_run(&model, 5);
    let execution = world.admit(&new).await;
    assert_eq!(execution.summary.price, price(0));
    let of_developer = ConsumerId::from_uuid(model.developer_id.uuid());
    assert_eq!(world.wallet(of_developer).await, (0, 0));
    let claimed = world.submit().await;
    assert_applied(world.settle(&completion(&claimed, 1.into())).await);
    assert_eq!(world.found(new.id).await.summary.charged, Credits::ZERO);
    assert_eq!(world.income(&model).await, (0, 0));
}

pub(super) async fn funds_are_what_can_be_spent(world: ExecutionWorld) {
    let funds = async |id| world.repository.find_funds(id).await.unwrap().get();
    let model = world.model_for(25).await;
    let carla = world.consumer_with(60).await;
    assert_eq!(funds(carla).await, 60);
    world.admit(&new_run(&model, carla)).await;
    assert_eq!(funds(carla).await, 35, "what is set aside is not");
    let claimed = world.submit().await;
    assert_applied(world.settle(&completion(&claimed, 1.into())).await);
    assert_eq!(funds(carla).await, 35);
    assert_eq!(funds(world.consumer_with(0).await).await, 0);
    assert_eq!(
        funds(ConsumerId::new(MOMENT)).await,
        0,
        "nobody has nothing"
    );
}

pub(super) async fn the_price_is_frozen(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let carla = world.consumer_with(100).await;
    let first = world.admit(&new_run(&model, carla)).await.summary.id;
    let dearer = world.props.change(&model, Change::Price(60)).await;
    let dearer = Arc::new(dearer);
    let second = world.admit(&new_run(&dearer, carla)).await.summary.id;
    assert_eq!(world.wallet(carla).await, (15_000, 85_000));
    world.props.change(&dearer, Change::Price(999)).await;
    assert_eq!(world.wallet(carla).await, (15_000, 85_000));
    let claimed = world.submit_all().await;
    assert_eq!(claimed.len(), 2);
    for its in &claimed {
        assert_applied(world.settle(&completion(its, 1.into())).await);
    }
    for (id, costs) in [(first, 25), (second, 60)] {
        let summary = world.found(id).await.summary;
        let costs = Credits::new(costs);
        assert_eq!((summary.price.credits(), summary.charged), (costs, costs));
    }
    assert_eq!(world.wallet(carla).await, (15_000, 0));
    assert_eq!(world.income(&model).await, (59_500, 25_500));
}

pub(super) async fn a_changed_model_comes_before_its_price(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let carla = world.consumer_with(10).await;
    world.props.change(&model, Change::Price(5)).await;
    let refusal = world.repository.admit(&new_run(&model, carla)).await;
    assert!(
        matches!(refusal, Err(AdmitError::ModelChanged)),
        "by then it may cost less: {refusal:?}"
    );
    assert_eq!(world.wallet(carla).await, (10_000, 0));
}

pub(super) async fn a_replay_holds_once(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let carla = world.consumer_with(30).await;
    let (new, _) = keyed(new_run(&model, carla));
    world.admit(&new).await;
    for _ in 0..3 {
        // There is not enough for a second one.
        let replay = world.repository.admit(&again(&new)).await.unwrap();
        assert!(replay.is_replay);
        assert_eq!(replay.execution.summary.id, new.id);
        assert_eq!(world.wallet(carla).await, (5_000, 25_000));
    }
    assert_eq!(count(&world).await, 1);
}

pub(super) async fn a_replay_asks_nothing_of_the_wallet(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let carla = world.consumer_with(25).await;
    let (new, claim) = keyed(new_run(&model, carla));
    world.admit(&new).await;
    let claimed = world.submit().await;
    assert_applied(world.settle(&completion(&claimed, 1.into())).await);
    let replay = world.repository.admit(&again(&new)).await.unwrap();
    assert!(replay.is_replay);
    assert_eq!(replay.execution.summary.charged, Credits::new(25));
    let of_another_body = NewExecution {
        idempotency: Some(IdempotencyClaim {
            fingerprint: [8; 32],
            ..claim
        }),
        inputs: object(serde_json::json!({"prompt": "another"})),
        ..again(&new)
    };
    let refusal = world.repository.admit(&of_another_body).await;
    assert!(matches!(refusal, Err(AdmitError::KeyReused)), "{refusal:?}");
    assert_eq!(world.wallet(carla).await, (0, 0));
}

pub(super) async fn consumers_pay_for_themselves(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let (carla, clara) = (world.consumer_with(25).await, world.consumer_with(24).await);
    assert_insufficient(&world, &new_run(&model, clara), (25, 24)).await;
    let run = world.admit(&new_run(&model, carla)).await.summary.id;
    assert_eq!(world.wallet(carla).await, (0, 25_000));
    assert_eq!(world.wallet(clara).await, (24_000, 0));
    let claimed = world.submit_all().await;
    assert_eq!(ids(&claimed), [run]);
    assert_applied(world.settle(&completion(&claimed[0], 1.into())).await);
    assert_eq!(world.wallet(carla).await, (0, 0));
    assert_eq!(world.wallet(clara).await, (24_000, 0));
}
