//! Earnings that have waited long enough.

use std::sync::Arc;

use tarsify_domain::payments::Verdict;
use tokio::task::JoinSet;

use super::events::{Buying, bought};
use super::world::{MoneyWorld, WEEK, days};
use crate::fake::Account;

pub(super) async fn nothing_matures_too_early(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 10).await;
    world.run(&model, carla).await;
    world.props.pass(days(6)).await;
    world.run(&model, carla).await;
    assert_eq!(world.earnings.mature(WEEK, 100).await.unwrap(), 0);
    assert_eq!(world.accounts(dora).await, [14_000, 0, 0, 0]);
    world.props.pass(days(1)).await;
    assert_eq!(world.earnings.mature(WEEK, 100).await.unwrap(), 1);
    assert_eq!(world.accounts(dora).await, [7_000, 7_000, 0, 0]);
    assert_eq!(world.earnings.mature(WEEK, 100).await.unwrap(), 0);
    world.props.pass(days(6)).await;
    assert_eq!(world.earnings.mature(WEEK, 100).await.unwrap(), 1);
    assert_eq!(world.accounts(dora).await, [0, 14_000, 0, 0]);
}

pub(super) async fn what_was_refunded_before_does_not_mature(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 10).await;
    let first = world.run(&model, carla).await;
    world.mature_all().await;
    let second = world.run(&model, carla).await;
    world.refund(second, Some(5)).await.unwrap();
    // The first has matured, and its refund all the same comes out of what waits.
    world.refund(first, Some(4)).await.unwrap();
    assert_eq!(world.accounts(dora).await, [700, 7_000, 0, 0]);
    world.mature_all().await;
    assert_eq!(world.accounts(dora).await, [0, 7_700, 0, 0]);
}

pub(super) async fn only_so_many_mature_at_once(world: MoneyWorld) {
    let (dora, dana) = (world.developer().await, world.developer().await);
    let carla = world.consumer(100).await;
    for developer in [dora, dana] {
        let model = world.props.model(developer, 10).await;
        for _ in 0..3 {
            world.run(&model, carla).await;
        }
    }
    world.props.pass(WEEK).await;
    let mature = async |limit| world.earnings.mature(WEEK, limit).await.unwrap();
    assert_eq!(mature(0).await, 0);
    assert_eq!(mature(2).await, 2);
    assert_eq!(world.accounts(dora).await, [7_000, 14_000, 0, 0]);
    assert_eq!(mature(2).await, 2);
    assert_eq!(world.accounts(dora).await, [0, 21_000, 0, 0]);
    assert_eq!(world.accounts(dana).await, [14_000, 7_000, 0, 0]);
    assert_eq!(mature(100).await, 2);
    assert_eq!(world.accounts(dana).await, [0, 21_000, 0, 0]);
}

pub(super) async fn a_crowd_matures_each_run_once(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 10).await;
    for _ in 0..8 {
        world.run(&model, carla).await;
    }
    world.props.pass(WEEK).await;
    let mut matured = 0;
    for _ in 0..20 {
        let mut crowd = JoinSet::new();
        for _ in 0..4 {
            let earnings = Arc::clone(&world.earnings);
            crowd.spawn(async move { earnings.mature(WEEK, 3).await.unwrap() });
        }
        matured += crowd.join_all().await.into_iter().sum::<u64>();
        if matured == 8 {
            break;
        }
    }
    assert_eq!(matured, 8);
    assert_eq!(world.accounts(dora).await, [0, 56_000, 0, 0]);
}

pub(super) async fn debts_are_paid_first(world: MoneyWorld) {
    let (dora, carla) = (world.payee().await, world.consumer(0).await);
    let bought = bought(&world, carla, Buying::of(100, 100, 0)).await;
    let model = world.props.model(dora, 100).await;
    world.run(&model, carla).await;
    world.mature_all().await;
    world.request(dora, 70).await.unwrap();
    world.tell(bought.disputed("dp_debt", 100)).await;
    world
        .tell(bought.closed("dp_debt", 100, Verdict::Lost))
        .await;
    world.purchases.claw_back(1).await.unwrap();
    assert_eq!(world.accounts(dora).await, [0, 0, 70_000, -70_000]);
    let clara = world.consumer(150).await;
    let half = world.props.model(dora, 50).await;
    world.run(&half, clara).await;
    assert_eq!(
        world.accounts(dora).await,
        [35_000, 0, 70_000, -70_000],
        "not before it matures"
    );
    world.mature_all().await;
    assert_eq!(world.accounts(dora).await, [0, 0, 70_000, -35_000]);
    for _ in 0..2 {
        world.run(&half, clara).await;
    }
    world.mature_all().await;
    assert_eq!(world.accounts(dora).await, [0, 35_000, 70_000, 0]);
    assert_eq!(world.balance(Account::Loss).await, -30_000);
}

pub(super) async fn what_was_refunded_lets_nothing_else_mature(world: MoneyWorld) {
    let dora = world.developer().await;
    let carla = world.consumer(200).await;
    let model = world.props.model(dora, 100).await;
    let run = world.run(&model, carla).await;
    world.props.pass(WEEK).await;
    world.run(&model, carla).await;
    world.refund(run, None).await.unwrap();
    assert_eq!(world.accounts(dora).await, [70_000, 0, 0, 0]);
    world.earnings.mature(WEEK, 10).await.unwrap();
    assert_eq!(world.accounts(dora).await, [70_000, 0, 0, 0]);
    world.mature_all().await;
    assert_eq!(world.accounts(dora).await, [0, 70_000, 0, 0]);
}
