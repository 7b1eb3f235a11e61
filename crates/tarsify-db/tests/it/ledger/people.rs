//! What consumers and developers are told of their money with everything else about them.

use tarsify_domain::Credits;
use tarsify_domain::people::{Consumer, ConsumerRepository, Developer, DeveloperRepository, Realm};
use tarsify_domain::text::PersonName;

use super::books::Books;
use crate::things::{Shop, identity, new_consumer};

async fn consumer(books: &Books) -> Consumer {
    let key = identity(Realm::Consumers, 2);
    let found = books.shop.consumers.find_by_identity(&key).await;
    found.unwrap().unwrap()
}

async fn developer(books: &Books) -> Developer {
    let key = identity(Realm::Developers, 1);
    let found = books.shop.developers.find_by_identity(&key).await;
    found.unwrap().unwrap()
}

#[tokio::test]
async fn whoever_comes_is_welcomed_with_credits() {
    let shop = Shop::open().await;
    let mut new = new_consumer(2);
    new.welcome = Credits::new(1_000);
    let registered = shop.consumers.register(&new).await.unwrap();
    assert_eq!(registered.credits_balance, Credits::new(1_000));
    let found = shop.consumers.find_by_identity(&new.key).await.unwrap();
    assert_eq!(found, Some(registered));
    let faults = "SELECT rule FROM ledger_faults";
    assert_eq!(shop.test.sql(faults).await, Vec::<String>::new());

    // Who is refused leaves no account and gets nothing.
    let count = "SELECT (SELECT count(*) FROM ledger_accounts) || ' ' || \
        (SELECT count(*) FROM ledger_transfers)";
    let before = shop.test.sql(count).await;
    let mut twin = new_consumer(3);
    twin.key = new.key.clone();
    twin.welcome = Credits::new(1_000);
    shop.consumers.register(&twin).await.unwrap_err();
    assert_eq!(shop.test.sql(count).await, before);
}

#[tokio::test]
async fn a_consumer_knows_at_once_what_he_has_and_spent() {
    let books = Books::welcoming(100).await;
    books.completed(20).await;
    books.failed(5).await;
    books.begin(7).await;
    let run = books.completed(9).await;
    books.refund(run, Some(3)).await.unwrap();
    let him = consumer(&books).await;
    // What is set aside is still his.
    assert_eq!(him.credits_balance, Credits::new(100 - 20 - 9 + 3));
    assert_eq!(him.total_credits_spent, Credits::new(20 + 9 - 3));
    assert_eq!((him.run_count, him.purchase_count), (2, 0));
    let wallet = books.wallet().await;
    assert_eq!((wallet.available.get(), wallet.held.get()), (67_000, 7_000));
    assert_eq!(wallet.lifetime_spent, him.total_credits_spent);

    // The same when all of it is in the sums, and after he has renamed himself.
    books
        .sql(
            "UPDATE consumers SET credits_spent = 26, run_count = 2; \
             DELETE FROM untallied",
        )
        .await;
    assert_eq!(consumer(&books).await, him);
    assert_eq!(books.wallet().await, wallet);
    let renamed = Consumer {
        name: Some(PersonName::parse("Another Name").unwrap()),
        ..him.clone()
    };
    let revised = books.shop.consumers.revise(&renamed).await.unwrap();
    assert_eq!(revised.credits_balance, him.credits_balance);
    assert_eq!(revised.total_credits_spent, him.total_credits_spent);
}

#[tokio::test]
async fn what_went_back_to_the_card_was_not_bought() {
    let books = Books::open().await;
    let bought = async || books.wallet().await.lifetime_purchased.get();
    assert_eq!(bought().await, 0);
    books.buy("pi_1", 1_000, 100).await;
    books.buy("pi_2", 500, 0).await;
    assert_eq!(bought().await, 1_600);
    books.reverse("pi_1", "refund", "pi_1 250", 250).await;
    assert_eq!(bought().await, 1_600 - 275);
    books.reverse("pi_1", "refund", "pi_1 400", 400).await;
    assert_eq!(bought().await, 1_600 - 440);
    books.reverse("pi_2", "dispute", "dp_2", 500).await;
    assert_eq!(bought().await, 660);
    books.close("pi_2", "dp_2", 500, "won").await;
    assert_eq!(bought().await, 1_160);
    // More than the price cannot go back, whoever claims it.
    books.reverse("pi_1", "dispute", "dp_1", 1_000).await;
    assert_eq!(bought().await, 500);
    books.close("pi_1", "dp_1", 1_000, "lost").await;
    assert_eq!(bought().await, 500);
    books.assert_sound().await;
}

#[tokio::test]
async fn a_developer_knows_what_he_earned_and_what_is_still_to_come() {
    let books = Books::welcoming(100).await;
    let told = async || {
        let him = developer(&books).await;
        (him.total_earnings.get(), him.pending_payout.get())
    };
    assert_eq!(told().await, (0, 0));
    books.completed(11).await;
    // 7.7 credits, rounded down.
    assert_eq!(told().await, (7, 7));
    let run = books.completed(50).await;
    assert_eq!(told().await, (42, 42));
    books.mature().await;
    assert_eq!(told().await, (42, 42));
    books.pay_out(40).await;
    assert_eq!(told().await, (42, 2));
    books.refund(run, Some(2)).await.unwrap();
    assert_eq!(told().await, (41, 1));
    books.assert_sound().await;
}

#[tokio::test]
async fn what_a_developer_owes_is_not_earned() {
    let books = Books::open().await;
    books.buy("pi_1", 100, 0).await;
    books.completed(100).await;
    books.mature().await;
    books.pay_out(60).await;
    books.reverse("pi_1", "dispute", "dp_1", 100).await;
    books.close("pi_1", "dp_1", 100, "lost").await;
    let clawed = "SELECT claw_back(id) FROM reversals";
    assert_eq!(books.one(clawed).await, "t");
    assert_eq!(
        books.balance(books.developer, "developer_owed").await,
        -60_000
    );
    let him = developer(&books).await;
    assert_eq!((him.total_earnings.get(), him.pending_payout.get()), (0, 0));
    books.assert_sound().await;
}
