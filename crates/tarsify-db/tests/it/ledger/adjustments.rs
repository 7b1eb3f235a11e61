//! Credits that an administrator gives or takes.

use futures_util::future::join_all;
use tarsify_domain::Credits;
use tarsify_domain::id::ConsumerId;
use tarsify_domain::ledger::{AdjustmentError, Wallet, WalletRepository};

use super::books::Books;
use crate::things::moment;

const WRITTEN: &str = "SELECT (SELECT count(*) FROM ledger_transfers) + \
    (SELECT count(*) FROM grants) + (SELECT count(*) FROM audit_entries)";

#[tokio::test]
async fn credits_are_given_and_taken_and_it_is_remembered() {
    let books = Books::open().await;
    let wallet = books.adjust(30).await.unwrap();
    assert_eq!(wallet.available.get(), 30_000);
    let wallet = books.adjust(-12).await.unwrap();
    assert_eq!(wallet.available.get(), 18_000);
    assert_eq!(wallet, books.wallet().await);
    assert_eq!(wallet.lifetime_purchased, Credits::ZERO);
    assert_eq!(books.platform("platform_promo").await, -18_000);

    let remembered = "SELECT concat_ws('|', issuer, subject, coalesce(developer_id::text, '-'), \
            action, about, about_id, a.reason, a.data ->> 'credits', g.amount, g.reason) \
        FROM audit_entries a JOIN grants g ON g.id = (a.data ->> 'grantId')::uuid ORDER BY a.id";
    let entry = |credits: i64| {
        format!(
            "https://issuer.example|admin-1|-|consumer.adjust_credits|consumer|{}|\
             because it is right|{credits}|{}|because it is right",
            books.consumer,
            credits * 1_000
        )
    };
    assert_eq!(books.sql(remembered).await, [entry(30), entry(-12)]);
    books.assert_sound().await;
}

#[tokio::test]
async fn more_than_there_is_cannot_be_taken() {
    let books = Books::welcoming(10).await;
    books.begin(4).await;
    let before = books.number(WRITTEN).await;
    let refused = books.adjust(-7).await.unwrap_err();
    let AdjustmentError::Insufficient {
        required,
        available,
    } = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!((required.get(), available.get()), (7, 6));
    assert_eq!(books.number(WRITTEN).await, before, "something was written");
    let wallet = books.adjust(-6).await.unwrap();
    assert_eq!((wallet.available.get(), wallet.held.get()), (0, 4_000));
    books.assert_sound().await;
}

#[tokio::test]
async fn only_consumers_are_given_credits() {
    let books = Books::open().await;
    let developer = ConsumerId::from_uuid(books.developer.uuid());
    for nobody in [ConsumerId::new(moment(9)), developer] {
        let refused = books.adjust_of(nobody, 5).await.unwrap_err();
        assert!(
            matches!(refused, AdjustmentError::NoConsumer),
            "{refused:?}"
        );
    }
    assert_eq!(books.number(WRITTEN).await, 0);
    let nothing = books.wallets.find_wallet(ConsumerId::new(moment(9))).await;
    assert_eq!(nothing.unwrap(), Wallet::default());
}

#[tokio::test]
async fn many_who_take_at_once_take_what_there_is() {
    let books = Books::welcoming(7).await;
    let taken = join_all((0..16).map(|_| books.adjust(-1))).await;
    assert_eq!(taken.iter().filter(|one| one.is_ok()).count(), 7);
    let wallet = books.wallet().await;
    assert_eq!(wallet.available.get(), 0);
    assert_eq!(books.number("SELECT count(*) FROM audit_entries").await, 7);
    books.assert_sound().await;
}
