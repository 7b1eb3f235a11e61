//! What becomes of the price of a run with its one end: it is taken and divided when there is a
//! result, and given back otherwise.

use std::sync::Arc;

use serde_json::json;
use tarsify_domain::execution::{
    Advance, AttemptState, CancelAnswer, Claimed, EndReason, ExecutionStatus, Found, Lease,
    NewExecution, RunnableModel, Settlement, Stage, Then, Written,
};
use tarsify_domain::id::{ConsumerId, ExecutionId};
use tarsify_domain::money::Share;
use tarsify_domain::{Credits, Scope};

use super::world::{ExecutionWorld, PAST_A_LEASE, assert_applied, seconds};
use crate::builders::{advance, attempt, attempt_with_job, completion, new_run, settlement};

/// A run of a consumer who has 100 credits, for so many of them, in its worker's hands.
struct Paid {
    model: Arc<RunnableModel>,
    carla: ConsumerId,
    claimed: Claimed,
}

async fn paid(world: &ExecutionWorld, price: i64) -> Paid {
    let model = world.model_for(price).await;
    let carla = world.consumer_with(100).await;
    world.admit(&new_run(&model, carla)).await;
    let claimed = world.submit().await;
    Paid {
        model,
        carla,
        claimed,
    }
}

async fn charged(world: &ExecutionWorld, id: ExecutionId) -> Credits {
    let summary = world.found(id).await.summary;
    let report = world.report(id).await.execution.summary;
    assert_eq!(summary, report, "everybody is told the same");
    summary.charged
}

pub(super) async fn a_completed_run_is_paid_and_divided(world: ExecutionWorld) {
    // The developer's 70 of 100 are rounded down, and nothing is lost by it.
    for (price, developer, platform) in [(1, 700, 300), (3, 2_100, 900), (25, 17_500, 7_500)] {
        let kept = world.props.revenue().await.get();
        let Paid {
            model,
            carla,
            claimed,
        } = paid(&world, price).await;
        assert_applied(world.settle(&completion(&claimed, json!("done"))).await);
        assert_eq!(charged(&world, claimed.lease.id).await, Credits::new(price));
        assert_eq!(world.wallet(carla).await, (100_000 - price * 1_000, 0));
        let income = world.income(&model).await;
        assert_eq!(income, (developer, kept + platform), "{price}");
    }
}

pub(super) async fn the_share_is_frozen_with_the_run(world: ExecutionWorld) {
    let carla = world.consumer_with(100).await;
    let mut kept = 0;
    for (part, developer) in [(0, 0), (1, 0), (3_333, 333), (9_999, 999), (10_000, 1_000)] {
        let model = world.model_for(1).await;
        let new = NewExecution {
            developer_share: Share::parse(part).unwrap(),
            ..new_run(&model, carla)
        };
        world.admit(&new).await;
        let claimed = world.submit().await;
        assert_applied(world.settle(&completion(&claimed, json!(1))).await);
        kept += 1_000 - developer;
        assert_eq!(world.income(&model).await, (developer, kept), "{part}");
    }
    assert_eq!(world.wallet(carla).await, (95_000, 0));
}

pub(super) async fn what_has_no_result_costs_nothing(world: ExecutionWorld) {
    for reason in EndReason::ALL {
        let Paid {
            model,
            carla,
            claimed,
        } = paid(&world, 25).await;
        assert_eq!(world.wallet(carla).await, (75_000, 25_000));
        assert_applied(world.settle(&settlement(&claimed, *reason)).await);
        assert_eq!(world.wallet(carla).await, (100_000, 0), "{reason:?}");
        assert_eq!(charged(&world, claimed.lease.id).await, Credits::ZERO);
        assert_eq!(world.income(&model).await, (0, 0), "{reason:?}");
    }
}

pub(super) async fn what_is_called_off_at_once_costs_nothing(world: ExecutionWorld) {
    let model = world.model_for(25).await;
    let carla = world.consumer_with(100).await;
    let id = world.admit(&new_run(&model, carla)).await.summary.id;
    let scope = Scope::Consumer(carla);
    let answer = world.repository.request_cancel(scope, id).await.unwrap();
    let Found::Here(CancelAnswer::Ended(execution)) = answer else {
        panic!("it has not ended: {answer:?}");
    };
    assert_eq!(execution.summary.charged, Credits::ZERO);
    assert_eq!(world.wallet(carla).await, (100_000, 0));
    for _ in 0..2 {
        let answer = world.repository.request_cancel(scope, id).await.unwrap();
        assert!(matches!(answer, Found::Here(CancelAnswer::TooLate(_))));
        assert_eq!(world.wallet(carla).await, (100_000, 0), "given back twice");
    }
    assert_eq!(world.income(&model).await, (0, 0));
}

pub(super) async fn a_wish_to_call_off_gives_nothing_back_yet(world: ExecutionWorld) {
    for is_heard in [true, false] {
        let kept = world.props.revenue().await.get();
        let Paid {
            model,
            carla,
            claimed,
        } = paid(&world, 25).await;
        let id = claimed.lease.id;
        for _ in 0..2 {
            let answer = world.repository.request_cancel(Scope::System, id).await;
            let answer = answer.unwrap();
            assert!(matches!(answer, Found::Here(CancelAnswer::Requested(_))));
            assert_eq!(world.wallet(carla).await, (75_000, 25_000));
        }
        let foreign = Scope::Consumer(world.consumer().await);
        let answer = world.repository.request_cancel(foreign, id).await.unwrap();
        assert_eq!(answer, Found::Foreign);
        if is_heard {
            let end = settlement(&claimed, EndReason::CancelledByCaller);
            assert_applied(world.settle(&end).await);
            assert_eq!(world.wallet(carla).await, (100_000, 0));
            assert_eq!(world.income(&model).await, (0, kept));
        } else {
            // There was a result before anybody could stop it.
            assert_applied(world.settle(&completion(&claimed, json!(1))).await);
            assert_eq!(world.wallet(carla).await, (75_000, 0));
            assert_eq!(world.income(&model).await, (17_500, kept + 7_500));
        }
    }
}

/// Tries to end an execution once more, in every way.
async fn end_again(world: &ExecutionWorld, claimed: &Claimed) {
    for end in [
        completion(claimed, json!("again")),
        settlement(claimed, EndReason::ProviderError),
        settlement(claimed, EndReason::Deadline),
        Settlement {
            from: Stage::Ended,
            ..completion(claimed, json!("again"))
        },
    ] {
        assert_eq!(world.settle(&end).await, Written::Refused);
    }
    let id = claimed.lease.id;
    let answer = world.repository.request_cancel(Scope::System, id).await;
    let answer = answer.unwrap();
    assert!(matches!(answer, Found::Here(CancelAnswer::TooLate(_))));
}

pub(super) async fn a_price_is_taken_once(world: ExecutionWorld) {
    let its = paid(&world, 25).await;
    // A second price that lies set aside, for whoever would take too much.
    world.admit(&new_run(&its.model, its.carla)).await;
    assert_applied(world.settle(&completion(&its.claimed, json!(1))).await);
    end_again(&world, &its.claimed).await;
    assert_eq!(world.wallet(its.carla).await, (50_000, 25_000));
    assert_eq!(world.income(&its.model).await, (17_500, 7_500));
    assert_eq!(
        charged(&world, its.claimed.lease.id).await,
        Credits::new(25)
    );
}

pub(super) async fn a_price_is_given_back_once(world: ExecutionWorld) {
    let its = paid(&world, 25).await;
    world.admit(&new_run(&its.model, its.carla)).await;
    let end = settlement(&its.claimed, EndReason::ProviderError);
    assert_applied(world.settle(&end).await);
    end_again(&world, &its.claimed).await;
    assert_eq!(world.wallet(its.carla).await, (75_000, 25_000));
    assert_eq!(world.income(&its.model).await, (0, 0));
    assert_eq!(charged(&world, its.claimed.lease.id).await, Credits::ZERO);
}

pub(super) async fn a_refused_end_moves_nothing(world: ExecutionWorld) {
    let its = paid(&world, 25).await;
    let id = its.claimed.lease.id;
    let accepted = Advance {
        attempts: vec![attempt_with_job(&its.claimed, AttemptState::Accepted)],
        then: Then::After(seconds(0)),
        ..advance(&its.claimed, Stage::Queued)
    };
    assert_applied(world.advance(&accepted).await);
    let old = world.look().await;
    world.pass(PAST_A_LEASE).await;
    let new = world.look().await;
    let elsewhere = Settlement {
        from: Stage::Running,
        ..completion(&new, json!(1))
    };
    let early = Settlement {
        lease: Lease {
            epoch: new.lease.epoch + 1,
            ..new.lease
        },
        ..completion(&new, json!(1))
    };
    for refused in [
        completion(&old, json!("zombie")),
        settlement(&old, EndReason::ProviderError),
        elsewhere,
        early,
    ] {
        assert_eq!(world.settle(&refused).await, Written::Refused);
        assert_eq!(world.wallet(its.carla).await, (75_000, 25_000));
    }
    assert_eq!(world.income(&its.model).await, (0, 0));
    assert_eq!(charged(&world, id).await, Credits::ZERO);
    assert_applied(world.settle(&completion(&new, json!("right"))).await);
    assert_eq!(world.wallet(its.carla).await, (75_000, 0));
    assert_eq!(world.income(&its.model).await, (17_500, 7_500));
}

pub(super) async fn jobs_that_are_left_do_not_keep_the_price(world: ExecutionWorld) {
    let its = paid(&world, 25).await;
    let end = Settlement {
        attempts: vec![attempt_with_job(&its.claimed, AttemptState::Orphaned)],
        has_orphans: true,
        ..settlement(&its.claimed, EndReason::Deadline)
    };
    assert_applied(world.settle(&end).await);
    assert_eq!(world.wallet(its.carla).await, (100_000, 0));
    let claimed = world.look().await;
    let over = Advance {
        attempts: vec![attempt(&claimed, AttemptState::Over)],
        then: Then::Rest,
        ..advance(&claimed, Stage::Ended)
    };
    assert_applied(world.advance(&over).await);
    assert_eq!(world.wallet(its.carla).await, (100_000, 0));
    assert_eq!(world.income(&its.model).await, (0, 0));
}

pub(super) async fn moves_of_a_run_leave_its_price_alone(world: ExecutionWorld) {
    let its = paid(&world, 25).await;
    let id = its.claimed.lease.id;
    let held = (75_000, 25_000);
    let undone = Advance {
        attempts: vec![attempt(&its.claimed, AttemptState::Undone)],
        then: Then::After(seconds(0)),
        ..advance(&its.claimed, Stage::Created)
    };
    assert_applied(world.advance(&undone).await);
    assert_eq!(world.wallet(its.carla).await, held, "it will be sent again");
    let claimed = world.submit().await;
    let accepted = Advance {
        attempts: vec![attempt_with_job(&claimed, AttemptState::Accepted)],
        ..advance(&claimed, Stage::Running)
    };
    assert_applied(world.advance(&accepted).await);
    assert_eq!(world.wallet(its.carla).await, held);
    world.repository.nudge(id, seconds(0)).await.unwrap();
    world.repository.expedite(id).await.unwrap();
    world.queue.hint(id, 1, None).await.unwrap();
    assert_eq!(world.wallet(its.carla).await, held);
    let status = world.found(id).await.summary.status;
    assert_eq!(status, ExecutionStatus::Running);
    assert_eq!(charged(&world, id).await, Credits::ZERO);
    world.pass(seconds(601)).await;
    // Its deadline is past, and only its end gives the price back.
    assert_eq!(world.wallet(its.carla).await, held);
    let swept = world.sweep_all().await;
    let end = settlement(&swept[0], EndReason::Deadline);
    assert_applied(world.settle(&end).await);
    assert_eq!(world.wallet(its.carla).await, (100_000, 0));
}

pub(super) async fn credits_given_back_can_be_spent_again(world: ExecutionWorld) {
    let model = world.model_for(100).await;
    let carla = world.consumer_with(100).await;
    for _ in 0..3 {
        world.admit(&new_run(&model, carla)).await;
        let claimed = world.submit().await;
        let end = settlement(&claimed, EndReason::ProviderError);
        assert_applied(world.settle(&end).await);
    }
    world.admit(&new_run(&model, carla)).await;
    let claimed = world.submit().await;
    assert_applied(world.settle(&completion(&claimed, json!(1))).await);
    assert_eq!(world.wallet(carla).await, (0, 0));
    assert_eq!(world.income(&model).await, (70_000, 30_000));
}
