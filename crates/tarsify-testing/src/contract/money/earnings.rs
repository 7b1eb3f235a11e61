//! What developers earn.

use tarsify_domain::earnings::{Earning, EarningFilter, Earnings, MonthSums};
use tarsify_domain::id::DeveloperId;
use tarsify_domain::money::Millicredits;

use super::world::{MoneyWorld, days};
use crate::builders::page;
use crate::clock::MOMENT;
use crate::contract::check::whole_list;

fn month(gross: i64, net: i64) -> MonthSums {
    MonthSums {
        gross: Millicredits::new(gross),
        net: Millicredits::new(net),
    }
}

pub(super) async fn a_stranger_earns_nothing(world: MoneyWorld) {
    let nobody = DeveloperId::new(MOMENT);
    assert_eq!(world.earned(nobody).await, Earnings::default());
    let (filter, first) = (EarningFilter::default(), page(1, 10));
    let history = world.earnings.list_history(nobody, &filter, &first);
    assert_eq!(history.await.unwrap().items, []);
}

pub(super) async fn each_run_brings_its_part(world: MoneyWorld) {
    let (dora, carla) = (world.rich_payee(7_000).await, world.consumer(100).await);
    let model = world.props.model(dora, 25).await;
    for _ in 0..2 {
        world.run(&model, carla).await;
        world.fail(&model, carla).await;
    }
    world.request(dora, 3).await.unwrap();
    let earned = world.earned(dora).await;
    let numbers = [
        earned.pending,
        earned.available,
        earned.in_payout,
        earned.paid_out,
        earned.owed,
    ];
    assert_eq!(numbers.map(Millicredits::get), [35_000, 4_000, 3_000, 0, 0]);
    assert_eq!(earned.total().get(), 42_000);
}

/// Lets time pass until what was done today was done in the month before. Stores whose clock goes
/// on begin on the fifth, and those that move the past back begin on any day.
async fn into_last_month(world: &MoneyWorld) {
    let today = world.props.now().await.day();
    let distance = if today <= 3 { today } else { 31 };
    world.props.pass(days(u64::from(distance))).await;
}

pub(super) async fn months_are_apart(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(1_000).await);
    let model = world.props.model(dora, 10).await;
    // Both kept sums and those that are not kept yet count, and move back in time alike.
    world.run(&model, carla).await;
    world.props.tally().await;
    world.run(&model, carla).await;
    let earned = world.earned(dora).await;
    assert_eq!(earned.this_month, month(20_000, 14_000));
    assert_eq!(earned.last_month, month(0, 0));
    into_last_month(&world).await;
    world.run(&model, carla).await;
    let earned = world.earned(dora).await;
    assert_eq!(earned.this_month, month(10_000, 7_000));
    assert_eq!(earned.last_month, month(20_000, 14_000));
    assert_eq!(earned.this_month.platform_fee().get(), 3_000);
    world.props.pass(days(62)).await;
    let earned = world.earned(dora).await;
    assert_eq!((earned.this_month, earned.last_month), Default::default());
}

pub(super) async fn what_is_refunded_is_earned_no_more(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(100).await);
    let model = world.props.model(dora, 10).await;
    let run = world.run(&model, carla).await;
    world.refund(run, Some(4)).await.unwrap();
    let earned = world.earned(dora).await;
    assert_eq!(earned.pending.get(), 4_200);
    assert_eq!(earned.this_month, month(6_000, 4_200));
}

async fn history(
    world: &MoneyWorld,
    developer: DeveloperId,
    filter: EarningFilter,
) -> Vec<Earning> {
    let rows = whole_list(Earning::ORDER, async |page| {
        world.earnings.list_history(developer, &filter, page).await
    });
    rows.await
}

pub(super) async fn the_history_shows_each_run(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(1_000).await);
    let model = world.props.model(dora, 10).await;
    let first = world.run(&model, carla).await;
    world.mature_all().await;
    world.fail(&model, carla).await;
    world.begin(&model, carla).await;
    let free = world.props.model(dora, 0).await;
    world.run(&free, carla).await;
    let second = world.run(&model, carla).await;
    world.refund(second, Some(5)).await.unwrap();
    let strange = world.props.model(world.developer().await, 10).await;
    world.run(&strange, carla).await;
    let rows = history(&world, dora, EarningFilter::default()).await;
    let runs: Vec<_> = rows.iter().map(|row| row.run).collect();
    assert_eq!(runs, [second, first]);
    let row = &rows[0];
    assert_eq!(
        (row.model, row.title.as_str()),
        (model.id, model.title.as_str())
    );
    assert_eq!(row.slug, model.slug.as_str());
    let amounts = (row.gross.get(), row.earned.get(), row.taken_back.get());
    assert_eq!(amounts, (10_000, 7_000, 3_500));
    assert_eq!(row.platform_fee().get(), 3_000);
    assert_eq!([rows[0].is_mature, rows[1].is_mature], [false, true]);
}

pub(super) async fn the_history_is_cut_by_time(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(1_000).await);
    let model = world.props.model(dora, 10).await;
    for _ in 0..5 {
        world.run(&model, carla).await;
    }
    let all = history(&world, dora, EarningFilter::default()).await;
    let moments: Vec<_> = all.iter().map(|row| row.earned_at).collect();
    let cases = [
        (Some(moments[3]), None, &all[..=3]),
        (None, Some(moments[1]), &all[2..]),
        (Some(moments[3]), Some(moments[0]), &all[1..=3]),
        (Some(moments[0]), Some(moments[0]), &all[..0]),
    ];
    for (from, to, expected) in cases {
        let cut = history(&world, dora, EarningFilter { from, to }).await;
        assert_eq!(cut, expected, "{from:?} to {to:?}");
    }
}
