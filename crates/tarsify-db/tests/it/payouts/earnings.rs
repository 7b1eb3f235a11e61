//! Earnings: exact at once, run by run, and when they may be paid out.

use std::time::Duration;

use futures_util::future::join_all;
use tarsify_domain::earnings::{EarningFilter, Earnings, EarningsRepository, MonthSums};
use tarsify_domain::execution::ExecutionQueue;
use tarsify_domain::id::DeveloperId;
use tarsify_domain::money::Millicredits;
use tarsify_domain::page::{Limit, PageRequest};

use crate::bank::{Bank, EndedRun};
use crate::things::moment;

const fn mc(number: i64) -> Millicredits {
    Millicredits::new(number)
}

#[tokio::test]
async fn earnings_are_exact_before_and_after_they_are_tallied() {
    let bank = Bank::open().await;
    let (me, model) = (bank.consumer().await, bank.model().await);
    let him = model.developer_id;
    bank.verify(him).await;
    bank.give(me, 100_000).await;
    let nobody = DeveloperId::new(moment(99_999));
    let nothing = bank.earnings.find_earnings(nobody).await.unwrap();
    assert_eq!(nothing, Earnings::default());
    let old = EndedRun {
        days_ago: 70,
        ..EndedRun::of(me, &model, 20_000)
    };
    bank.run(old).await;
    assert_eq!(bank.mature(7).await, 1);
    let payout = bank.request(him, 6_000).await.unwrap();
    bank.pay(payout.id, "tr_1").await;
    bank.request(him, 5_000).await.unwrap();
    bank.run(EndedRun::of(me, &model, 1)).await;
    let run = bank.run(EndedRun::of(me, &model, 1_000)).await;
    assert_eq!(bank.refund(run, 400).await, None);
    // Of the last day of the month before, whatever day it is.
    bank.sql(
        "INSERT INTO untallied (tars_model_id, developer_id, consumer_id, day, status, gross, earned) \
         SELECT tars_model_id, developer_id, consumer_id, \
            date_trunc('month', now() AT TIME ZONE 'UTC')::date - 1, status, 3000, 2100 \
         FROM untallied WHERE status = 'COMPLETED' LIMIT 1",
    )
    .await;
    let expected = Earnings {
        pending: mc(700 + 700_000 - 280_000),
        available: mc(3_000_000),
        in_payout: mc(5_000_000),
        paid_out: mc(6_000_000),
        owed: mc(0),
        this_month: MonthSums {
            gross: mc(601_000),
            net: mc(420_700),
        },
        last_month: MonthSums {
            gross: mc(3_000),
            net: mc(2_100),
        },
    };
    assert_eq!(bank.earnings.find_earnings(him).await.unwrap(), expected);
    assert_eq!(expected.total().get(), 14_000_000 + 420_700);
    assert_eq!(bank.executions.tally(2).await.unwrap(), 2);
    assert_eq!(bank.earnings.find_earnings(him).await.unwrap(), expected);
    assert_eq!(bank.executions.tally(100).await.unwrap(), 3);
    assert_eq!(bank.earnings.find_earnings(him).await.unwrap(), expected);
    bank.assert_sound().await;
}

#[tokio::test]
async fn the_history_has_a_row_for_each_run_that_brought_something() {
    let bank = Bank::open().await;
    let (me, model, other) = (
        bank.consumer().await,
        bank.model().await,
        bank.model().await,
    );
    let him = model.developer_id;
    bank.give(me, 10_000).await;
    let old = bank
        .run(EndedRun {
            days_ago: 9,
            ..EndedRun::of(me, &model, 5)
        })
        .await;
    let middle = bank
        .run(EndedRun {
            days_ago: 3,
            ..EndedRun::of(me, &model, 7)
        })
        .await;
    let newest = bank.run(EndedRun::of(me, &model, 11)).await;
    bank.run(EndedRun {
        status: "FAILED",
        ..EndedRun::of(me, &model, 12)
    })
    .await;
    bank.run(EndedRun {
        bps: 0,
        ..EndedRun::of(me, &model, 13)
    })
    .await;
    bank.run(EndedRun::of(me, &other, 14)).await;
    assert_eq!(bank.refund(middle, 2).await, None);
    assert_eq!(bank.mature(7).await, 1);
    let everything = EarningFilter::default();
    let all = PageRequest::default();
    let page = bank
        .earnings
        .list_history(him, &everything, &all)
        .await
        .unwrap();
    let seen: Vec<_> = page
        .items
        .iter()
        .map(|one| {
            (
                one.run,
                one.gross.get(),
                one.earned.get(),
                one.taken_back.get(),
                one.is_mature,
            )
        })
        .collect();
    let expected = [
        (newest, 11_000, 7_700, 0, false),
        (middle, 7_000, 4_900, 1_400, false),
        (old, 5_000, 3_500, 0, true),
    ];
    assert_eq!((seen.as_slice(), page.total), (expected.as_slice(), 3));
    assert_eq!(page.items[0].slug, model.slug.as_str());
    assert_eq!(page.items[0].title, model.title.as_str());
    assert_eq!(page.items[0].model, model.id);
    // From its moment on, and before the newest one's.
    let filter = EarningFilter {
        from: Some(page.items[1].earned_at),
        to: Some(page.items[0].earned_at),
    };
    let one = PageRequest {
        limit: Limit::parse(1).unwrap(),
        ..all
    };
    let between = bank
        .earnings
        .list_history(him, &filter, &one)
        .await
        .unwrap();
    assert_eq!((between.total, between.items[0].run), (1, middle));
    bank.assert_sound().await;
}

#[tokio::test]
async fn earnings_mature_only_after_their_time() {
    let bank = Bank::open().await;
    let (me, model) = (bank.consumer().await, bank.model().await);
    bank.give(me, 10_000).await;
    let run = bank
        .run(EndedRun {
            days_ago: 7,
            ..EndedRun::of(me, &model, 10)
        })
        .await;
    bank.sql(&format!(
        "UPDATE holds SET resolved_at = resolved_at + interval '1 minute' \
         WHERE execution_id = '{run}'"
    ))
    .await;
    assert_eq!(bank.mature(7).await, 0);
    assert_eq!(bank.purse(model.developer_id).await, [7_000, 0, 0, 0]);
    bank.sql(&format!(
        "UPDATE holds SET resolved_at = resolved_at - interval '2 minutes' \
         WHERE execution_id = '{run}'"
    ))
    .await;
    assert_eq!(bank.mature(7).await, 1);
    assert_eq!(bank.mature(7).await, 0);
    assert_eq!(bank.purse(model.developer_id).await, [0, 7_000, 0, 0]);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_refund_before_and_one_after_maturing_take_the_same() {
    let bank = Bank::open().await;
    let (me, before, after) = (
        bank.consumer().await,
        bank.model().await,
        bank.model().await,
    );
    bank.give(me, 10_000).await;
    let early = bank
        .run(EndedRun {
            days_ago: 8,
            ..EndedRun::of(me, &before, 100)
        })
        .await;
    let late = bank
        .run(EndedRun {
            days_ago: 8,
            ..EndedRun::of(me, &after, 100)
        })
        .await;
    assert_eq!(bank.refund(early, 33).await, None);
    assert_eq!(bank.mature(7).await, 2);
    assert_eq!(bank.refund(late, 33).await, None);
    for model in [&before, &after] {
        assert_eq!(bank.purse(model.developer_id).await, [0, 46_900, 0, 0]);
    }
    assert_eq!(bank.available(me).await, 10_000_000 - 200_000 + 66_000);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_run_of_ones_own_model_earns_nothing_and_matures() {
    let bank = Bank::open().await;
    let (me, model) = (bank.consumer().await, bank.model().await);
    bank.give(me, 100).await;
    bank.run(EndedRun {
        bps: 0,
        days_ago: 8,
        ..EndedRun::of(me, &model, 10)
    })
    .await;
    assert_eq!(bank.mature(7).await, 1);
    assert_eq!(bank.purse(model.developer_id).await, [0, 0, 0, 0]);
    assert_eq!(bank.platform("platform_revenue").await, 10_000);
    bank.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_matures_each_run_once_and_no_more_than_it_may() {
    let bank = Bank::open().await;
    let me = bank.consumer().await;
    let models = [bank.model().await, bank.model().await, bank.model().await];
    bank.give(me, 10_000).await;
    for number in 0..30 {
        let run = EndedRun {
            days_ago: 8,
            ..EndedRun::of(me, &models[number % 3], 10)
        };
        bank.run(run).await;
    }
    let week = Duration::from_secs(7 * 86_400);
    assert_eq!(bank.earnings.mature(week, 0).await.unwrap(), 0);
    assert_eq!(bank.earnings.mature(week, 13).await.unwrap(), 13);
    let crowd = (0..8).map(|_| bank.earnings.mature(week, 5));
    let matured: u64 = join_all(crowd).await.into_iter().map(Result::unwrap).sum();
    let rest = bank.earnings.mature(week, 100).await.unwrap();
    assert_eq!(13 + matured + rest, 30);
    for model in &models {
        assert_eq!(bank.purse(model.developer_id).await, [0, 70_000, 0, 0]);
    }
    bank.assert_sound().await;
}
