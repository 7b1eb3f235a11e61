//! Runs that are given back.

use futures_util::future::join_all;
use tarsify_domain::id::ExecutionId;
use tarsify_domain::ledger::{Refund, RefundError};

use super::books::Books;
use crate::things::moment;

/// What of the price could have been given back.
fn left(refused: Result<Refund, RefundError>) -> i64 {
    match refused {
        Err(RefundError::TooMuch(left)) => left.get(),
        other => panic!("{other:?}"),
    }
}

/// Who has what of a run that cost so much and was given back in these parts.
async fn after(price: i64, parts: &[Option<i64>]) -> [i64; 4] {
    let books = Books::welcoming(1_000).await;
    let run = books.completed(price).await;
    for part in parts {
        books.refund(run, *part).await.unwrap();
    }
    books.assert_sound().await;
    [
        books.balance(books.consumer, "consumer_available").await,
        books.balance(books.developer, "developer_pending").await,
        books.platform("platform_revenue").await,
        books
            .number("SELECT sum(from_developer) FROM refunds")
            .await,
    ]
}

#[tokio::test]
async fn parts_come_to_the_same_as_all_at_once() {
    let whole = after(13, &[None]).await;
    assert_eq!(whole, [1_000_000, 0, 0, 9_100]);
    for parts in [
        vec![Some(1), Some(5), Some(7)],
        vec![Some(13)],
        vec![Some(12), None],
        vec![Some(1); 13],
    ] {
        assert_eq!(after(13, &parts).await, whole, "{parts:?}");
    }
    assert_eq!(after(13, &[Some(3)]).await, [990_000, 7_000, 3_000, 2_100]);
}

#[tokio::test]
async fn a_refund_is_answered_and_remembered() {
    let books = Books::welcoming(100).await;
    let run = books.completed(10).await;
    let refund = books.refund(run, Some(4)).await.unwrap();
    assert_eq!(refund.run, run);
    assert_eq!(
        (refund.amount.get(), refund.from_developer.get()),
        (4, 2_800)
    );
    let rest = books.refund(run, None).await.unwrap();
    assert_eq!((rest.amount.get(), rest.from_developer.get()), (6, 4_200));
    let remembered = "SELECT concat_ws('|', issuer, subject, action, about, about_id, a.reason, \
            coalesce(a.data ->> 'credits', 'all'), r.amount, r.reason) \
        FROM audit_entries a JOIN refunds r ON r.id = (a.data ->> 'refundId')::uuid ORDER BY a.id";
    let entry = |wanted: &str, amount: i64| {
        format!(
            "https://issuer.example|admin-1|execution.refund|execution|{run}|because it is right|\
             {wanted}|{amount}|because it is right"
        )
    };
    assert_eq!(
        books.sql(remembered).await,
        [entry("4", 4_000), entry("all", 6_000)]
    );
    // Neither what he spent nor what he has knows of the run any more.
    let wallet = books.wallet().await;
    assert_eq!(
        (wallet.available.get(), wallet.lifetime_spent.get()),
        (100_000, 0)
    );
}

#[tokio::test]
async fn what_was_not_paid_is_not_given_back() {
    let books = Books::welcoming(100).await;
    let completed = books.completed(10).await;
    assert_eq!(left(books.refund(completed, Some(11)).await), 10);
    assert_eq!(left(books.refund(completed, Some(0)).await), 10);
    assert_eq!(left(books.refund(completed, Some(-3)).await), 10);
    let nothing = "SELECT (SELECT count(*) FROM refunds) + (SELECT count(*) FROM audit_entries)";
    let failed = books.failed(10).await;
    let active = books.begin(10).await;
    let free = books.completed(0).await;
    for run in [failed, active, free] {
        for wanted in [None, Some(1)] {
            assert_eq!(left(books.refund(run, wanted).await), 0);
        }
    }
    let nowhere = books.refund(ExecutionId::new(moment(9)), None).await;
    assert!(matches!(nowhere, Err(RefundError::NoRun)), "{nowhere:?}");
    assert_eq!(books.number(nothing).await, 0);

    books.refund(completed, Some(6)).await.unwrap();
    assert_eq!(left(books.refund(completed, Some(5)).await), 4);
    assert_eq!(books.number(nothing).await, 2);
    books.refund(completed, None).await.unwrap();
    assert_eq!(left(books.refund(completed, None).await), 0);
    assert_eq!(books.number(nothing).await, 4);
    books.assert_sound().await;
}

#[tokio::test]
async fn many_refunds_at_once_give_the_price_back_once() {
    let books = Books::welcoming(100).await;
    let run = books.completed(10).await;
    let whole = join_all((0..4).map(|_| books.refund(run, None)));
    let parts = join_all((0..8).map(|_| books.refund(run, Some(3))));
    let (whole, parts) = tokio::join!(whole, parts);
    let given: i64 = whole
        .into_iter()
        .chain(parts)
        .filter_map(Result::ok)
        .map(|refund| refund.amount.get())
        .sum();
    assert_eq!(given, 10);
    assert_eq!(books.wallet().await.available.get(), 100_000);
    books.assert_sound().await;
}

#[tokio::test]
async fn what_has_matured_is_taken_from_there() {
    let books = Books::welcoming(100).await;
    let run = books.completed(10).await;
    books.mature().await;
    let refund = books.refund(run, Some(5)).await.unwrap();
    assert_eq!(refund.from_developer.get(), 3_500);
    assert_eq!(
        books.balance(books.developer, "developer_payable").await,
        3_500
    );
    assert_eq!(books.platform("platform_revenue").await, 1_500);
    books.assert_sound().await;
}

#[tokio::test]
async fn what_was_paid_out_the_platform_gives() {
    let books = Books::welcoming(100).await;
    let run = books.completed(10).await;
    books.mature().await;
    books.pay_out(6).await;
    let refund = books.refund(run, None).await.unwrap();
    // A credit of the seven that he earned was still there.
    assert_eq!(
        (refund.amount.get(), refund.from_developer.get()),
        (10, 1_000)
    );
    assert_eq!(books.platform("platform_revenue").await, 3_000 - 9_000);
    assert_eq!(books.balance(books.developer, "developer_owed").await, 0);
    assert_eq!(books.wallet().await.available.get(), 100_000);
    books.assert_sound().await;
}
