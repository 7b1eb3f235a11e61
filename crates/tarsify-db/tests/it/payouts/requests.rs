//! Payouts: reserved, paid, given back.

use futures_util::future::join_all;
use tarsify_domain::RepoError;
use tarsify_domain::catalog::TarsModel;
use tarsify_domain::earnings::{PayoutEnd, PayoutError, PayoutRepository, PayoutStatus};
use tarsify_domain::id::PayoutId;
use tarsify_domain::page::PageRequest;
use tarsify_domain::payments::{AccountRef, EventOutcome, PaymentEvent, TransferRef};

use crate::bank::{Bank, EndedRun};
use crate::things::moment;

/// A developer who may have 70 credits for each 100 that somebody spent.
async fn earner(bank: &Bank, spent: i64) -> TarsModel {
    let (me, model) = (bank.consumer().await, bank.model().await);
    bank.verify(model.developer_id).await;
    bank.give(me, spent).await;
    bank.run(EndedRun {
        days_ago: 8,
        ..EndedRun::of(me, &model, spent)
    })
    .await;
    assert_eq!(bank.mature(7).await, 1);
    model
}

fn transfer(name: &str) -> TransferRef {
    TransferRef::parse(name).unwrap()
}

async fn undelivered(bank: &Bank) -> i64 {
    bank.number("SELECT count(*) FROM outbox WHERE done_at IS NULL")
        .await
}

#[tokio::test]
async fn a_payout_is_reserved_and_then_paid() {
    let bank = Bank::open().await;
    let him = earner(&bank, 10_000).await.developer_id;
    let asked = bank.request(him, 5_000).await.unwrap();
    assert_eq!(bank.purse(him).await, [0, 2_000_000, 5_000_000, 0]);
    let all = PageRequest::default();
    let listed = bank.payouts.list(him, None, &all).await.unwrap();
    assert_eq!(listed.items, vec![asked.clone()]);
    let paid = PayoutEnd::Paid(transfer("tr_1"));
    bank.payouts.finish(asked.id, &paid).await.unwrap();
    bank.payouts.finish(asked.id, &paid).await.unwrap();
    // What has ended stays as it is.
    let failed = PayoutEnd::Failed("too late".to_owned());
    bank.payouts.finish(asked.id, &failed).await.unwrap();
    assert_eq!(bank.purse(him).await, [0, 2_000_000, 0, 0]);
    assert_eq!(bank.platform("stripe_clearing").await, 5_000_000);
    assert_eq!(undelivered(&bank).await, 0);
    let listed = bank
        .payouts
        .list(him, Some(PayoutStatus::Paid), &all)
        .await
        .unwrap();
    assert_eq!(listed.items[0].transfer, Some(transfer("tr_1")));
    assert!(listed.items[0].ended_at.is_some());
    let pending = bank
        .payouts
        .list(him, Some(PayoutStatus::Pending), &all)
        .await
        .unwrap();
    assert_eq!((pending.items.len(), pending.total), (0, 0));
    bank.assert_sound().await;
}

#[tokio::test]
async fn more_than_he_may_have_and_nothing_to_nobody() {
    let bank = Bank::open().await;
    let him = earner(&bank, 10_001).await.developer_id;
    match bank.request(him, 7_001).await {
        Err(PayoutError::Insufficient {
            required,
            available,
        }) => {
            // 7,000.7 credits, of which whole ones can be paid.
            assert_eq!((required.get(), available.get()), (7_001, 7_000));
        }
        other => panic!("{other:?}"),
    }
    for set in [
        "is_verified = false",
        "is_verified = true, stripe_account_id = NULL",
    ] {
        bank.sql(&format!("UPDATE developers SET {set}")).await;
        let refused = bank.request(him, 5_000).await;
        assert!(
            matches!(refused, Err(PayoutError::NotVerified)),
            "{set}: {refused:?}"
        );
    }
    assert_eq!(bank.purse(him).await, [0, 7_000_700, 0, 0]);
    assert_eq!(bank.number("SELECT count(*) FROM payouts").await, 0);
    assert_eq!(undelivered(&bank).await, 0);
    let unknown = PayoutId::new(moment(99_999));
    let refused = bank
        .payouts
        .finish(unknown, &PayoutEnd::Failed("x".to_owned()))
        .await;
    assert!(
        matches!(refused, Err(RepoError::Internal(_))),
        "{refused:?}"
    );
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_payout_that_fails_is_his_again() {
    let bank = Bank::open().await;
    let him = earner(&bank, 10_000).await.developer_id;
    let asked = bank.request(him, 7_000).await.unwrap();
    let failed = PayoutEnd::Failed("the account\0 is closed".to_owned());
    bank.payouts.finish(asked.id, &failed).await.unwrap();
    assert_eq!(bank.purse(him).await, [0, 7_000_000, 0, 0]);
    let listed = bank
        .payouts
        .list(him, None, &PageRequest::default())
        .await
        .unwrap();
    assert_eq!(listed.items[0].status, PayoutStatus::Failed);
    assert!(
        listed.items[0]
            .failure
            .as_deref()
            .unwrap()
            .contains("is closed")
    );
    assert_eq!(undelivered(&bank).await, 0);
    bank.request(him, 7_000).await.unwrap();
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_payout_that_comes_back_is_his_again_whenever_it_is_told() {
    let bank = Bank::open().await;
    let him = earner(&bank, 10_000).await.developer_id;
    let after = bank.request(him, 3_000).await.unwrap().id;
    let before = bank.request(him, 3_000).await.unwrap().id;
    let made = |payout, name| PaymentEvent::TransferMade {
        payout,
        transfer: transfer(name),
    };
    let back = |payout, name| PaymentEvent::TransferReversed {
        payout,
        transfer: transfer(name),
    };
    assert_eq!(bank.tell(made(after, "tr_1")).await, EventOutcome::Applied);
    assert_eq!(bank.purse(him).await, [0, 1_000_000, 3_000_000, 0]);
    // Another transfer than the one by which it was paid.
    assert_eq!(
        bank.tell(back(after, "tr_stray")).await,
        EventOutcome::Repeated
    );
    assert_eq!(bank.tell(back(after, "tr_1")).await, EventOutcome::Applied);
    assert_eq!(bank.purse(him).await, [0, 4_000_000, 3_000_000, 0]);
    assert_eq!(bank.tell(back(before, "tr_2")).await, EventOutcome::Applied);
    assert_eq!(
        bank.tell(made(before, "tr_2")).await,
        EventOutcome::Repeated
    );
    assert_eq!(bank.purse(him).await, [0, 7_000_000, 0, 0]);
    let (failed, all) = (Some(PayoutStatus::Failed), PageRequest::default());
    let failed = bank.payouts.list(him, failed, &all).await.unwrap();
    assert_eq!(failed.total, 2);
    assert!(
        failed
            .items
            .iter()
            .all(|one| one.failure.is_some() && one.transfer.is_some())
    );
    assert_eq!(bank.platform("stripe_clearing").await, 0);
    assert_eq!(undelivered(&bank).await, 0);
    bank.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_crowd_of_requests_as_many_as_there_is_room_for() {
    let bank = Bank::open().await;
    let him = earner(&bank, 10_000).await.developer_id;
    let crowd = (0..50).map(|_| bank.request(him, 2_000));
    let (reserved, refused): (Vec<_>, Vec<_>) =
        join_all(crowd).await.into_iter().partition(Result::is_ok);
    assert_eq!(reserved.len(), 3);
    assert!(
        refused
            .iter()
            .all(|one| matches!(one, Err(PayoutError::Insufficient { .. })))
    );
    assert_eq!(bank.purse(him).await, [0, 1_000_000, 6_000_000, 0]);
    assert_eq!(undelivered(&bank).await, 3);
    bank.assert_sound().await;
}

#[tokio::test]
async fn of_two_accounts_the_first_is_his() {
    let bank = Bank::open().await;
    let (him, her) = (
        bank.model().await.developer_id,
        bank.model().await.developer_id,
    );
    let account = |name: &str| AccountRef::parse(name).unwrap();
    let seen = "SELECT string_agg(version::text, ' ' ORDER BY id) FROM people";
    let first = bank
        .payouts
        .attach_account(him, &account("acct_1"))
        .await
        .unwrap();
    let second = bank
        .payouts
        .attach_account(him, &account("acct_2"))
        .await
        .unwrap();
    assert_eq!((first, second), (account("acct_1"), account("acct_1")));
    assert_eq!(
        bank.sql(seen).await,
        ["2 1"],
        "only the first was a revision"
    );
    let taken = bank.payouts.attach_account(her, &account("acct_1")).await;
    assert!(matches!(taken, Err(RepoError::Conflict)), "{taken:?}");
    let nobody = tarsify_domain::id::DeveloperId::new(moment(99_999));
    let nobody = bank
        .payouts
        .attach_account(nobody, &account("acct_3"))
        .await;
    assert!(matches!(nobody, Err(RepoError::Stale)), "{nobody:?}");
}
