//! How models do.

use tarsify_domain::earnings::{Analytics, Period, RunSums, TimeBucket};
use tarsify_domain::execution::Ending;
use tarsify_domain::id::{DeveloperId, TarsModelId};
use tarsify_domain::money::Millicredits;

use super::world::{MoneyWorld, days};
use crate::builders::new_test_run;
use crate::clock::MOMENT;
use crate::fake::RunEnd;

async fn seen(world: &MoneyWorld, developer: DeveloperId, period: Period) -> Analytics {
    let found = world.analytics.find(developer, None, period).await;
    found.unwrap().expect("his own are always his")
}

fn sums((completed, failed, cancelled): (u64, u64, u64), (gross, earned): (i64, i64)) -> RunSums {
    RunSums {
        completed,
        failed,
        cancelled,
        gross: Millicredits::new(gross),
        earned: Millicredits::new(earned),
    }
}

pub(super) async fn ends_are_counted_by_kind(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(1_000).await);
    let model = world.props.model(dora, 10).await;
    let free = world.props.model(dora, 0).await;
    world.run(&model, carla).await;
    world.run(&free, carla).await;
    for ending in [Ending::Failed, Ending::TimedOut, Ending::Cancelled] {
        let run = world.begin(&model, carla).await;
        let end = RunEnd::without_result(ending);
        world.props.end(run, end).await;
    }
    world.begin(&model, carla).await;
    let test = new_test_run(&model, 10);
    world.props.begin(&test).await.unwrap();
    world.props.end(test.id, RunEnd::RESULT).await;
    let all = seen(&world, dora, Period::All).await;
    assert_eq!(all.sums, sums((2, 2, 1), (10_000, 7_000)));
    assert_eq!(all.sums.success_ten_thousandths(), Some(5_000));
    let stranger = seen(&world, DeveloperId::new(MOMENT), Period::All).await;
    assert_eq!(stranger, Analytics::default());
}

pub(super) async fn days_are_apart(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(1_000).await);
    let model = world.props.model(dora, 10).await;
    // Day 0 is tallied and day 6 is not; today one of them is refunded.
    let run = world.run(&model, carla).await;
    world.props.tally().await;
    world.props.pass(days(6)).await;
    world.run(&model, carla).await;
    world.fail(&model, carla).await;
    world.props.pass(days(1)).await;
    world.refund(run, Some(5)).await.unwrap();
    let today = world.props.now().await.date();
    let month = seen(&world, dora, Period::Month).await;
    let told: Vec<_> = month
        .days
        .iter()
        .map(|day| ((today - day.day).whole_days(), day.sums))
        .collect();
    let (first, second) = (
        sums((1, 0, 0), (10_000, 7_000)),
        sums((1, 1, 0), (10_000, 7_000)),
    );
    let refund = sums((0, 0, 0), (-5_000, -3_500));
    assert_eq!(told, [(7, first), (1, second), (0, refund)]);
    assert_eq!(month.sums, sums((2, 1, 0), (15_000, 10_500)));
    let week = seen(&world, dora, Period::Week).await;
    assert_eq!(week.sums, sums((1, 1, 0), (5_000, 3_500)), "today included");
    assert_eq!(week.days.len(), 2);
}

pub(super) async fn times_fall_into_buckets(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(1_000).await);
    let model = world.props.model(dora, 1).await;
    // Eight steps to each doubling, and each begins exactly where it says.
    let cases = [
        (Some(0), 0),
        (Some(1), 0),
        (Some(2), 8),
        (Some(1_023), 79),
        (Some(1_024), 80),
        (Some(1_116), 80),
        (Some(1_117), 81),
        (Some(65_536), 128),
        (None, 0),
    ];
    for (took_ms, _) in cases {
        let run = world.begin(&model, carla).await;
        let end = RunEnd {
            took_ms,
            ..RunEnd::RESULT
        };
        world.props.end(run, end).await;
    }
    world.fail(&model, carla).await;
    let expected = [(0, 2), (8, 1), (79, 1), (80, 2), (81, 1), (128, 1)];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(bucket, runs)| (TimeBucket(bucket), runs))
        .collect();
    for _ in 0..2 {
        let all = seen(&world, dora, Period::All).await;
        assert_eq!(all.times, expected);
        world.props.tally().await;
    }
}

pub(super) async fn what_brought_most_is_first(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(10_000).await);
    let mut models = Vec::new();
    for price in [10, 30, 20, 5, 6, 7, 8, 9, 11, 12, 0] {
        let model = world.props.model(dora, price).await;
        world.run(&model, carla).await;
        models.push(model);
    }
    let strange = world.props.model(world.developer().await, 100).await;
    world.run(&strange, carla).await;
    let top = seen(&world, dora, Period::Week).await.top;
    let earned: Vec<_> = top.iter().map(|model| model.sums.gross.get()).collect();
    let expected = [30, 20, 12, 11, 10, 9, 8, 7, 6, 5].map(|credits| credits * 1_000);
    assert_eq!(earned, expected, "ten of the eleven");
    assert_eq!(top[0].id, models[1].id);
    assert_eq!(top[0].slug, models[1].slug.as_str());
    assert_eq!(top[0].title, models[1].title.as_str());
}

pub(super) async fn one_model_by_itself(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(1_000).await);
    let (model, other) = (
        world.props.model(dora, 10).await,
        world.props.model(dora, 20).await,
    );
    let unused = world.props.model(dora, 20).await;
    world.run(&model, carla).await;
    world.run(&other, carla).await;
    let find = async |developer, model| {
        let found = world.analytics.find(developer, Some(model), Period::Year);
        found.await.unwrap()
    };
    let one = find(dora, model.id).await.unwrap();
    assert_eq!(one.sums, sums((1, 0, 0), (10_000, 7_000)));
    assert_eq!(one.top.len(), 1);
    assert_eq!(find(dora, unused.id).await, Some(Analytics::default()));
    let stranger = world.developer().await;
    assert_eq!(find(stranger, model.id).await, None);
    assert_eq!(find(dora, TarsModelId::new(MOMENT)).await, None);
}

pub(super) async fn a_tally_changes_nothing(world: MoneyWorld) {
    let (dora, carla) = (world.developer().await, world.consumer(1_000).await);
    let model = world.props.model(dora, 10).await;
    let run = world.run(&model, carla).await;
    world.fail(&model, carla).await;
    world.refund(run, Some(3)).await.unwrap();
    let everything = async || {
        (
            seen(&world, dora, Period::Month).await,
            world.earned(dora).await,
            world.wallet(carla).await,
        )
    };
    let before = everything().await;
    world.props.tally().await;
    assert_eq!(everything().await, before);
    world.run(&model, carla).await;
    let between = everything().await;
    assert_ne!(between, before);
    world.props.tally().await;
    world.props.tally().await;
    assert_eq!(everything().await, between);
}
