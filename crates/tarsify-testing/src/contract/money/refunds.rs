//! Runs that are given back.

use tarsify_domain::execution::NewExecution;
use tarsify_domain::id::{ExecutionId, RefundId};
use tarsify_domain::ledger::{NewRefund, RefundError};
use tarsify_domain::money::{Credits, Share};

use super::world::{MoneyWorld, actor, reason};
use crate::builders::{new_run, new_test_run};
use crate::clock::MOMENT;
use crate::fake::{Account, RunEnd};

#[track_caller]
fn assert_too_much<T: std::fmt::Debug>(result: Result<T, RefundError>, left: i64) {
    match result {
        Err(RefundError::TooMuch(credits)) => assert_eq!(credits.get(), left),
        other => panic!("expected TooMuch, not {other:?}"),
    }
}

pub(super) async fn all_is_given_back(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    let run = world.run(&model, carla).await;
    let refund = world.refund(run, None).await.unwrap();
    assert_eq!((refund.run, refund.amount.get()), (run, 25));
    assert_eq!(refund.from_developer.get(), 17_500);
    let wallet = world.wallet(carla).await;
    assert_eq!(wallet.available.get(), 100_000);
    assert_eq!(wallet.lifetime_spent.get(), 0);
    assert_eq!(world.accounts(dora).await, [0; 4]);
    assert_eq!(world.balance(Account::Revenue).await, 0);
}

pub(super) async fn parts_come_to_the_whole(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(7).await);
    let model = world.props.model(dora, 7).await;
    // 3,333 of 10,000 divide nothing evenly.
    let odd = NewExecution {
        developer_share: Share::parse(3_333).unwrap(),
        ..new_run(&model, carla)
    };
    world.props.begin(&odd).await.unwrap();
    world.props.end(odd.id, RunEnd::RESULT).await;
    let mut from_developer = 0;
    for part in [Some(1), Some(2), Some(1), None] {
        let refund = world.refund(odd.id, part).await.unwrap();
        from_developer += refund.from_developer.get();
    }
    assert_eq!(from_developer, 2_333, "as when all is given back at once");
    assert_eq!(world.accounts(dora).await, [0; 4]);
    assert_eq!(world.balance(Account::Revenue).await, 0);
    assert_eq!(world.wallet(carla).await.available.get(), 7_000);
}

pub(super) async fn no_more_than_was_paid(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    let run = world.run(&model, carla).await;
    assert_too_much(world.refund(run, Some(26)).await, 25);
    world.refund(run, Some(20)).await.unwrap();
    assert_too_much(world.refund(run, Some(6)).await, 5);
    world.refund(run, Some(5)).await.unwrap();
    assert_too_much(world.refund(run, Some(1)).await, 0);
    assert_too_much(world.refund(run, None).await, 0);
    assert_eq!(world.wallet(carla).await.available.get(), 100_000);
}

pub(super) async fn what_was_not_paid_is_not_refunded(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    let free = world.props.model(dora, 0).await;
    let failed = world.fail(&model, carla).await;
    let open = world.begin(&model, carla).await;
    let free = world.run(&free, carla).await;
    for run in [failed, open, free] {
        assert_too_much(world.refund(run, None).await, 0);
        assert_too_much(world.refund(run, Some(1)).await, 0);
        assert_eq!(world.props.audit(run.uuid()).await, []);
    }
}

pub(super) async fn an_unknown_run_is_not_refunded(world: MoneyWorld) {
    let model = world.props.model(world.developer().await, 25).await;
    let test = new_test_run(&model, 10);
    world.props.begin(&test).await.unwrap();
    world.props.end(test.id, RunEnd::RESULT).await;
    for run in [ExecutionId::new(MOMENT), test.id] {
        let refusal = world.refund(run, None).await;
        assert!(matches!(refusal, Err(RefundError::NoRun)), "{refusal:?}");
    }
}

pub(super) async fn after_maturing_it_comes_from_what_is_payable(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 10).await;
    let run = world.run(&model, carla).await;
    world.mature_all().await;
    assert_eq!(world.accounts(dora).await, [0, 7_000, 0, 0]);
    let refund = world.refund(run, Some(5)).await.unwrap();
    assert_eq!(refund.from_developer.get(), 3_500);
    assert_eq!(world.accounts(dora).await, [0, 3_500, 0, 0]);
}

pub(super) async fn after_a_payout_the_platform_pays(world: MoneyWorld) {
    let (dora, carla) = (world.payee().await, world.consumer(100).await);
    let model = world.props.model(dora, 10).await;
    let run = world.run(&model, carla).await;
    world.mature_all().await;
    world.request(dora, 6).await.unwrap();
    let refund = world.refund(run, None).await.unwrap();
    assert_eq!(
        refund.from_developer.get(),
        1_000,
        "as far as he still has it"
    );
    assert_eq!(world.accounts(dora).await, [0, 0, 6_000, 0]);
    assert_eq!(world.balance(Account::Revenue).await, -6_000);
    assert_eq!(world.wallet(carla).await.available.get(), 100_000);
}

pub(super) async fn why_is_remembered(world: MoneyWorld) {
    let carla = world.consumer(100).await;
    let model = world.props.model(world.developer().await, 10).await;
    let run = world.run(&model, carla).await;
    assert_too_much(world.refund(run, Some(11)).await, 10);
    world.refund(run, Some(3)).await.unwrap();
    let why = Some("the picture was black".to_owned());
    assert_eq!(world.props.audit(run.uuid()).await, [why]);
}

pub(super) async fn the_same_id_is_one_refund(world: MoneyWorld) {
    let carla = world.consumer(100).await;
    let model = world.props.model(world.developer().await, 100).await;
    let new = NewRefund {
        id: RefundId::new(MOMENT),
        run: world.run(&model, carla).await,
        amount: Some(Credits::new(60)),
    };
    let why = reason("twice");
    let first = world.wallets.refund(&new, &actor(), &why).await.unwrap();
    let balances = world.props.balances().await;
    let again = world.wallets.refund(&new, &actor(), &why).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(world.props.balances().await, balances);
    assert_eq!(world.props.audit(new.run.uuid()).await.len(), 1);
}
