//! What goes back to a card when the credits are spent, and who has to give it.

use futures_util::future::join_all;
use tarsify_domain::payments::{EventOutcome, PurchaseRepository, PurchaseStatus, Verdict};

use crate::bank::{Bank, EndedRun, message};

#[tokio::test]
async fn a_reversal_is_remembered_until_its_payment_is_told() {
    let bank = Bank::open().await;
    let me = bank.consumer().await;
    let bought = bank.buy(me, 1_000, 50).await;
    assert_eq!(
        bank.tell(bought.refunded(400)).await,
        EventOutcome::Remembered
    );
    assert_eq!(
        bank.tell(bought.refunded(400)).await,
        EventOutcome::Repeated
    );
    assert_eq!(bank.status(&bought).await, PurchaseStatus::Pending);
    assert_eq!(bank.tell(bought.paid()).await, EventOutcome::Applied);
    assert_eq!(bank.available(me).await, 630_000);
    assert_eq!(bank.status(&bought).await, PurchaseStatus::Paid);
    bank.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_payment_and_its_reversal_at_the_same_moment() {
    let bank = Bank::open().await;
    for _ in 0..20 {
        let me = bank.consumer().await;
        let bought = bank.buy(me, 1_000, 0).await;
        let told = [
            bought.paid(),
            bought.refunded(400),
            bought.disputed("a", 600),
        ];
        let told = told.into_iter().map(|event| {
            let purchases = bank.purchases.clone();
            async move { purchases.apply(&message(event)).await.unwrap() }
        });
        let outcomes = join_all(told).await;
        assert_eq!(outcomes[0], EventOutcome::Applied);
        assert_eq!(bank.available(me).await, 0, "{outcomes:?}");
        assert_eq!(bank.status(&bought).await, PurchaseStatus::Disputed);
    }
    bank.assert_sound().await;
}

#[tokio::test]
async fn what_the_consumer_has_spent_is_the_platforms_loss() {
    let bank = Bank::open().await;
    let (me, model) = (bank.consumer().await, bank.model().await);
    let bought = bank.bought(me, 1_000).await;
    bank.run(EndedRun::of(me, &model, 800)).await;
    assert_eq!(
        bank.tell(bought.refunded(1_000)).await,
        EventOutcome::Applied
    );
    assert_eq!(bank.available(me).await, 0);
    assert_eq!(bank.platform("platform_loss").await, -800_000);
    // A refund was ours to give: the developer keeps what he earned.
    assert_eq!(bank.purchases.claw_back(10).await.unwrap(), 0);
    assert_eq!(bank.purse(model.developer_id).await, [560_000, 0, 0, 0]);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_dispute_that_is_won_gives_everything_back() {
    let bank = Bank::open().await;
    let (me, model) = (bank.consumer().await, bank.model().await);
    let bought = bank.buy(me, 1_000, 50).await;
    bank.tell(bought.paid()).await;
    bank.run(EndedRun::of(me, &model, 300)).await;
    assert_eq!(
        bank.tell(bought.disputed("a", 1_000)).await,
        EventOutcome::Applied
    );
    assert_eq!(bank.available(me).await, 0);
    assert_eq!(bank.platform("platform_loss").await, -250_000);
    assert_eq!(bank.status(&bought).await, PurchaseStatus::Disputed);
    let won = bought.closed("a", 1_000, Verdict::Won);
    assert_eq!(bank.tell(won).await, EventOutcome::Applied);
    assert_eq!(bank.available(me).await, 750_000);
    assert_eq!(bank.platform("platform_loss").await, 0);
    assert_eq!(bank.status(&bought).await, PurchaseStatus::Paid);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_lost_dispute_is_looked_for_at_the_developers_last_run_first() {
    let bank = Bank::open().await;
    let (me, first, last) = (
        bank.consumer().await,
        bank.model().await,
        bank.model().await,
    );
    let bought = bank.bought(me, 1_000).await;
    bank.run(EndedRun::of(me, &first, 400)).await;
    bank.run(EndedRun::of(me, &last, 500)).await;
    bank.tell(bought.disputed("a", 1_000)).await;
    assert_eq!(
        bank.purchases.claw_back(10).await.unwrap(),
        0,
        "it has not ended yet"
    );
    bank.tell(bought.closed("a", 1_000, Verdict::Lost)).await;
    assert_eq!(bank.purchases.claw_back(10).await.unwrap(), 1);
    assert_eq!(bank.purchases.claw_back(10).await.unwrap(), 0);
    // Of 900 that were spent all was lost: both gave back what they earned.
    assert_eq!(bank.purse(first.developer_id).await, [0, 0, 0, 0]);
    assert_eq!(bank.purse(last.developer_id).await, [0, 0, 0, 0]);
    assert_eq!(bank.platform("platform_loss").await, -900_000 + 630_000);
    // What is left of a run is nothing then.
    let clawed = "SELECT string_agg(format('%s %s', clawed, taken_back), ', ' ORDER BY clawed) \
        FROM holds";
    assert_eq!(bank.sql(clawed).await, ["400000 280000, 500000 350000"]);
    bank.assert_sound().await;
}

#[tokio::test]
async fn only_as_much_is_clawed_back_as_was_lost() {
    let bank = Bank::open().await;
    let (me, first, last) = (
        bank.consumer().await,
        bank.model().await,
        bank.model().await,
    );
    let bought = bank.bought(me, 1_000).await;
    bank.give(me, 500).await;
    bank.run(EndedRun::of(me, &first, 600)).await;
    bank.run(EndedRun::of(me, &last, 300)).await;
    // 600 of 1,000 are still there, so 400 are lost: 300 of the last run, 100 of the one before.
    bank.tell(bought.disputed("a", 1_000)).await;
    bank.tell(bought.closed("a", 1_000, Verdict::Lost)).await;
    assert_eq!(bank.purchases.claw_back(10).await.unwrap(), 1);
    assert_eq!(bank.purse(last.developer_id).await, [0, 0, 0, 0]);
    assert_eq!(bank.purse(first.developer_id).await, [350_000, 0, 0, 0]);
    bank.assert_sound().await;
}

#[tokio::test]
async fn who_was_paid_meanwhile_owes_and_later_earnings_are_taken_for_it() {
    let bank = Bank::open().await;
    let (me, model) = (bank.consumer().await, bank.model().await);
    bank.verify(model.developer_id).await;
    let bought = bank.bought(me, 10_000).await;
    let run = bank.run(EndedRun::of(me, &model, 10_000)).await;
    bank.age(run, 8).await;
    bank.sql("UPDATE purchases SET paid_at = paid_at - interval '9 days'")
        .await;
    assert_eq!(bank.mature(7).await, 1);
    let payout = bank.request(model.developer_id, 6_000).await.unwrap();
    bank.pay(payout.id, "tr_1").await;
    assert_eq!(bank.purse(model.developer_id).await, [0, 1_000_000, 0, 0]);
    bank.tell(bought.disputed("a", 10_000)).await;
    bank.tell(bought.closed("a", 10_000, Verdict::Lost)).await;
    assert_eq!(bank.purchases.claw_back(10).await.unwrap(), 1);
    assert_eq!(bank.purse(model.developer_id).await, [0, 0, 0, 6_000_000]);
    bank.assert_sound().await;
    // He earns 4,900 and then 4,900 again: 6,000 of it are taken for what he owes.
    bank.give(me, 14_000).await;
    for owed in [[0, 0, 0, 1_100_000], [0, 3_800_000, 0, 0]] {
        let run = EndedRun {
            days_ago: 8,
            ..EndedRun::of(me, &model, 7_000)
        };
        bank.run(run).await;
        assert_eq!(bank.mature(7).await, 1);
        assert_eq!(bank.purse(model.developer_id).await, owed);
        bank.assert_sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_that_claws_back_does_it_once() {
    let bank = Bank::open().await;
    let model = bank.model().await;
    for _ in 0..5 {
        let me = bank.consumer().await;
        let bought = bank.bought(me, 1_000).await;
        bank.run(EndedRun::of(me, &model, 1_000)).await;
        bank.tell(bought.disputed("a", 1_000)).await;
        bank.tell(bought.closed("a", 1_000, Verdict::Lost)).await;
    }
    assert_eq!(bank.purchases.claw_back(2).await.unwrap(), 2);
    let crowd = (0..8).map(|_| bank.purchases.claw_back(10));
    let found: u64 = join_all(crowd).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(found, 3);
    assert_eq!(bank.purse(model.developer_id).await, [0, 0, 0, 0]);
    bank.assert_sound().await;
}
