//! The platform's accounts, rolled up.

use futures_util::future::join_all;
use tarsify_db::PgCheckpoints;

use super::books::Books;

const PLATFORM: &str = "SELECT kind || ' ' || balance FROM ledger_platform ORDER BY account_id";
const MADE: &str = "SELECT count(*) FROM ledger_checkpoints";

#[tokio::test]
async fn a_checkpoint_changes_no_sum() {
    let books = Books::open().await;
    let checkpoints = PgCheckpoints::new(books.shop.test.database.clone());
    assert!(!checkpoints.advance().await.unwrap(), "there is nothing");
    for round in 1..=3 {
        books.buy(&format!("pi_{round}"), 100, 10).await;
        let run = books.completed(30).await;
        books.refund(run, Some(10)).await.unwrap();
        let before = books.sql(PLATFORM).await;
        assert!(checkpoints.advance().await.unwrap());
        assert!(!checkpoints.advance().await.unwrap(), "nothing is new");
        assert_eq!(books.sql(PLATFORM).await, before);
        assert_eq!(books.number(MADE).await, round * 4);
        books.completed(1).await;
        books.assert_sound().await;
    }
    // The newest of each account is what all of its transfers up to there come to.
    let wrong = "SELECT count(*) FROM ledger_checkpoints k WHERE k.balance <> coalesce((\
            SELECT sum(CASE WHEN t.credit_id = k.account_id THEN t.amount ELSE -t.amount END) \
            FROM ledger_transfers t \
            WHERE t.id <= k.up_to AND k.account_id IN (t.credit_id, t.debit_id)), 0)";
    assert_eq!(books.number(wrong).await, 0);
}

#[tokio::test]
async fn checkpoints_and_runs_do_not_miss_each_other() {
    let books = Books::welcoming(100).await;
    let checkpoints = PgCheckpoints::new(books.shop.test.database.clone());
    let runs = join_all((0..40).map(|_| books.completed(1)));
    let rolling = async {
        for _ in 0..10 {
            let twins = tokio::join!(checkpoints.advance(), checkpoints.advance());
            twins.0.unwrap();
            twins.1.unwrap();
        }
    };
    tokio::join!(runs, rolling);
    checkpoints.advance().await.unwrap();
    assert_eq!(books.platform("platform_revenue").await, 40 * 300);
    books.assert_sound().await;
}
