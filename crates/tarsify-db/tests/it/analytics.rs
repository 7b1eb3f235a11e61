//! How models do: from the sums and from what has not been added to them, with the same answer
//! before, during and after.

use futures_util::future::join_all;
use tarsify_domain::earnings::{Analytics, AnalyticsRepository, Period, RunSums, TimeBucket};
use tarsify_domain::execution::ExecutionQueue;
use tarsify_domain::id::{DeveloperId, TarsModelId};
use tarsify_domain::money::Millicredits;

use crate::bank::{Bank, EndedRun};
use crate::things::moment;

async fn look(bank: &Bank, him: DeveloperId, period: Period) -> Analytics {
    bank.analytics
        .find(him, None, period)
        .await
        .unwrap()
        .unwrap()
}

fn sums(completed: u64, failed: u64, cancelled: u64, gross: i64, earned: i64) -> RunSums {
    RunSums {
        completed,
        failed,
        cancelled,
        gross: Millicredits::new(gross),
        earned: Millicredits::new(earned),
    }
}

#[tokio::test]
async fn periods_reach_back_as_many_days_and_today_is_one() {
    let bank = Bank::open().await;
    let (me, model) = (bank.consumer().await, bank.model().await);
    let him = model.developer_id;
    bank.give(me, 10_000).await;
    let nothing = look(&bank, him, Period::All).await;
    assert_eq!(nothing, Analytics::default());
    for days_ago in [0, 6, 7, 29, 30, 89, 90, 364, 365, 2_000] {
        bank.run(EndedRun {
            days_ago,
            ..EndedRun::of(me, &model, 10)
        })
        .await;
    }
    for tallied in [0, 4, 6] {
        assert_eq!(
            bank.executions.tally(tallied).await.unwrap(),
            u64::from(tallied)
        );
        let expected = [
            (Period::Week, 2),
            (Period::Month, 4),
            (Period::Quarter, 6),
            (Period::Year, 8),
            (Period::All, 10),
        ];
        for (period, runs) in expected {
            let found = look(&bank, him, period).await;
            assert_eq!(found.sums.runs(), runs, "{period:?}");
            let each: Vec<_> = found.days.iter().map(|day| day.sums.runs()).collect();
            assert_eq!(u64::try_from(each.len()).unwrap(), runs, "{period:?}");
            assert!(found.days.is_sorted_by_key(|day| day.day), "oldest first");
            let timed: u64 = found.times.iter().map(|(_, runs)| runs).sum();
            assert_eq!(timed, runs, "{period:?}");
        }
    }
    let week = look(&bank, him, Period::Week).await;
    let today = bank
        .sql("SELECT ((now() AT TIME ZONE 'UTC')::date)::text")
        .await
        .remove(0);
    assert_eq!(week.days[1].day.to_string(), today);
    bank.assert_sound().await;
}

#[tokio::test]
async fn runs_are_told_apart_by_how_they_ended() {
    let bank = Bank::open().await;
    let (me, model) = (bank.consumer().await, bank.model().await);
    bank.give(me, 10_000).await;
    let run = bank.run(EndedRun::of(me, &model, 100)).await;
    for status in ["COMPLETED", "FAILED", "TIMED_OUT", "CANCELLED"] {
        bank.run(EndedRun {
            status,
            ..EndedRun::of(me, &model, 0)
        })
        .await;
    }
    bank.run(EndedRun {
        took_ms: None,
        ..EndedRun::of(me, &model, 10)
    })
    .await;
    assert_eq!(bank.refund(run, 50).await, None);
    let expected = sums(3, 2, 1, 60_000, 42_000);
    for tallied in [0, 3, 100] {
        bank.executions.tally(tallied).await.unwrap();
        let found = look(&bank, model.developer_id, Period::Week).await;
        assert_eq!(found.sums, expected);
        // Only those with a result, as far as they were timed.
        assert_eq!(found.times, [(TimeBucket(79), 2)]);
        assert_eq!(found.top.len(), 1);
        assert_eq!(found.top[0].sums, expected);
    }
    let counts = "SELECT format('%s %s %s', t.total_runs, c.run_count, c.credits_spent) \
        FROM tars_models t, consumers c";
    assert_eq!(bank.sql(counts).await, ["3 3 60"]);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_day_on_which_money_only_went_back_is_one() {
    let bank = Bank::open().await;
    let (me, model) = (bank.consumer().await, bank.model().await);
    bank.give(me, 100).await;
    let run = EndedRun {
        days_ago: 3,
        ..EndedRun::of(me, &model, 100)
    };
    let run = bank.run(run).await;
    assert_eq!(bank.refund(run, 50).await, None);
    for tallied in [0, 1, 100] {
        bank.executions.tally(tallied).await.unwrap();
        let found = look(&bank, model.developer_id, Period::Week).await;
        let days: Vec<_> = found.days.iter().map(|day| day.sums).collect();
        let expected = [
            sums(1, 0, 0, 100_000, 70_000),
            sums(0, 0, 0, -50_000, -35_000),
        ];
        assert_eq!(days, expected);
    }
    bank.assert_sound().await;
}

#[tokio::test]
async fn durations_fall_into_steps_of_an_eighth() {
    let bank = Bank::open().await;
    let (me, model) = (bank.consumer().await, bank.model().await);
    for (took, many) in [
        (0, 1),
        (1, 1),
        (2, 2),
        (1_024, 3),
        (1_000, 90),
        (86_400_000, 3),
    ] {
        for _ in 0..many {
            bank.run(EndedRun {
                took_ms: Some(took),
                ..EndedRun::of(me, &model, 0)
            })
            .await;
        }
    }
    let expected = [(0, 2), (8, 2), (79, 90), (80, 3), (210, 3)];
    let expected = expected.map(|(bucket, runs)| (TimeBucket(bucket), runs));
    for tallied in [0, 50, 100] {
        bank.executions.tally(tallied).await.unwrap();
        let found = look(&bank, model.developer_id, Period::Week).await;
        assert_eq!(found.times, expected);
    }
    let [half, most] = [50, 97].map(|part| TimeBucket::percentile(&expected, part));
    assert_eq!((half, most), (Some(TimeBucket(79)), Some(TimeBucket(80))));
    let middle = i64::try_from(TimeBucket(79).middle_ms()).unwrap();
    assert!((middle - 1_000).abs() <= 50, "{middle}");
}

#[tokio::test]
async fn a_model_is_looked_at_only_by_its_developer() {
    let bank = Bank::open().await;
    let (me, mine, other) = (
        bank.consumer().await,
        bank.model().await,
        bank.model().await,
    );
    bank.give(me, 1_000).await;
    bank.run(EndedRun::of(me, &mine, 10)).await;
    bank.run(EndedRun::of(me, &other, 20)).await;
    for tallied in [0, 100] {
        bank.executions.tally(tallied).await.unwrap();
        let him = mine.developer_id;
        let find = |model: TarsModelId| bank.analytics.find(him, Some(model), Period::Week);
        let found = find(mine.id).await.unwrap().unwrap();
        assert_eq!(found.sums, sums(1, 0, 0, 10_000, 7_000));
        assert_eq!(found.top[0].slug, mine.slug.as_str());
        assert_eq!(find(other.id).await.unwrap(), None);
        assert_eq!(find(TarsModelId::new(moment(99_999))).await.unwrap(), None);
    }
    // One without any runs is his all the same.
    let idle = bank.model().await;
    let found = bank
        .analytics
        .find(idle.developer_id, Some(idle.id), Period::All)
        .await;
    assert_eq!(found.unwrap(), Some(Analytics::default()));
}

#[tokio::test]
async fn the_ten_that_brought_most_come_first() {
    let bank = Bank::open().await;
    let (me, first) = (bank.consumer().await, bank.model().await);
    bank.give(me, 100_000).await;
    let mut models = vec![first];
    for _ in 1..12 {
        let mut model = bank.model().await;
        let him = models[0].developer_id;
        bank.sql(&format!(
            "UPDATE tars_models SET developer_id = '{him}' WHERE id = '{}'",
            model.id
        ))
        .await;
        model.developer_id = him;
        models.push(model);
    }
    for (number, model) in models.iter().enumerate() {
        let credits = 10 + i64::try_from(number).unwrap();
        bank.run(EndedRun::of(me, model, credits)).await;
    }
    // As much earned as the second one, and more paid for it.
    bank.run(EndedRun {
        bps: 0,
        ..EndedRun::of(me, &models[10], 500)
    })
    .await;
    bank.run(EndedRun::of(me, &models[10], 1)).await;
    for tallied in [0, 7, 100] {
        bank.executions.tally(tallied).await.unwrap();
        let found = look(&bank, models[0].developer_id, Period::All).await;
        let top: Vec<_> = found.top.iter().map(|one| one.id).collect();
        let mut expected: Vec<_> = models.iter().rev().take(10).map(|one| one.id).collect();
        expected.swap(0, 1);
        assert_eq!(top, expected);
    }
    bank.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crowds_of_tallies_count_each_run_once_and_nobody_sees_them_do_it() {
    let bank = Bank::open().await;
    let him = {
        let (me, other) = (bank.consumer().await, bank.consumer().await);
        let models = [bank.model().await, bank.model().await];
        bank.give(me, 1_000).await;
        bank.give(other, 1_000).await;
        for number in 0..80_i64 {
            let model = &models[usize::try_from(number % 2).unwrap()];
            let consumer = if number % 3 == 0 { me } else { other };
            let run = EndedRun {
                days_ago: number % 5,
                took_ms: Some(1 << (number % 20)),
                ..EndedRun::of(consumer, model, 10)
            };
            bank.run(run).await;
        }
        models[0].developer_id
    };
    let before = look(&bank, him, Period::Week).await;
    assert_eq!(before.sums, sums(40, 0, 0, 400_000, 280_000));
    let tallies = (0..16).map(|_| {
        let executions = bank.executions.clone();
        async move { executions.tally(6).await.unwrap() }
    });
    let looks = (0..16).map(|_| look(&bank, him, Period::Week));
    let (tallied, seen) = futures_util::future::join(join_all(tallies), join_all(looks)).await;
    for one in seen {
        assert_eq!(one, before);
    }
    let rest = bank.executions.tally(1_000).await.unwrap();
    assert_eq!(tallied.into_iter().sum::<u64>() + rest, 80);
    assert_eq!(bank.executions.tally(1_000).await.unwrap(), 0);
    assert_eq!(look(&bank, him, Period::Week).await, before);
    let counted = "SELECT format('%s %s', sum(run_count), sum(credits_spent)) FROM consumers";
    assert_eq!(bank.sql(counted).await, ["80 800"]);
    let times = "SELECT sum(runs) FROM model_day_times";
    assert_eq!(bank.sql(times).await, ["80"]);
    bank.assert_sound().await;
}
