//! What a lost dispute takes back from developers.

use tarsify_domain::execution::NewExecution;
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId};
use tarsify_domain::ledger::RefundError;
use tarsify_domain::money::Share;
use tarsify_domain::payments::Verdict;

use super::events::{Bought, Buying, bought};
use super::world::MoneyWorld;
use crate::builders::new_run;
use crate::fake::{Account, RunEnd};

/// Somebody who bought 100 credits and spent all of them on runs at these prices.
async fn spent(
    world: &MoneyWorld,
    developer: DeveloperId,
    prices: &[i64],
) -> (ConsumerId, Bought, Vec<ExecutionId>) {
    let carla = world.consumer(0).await;
    let bought = bought(world, carla, Buying::of(100, 100, 0)).await;
    let mut runs = Vec::new();
    for price in prices {
        let model = world.props.model(developer, *price).await;
        runs.push(world.run(&model, carla).await);
    }
    (carla, bought, runs)
}

/// The bank takes so much back for good, and it is looked for at the developers.
async fn lose(world: &MoneyWorld, bought: &Bought, cents: i64) {
    let dispute = format!("dp_{}", bought.id);
    world.tell(bought.disputed(&dispute, cents)).await;
    world
        .tell(bought.closed(&dispute, cents, Verdict::Lost))
        .await;
    let balances = world.props.balances().await;
    assert_eq!(world.purchases.claw_back(0).await.unwrap(), 0);
    assert_eq!(world.props.balances().await, balances);
    assert_eq!(world.purchases.claw_back(10).await.unwrap(), 1);
    let balances = world.props.balances().await;
    assert_eq!(world.purchases.claw_back(10).await.unwrap(), 0, "once");
    assert_eq!(world.props.balances().await, balances);
}

pub(super) async fn it_comes_from_what_waits_first(world: MoneyWorld) {
    let dora = world.rich_payee(70_000).await;
    let (_, bought, _) = spent(&world, dora, &[100]).await;
    assert_eq!(world.accounts(dora).await, [70_000, 70_000, 0, 0]);
    lose(&world, &bought, 100).await;
    assert_eq!(world.accounts(dora).await, [0, 70_000, 0, 0]);
    assert_eq!(
        world.balance(Account::Loss).await,
        -30_000,
        "the platform keeps its part and bears it"
    );
}

pub(super) async fn then_from_what_is_payable(world: MoneyWorld) {
    let dora = world.payee().await;
    let (_, bought, _) = spent(&world, dora, &[100]).await;
    world.mature_all().await;
    lose(&world, &bought, 100).await;
    assert_eq!(world.accounts(dora).await, [0; 4]);
}

pub(super) async fn the_rest_is_owed(world: MoneyWorld) {
    let dora = world.payee().await;
    let (_, bought, _) = spent(&world, dora, &[100]).await;
    world.mature_all().await;
    world.request(dora, 60).await.unwrap();
    lose(&world, &bought, 100).await;
    assert_eq!(world.accounts(dora).await, [0, 0, 60_000, -60_000]);
    assert_eq!(world.earned(dora).await.owed.get(), 60_000);
    assert_eq!(world.earned(dora).await.total().get(), 0);
}

pub(super) async fn the_last_runs_are_looked_at_first(world: MoneyWorld) {
    let (dora, dana) = (world.developer().await, world.developer().await);
    let carla = world.consumer(40).await;
    let (early, model) = (
        world.props.model(dora, 40).await,
        world.props.model(dora, 60).await,
    );
    world.run(&early, carla).await;
    let bought = bought(&world, carla, Buying::of(100, 100, 0)).await;
    world.run(&model, carla).await;
    let last = world.props.model(dana, 40).await;
    world.run(&last, carla).await;
    lose(&world, &bought, 70).await;
    // 40 of the last, 30 of the one before; nothing of what was spent before he bought.
    assert_eq!(world.accounts(dana).await, [0; 4]);
    assert_eq!(
        world.accounts(dora).await,
        [28_000 + 42_000 - 21_000, 0, 0, 0]
    );
    assert_eq!(world.balance(Account::Loss).await, -70_000 + 49_000);
}

pub(super) async fn what_was_refunded_is_not_looked_for(world: MoneyWorld) {
    let dora = world.developer().await;
    let (carla, bought, runs) = spent(&world, dora, &[60, 40]).await;
    world.refund(runs[1], Some(30)).await.unwrap();
    let clara_spends = world.props.model(world.developer().await, 30).await;
    let open = world.begin(&clara_spends, carla).await;
    lose(&world, &bought, 100).await;
    // 10 are left of the last run and 60 of the first: the rest was not earned by anybody.
    assert_eq!(world.accounts(dora).await, [0; 4]);
    assert_eq!(world.balance(Account::Loss).await, -100_000 + 49_000);
    assert_eq!(world.wallet(carla).await.held.get(), 30_000, "{open}");
}

pub(super) async fn a_card_refund_is_not_looked_for(world: MoneyWorld) {
    let dora = world.developer().await;
    let (_, bought, _) = spent(&world, dora, &[100]).await;
    world.tell(bought.refunded(100)).await;
    assert_eq!(world.purchases.claw_back(10).await.unwrap(), 0);
    assert_eq!(world.accounts(dora).await, [70_000, 0, 0, 0]);
    assert_eq!(world.balance(Account::Loss).await, -100_000);
}

pub(super) async fn what_is_clawed_back_is_not_refunded(world: MoneyWorld) {
    let dora = world.developer().await;
    let carla = world.consumer(0).await;
    // Six cents buy ten credits, so that parts of it are no whole credits.
    let bought = bought(&world, carla, Buying::of(60, 100, 0)).await;
    let model = world.props.model(dora, 100).await;
    let run = world.run(&model, carla).await;
    lose(&world, &bought, 20).await;
    // 33,333 went back of 100,000: whole credits of the rest can be refunded.
    let too_much = world.refund(run, Some(67)).await;
    assert!(
        matches!(too_much, Err(RefundError::TooMuch(left)) if left.get() == 66),
        "{too_much:?}"
    );
    let refund = world.refund(run, None).await.unwrap();
    assert_eq!(refund.amount.get(), 66);
    assert_eq!(world.wallet(carla).await.available.get(), 66_000);
    let nothing = world.refund(run, None).await;
    assert!(
        matches!(nothing, Err(RefundError::TooMuch(left)) if left.get() == 0),
        "{nothing:?}"
    );
    let whole_earned = world.earned(dora).await.total().get();
    assert!((0..1_000).contains(&whole_earned), "{whole_earned}");
}

pub(super) async fn a_fraction_that_is_left_stays(world: MoneyWorld) {
    let dora = world.developer().await;
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(60, 100, 0)).await;
    let model = world.props.model(dora, 100).await;
    let run = world.run(&model, carla).await;
    lose(&world, &bought, 20).await;
    // 33,333 of 100,000 went back, and of the developer's 70,000 that part, rounded down.
    assert_eq!(world.accounts(dora).await, [70_000 - 23_333, 0, 0, 0]);
    assert_eq!(world.balance(Account::Loss).await, -33_333 + 23_333);
    for (credits, left) in [(Some(10), 39_667), (Some(50), 4_667), (None, 467)] {
        world.refund(run, credits).await.unwrap();
        assert_eq!(world.accounts(dora).await, [left, 0, 0, 0], "{credits:?}");
    }
    // 667 are left, which are no whole credit: the developer keeps his part of them.
    assert_eq!(world.balance(Account::Revenue).await, 667 - 467 + 10_000);
    assert_eq!(world.wallet(carla).await.available.get(), 66_000);
    let nothing = world.refund(run, Some(1)).await;
    assert!(
        matches!(nothing, Err(RefundError::TooMuch(left)) if left.get() == 0),
        "{nothing:?}"
    );
    assert_eq!(world.purchases.claw_back(10).await.unwrap(), 0);
}

pub(super) async fn a_run_is_clawed_back_no_further_than_it_cost(world: MoneyWorld) {
    let dora = world.developer().await;
    let carla = world.consumer(0).await;
    let (first, second) = (
        bought(&world, carla, Buying::of(60, 100, 0)).await,
        bought(&world, carla, Buying::of(60, 100, 0)).await,
    );
    let model = world.props.model(dora, 200).await;
    let run = world.run(&model, carla).await;
    world.refund(run, Some(100)).await.unwrap();
    world.adjust(carla, -100).await.unwrap();
    lose(&world, &first, 50).await;
    assert_eq!(world.accounts(dora).await, [140_000 - 128_333, 0, 0, 0]);
    lose(&world, &second, 60).await;
    assert_eq!(
        world.accounts(dora).await,
        [0; 4],
        "of the second only what was left"
    );
    assert_eq!(
        world.balance(Account::Loss).await,
        -83_333 - 100_000 + 70_000
    );
}

pub(super) async fn what_was_spent_before_is_not_looked_for(world: MoneyWorld) {
    let (dora, dana) = (world.developer().await, world.developer().await);
    let carla = world.consumer(40).await;
    let early = world.props.model(dora, 40).await;
    world.run(&early, carla).await;
    let bought = bought(&world, carla, Buying::of(100, 100, 0)).await;
    let late = world.props.model(dana, 30).await;
    world.run(&late, carla).await;
    world.adjust(carla, -70).await.unwrap();
    lose(&world, &bought, 100).await;
    assert_eq!(world.accounts(dora).await, [28_000, 0, 0, 0]);
    assert_eq!(world.accounts(dana).await, [0; 4]);
    assert_eq!(world.balance(Account::Loss).await, -100_000 + 21_000);
}

pub(super) async fn what_was_covered_is_not_looked_for(world: MoneyWorld) {
    let dora = world.developer().await;
    let (carla, bought, _) = spent(&world, dora, &[100]).await;
    // Nothing is there for the first two, and a gift for the third.
    lose(&world, &bought, 30).await;
    assert_eq!(world.accounts(dora).await, [49_000, 0, 0, 0]);
    world.tell(bought.disputed("dp_covered", 30)).await;
    world.adjust(carla, 30).await.unwrap();
    world.tell(bought.disputed("dp_won", 30)).await;
    assert_eq!(world.balance(Account::Loss).await, -60_000 + 21_000);
    world.tell(bought.closed("dp_won", 30, Verdict::Won)).await;
    assert_eq!(world.balance(Account::Loss).await, -30_000 + 21_000);
    let lost = bought.closed("dp_covered", 30, Verdict::Lost);
    world.tell(lost).await;
    world.purchases.claw_back(10).await.unwrap();
    assert_eq!(world.accounts(dora).await, [49_000, 0, 0, 0]);
    assert_eq!(world.balance(Account::Loss).await, -30_000 + 21_000);
}

pub(super) async fn parts_that_went_back_are_one_part(world: MoneyWorld) {
    let dora = world.developer().await;
    let carla = world.consumer(0).await;
    let bought = bought(&world, carla, Buying::of(60, 100, 0)).await;
    let model = world.props.model(dora, 100).await;
    let new = NewExecution {
        developer_share: Share::parse(3_333).unwrap(),
        ..new_run(&model, carla)
    };
    world.props.begin(&new).await.unwrap();
    world.props.end(new.id, RunEnd::RESULT).await;
    lose(&world, &bought, 20).await;
    assert_eq!(world.accounts(dora).await, [33_330 - 11_109, 0, 0, 0]);
    // A credit by itself would be 333 of his; after 33,333 it is 334.
    world.refund(new.id, Some(1)).await.unwrap();
    assert_eq!(world.accounts(dora).await, [33_330 - 11_443, 0, 0, 0]);
}
