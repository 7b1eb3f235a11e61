//! What is told about one purchase, in every order, comes to the same.

use tarsify_domain::payments::{PaymentEvent, PurchaseStatus, Verdict};

use crate::bank::{Bank, Bought};

/// Every order of so many things.
fn orders(many: usize) -> Vec<Vec<usize>> {
    if many == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(many - 1) {
        for place in 0..many {
            let mut order = shorter.clone();
            order.insert(place, many - 1);
            all.push(order);
        }
    }
    all
}

/// What a purchase of 1,000 cents with 50 credits on top comes to: the consumer's millicredits,
/// what the platform lost by it, and its status.
type End = (i64, i64, PurchaseStatus);

/// Tells all of it in every order, each time to another consumer, and checks the end.
async fn all_orders_end(told: impl Fn(&Bought) -> Vec<PaymentEvent>, expected: End) {
    let bank = Bank::open().await;
    let (mut lost_before, mut count) = (0, 0);
    let sample = bank.buy(bank.consumer().await, 1_000, 50).await;
    for order in orders(told(&sample).len()) {
        let me = bank.consumer().await;
        let bought = bank.buy(me, 1_000, 50).await;
        let events = told(&bought);
        for place in &order {
            bank.tell(events[*place].clone()).await;
        }
        bank.assert_sound().await;
        let lost = -bank.platform("platform_loss").await - lost_before;
        lost_before += lost;
        let end = (bank.available(me).await, lost, bank.status(&bought).await);
        assert_eq!(end, expected, "{order:?} of {events:?}");
        count += 1;
    }
    assert!(count >= 2);
}

#[tokio::test]
async fn orders_are_all_there() {
    let mut all = orders(4);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 24);
}

#[tokio::test]
async fn refunds_that_grow() {
    let told = |b: &Bought| {
        vec![
            b.paid(),
            b.refunded(300),
            b.refunded(500),
            b.refunded(1_000),
        ]
    };
    all_orders_end(told, (0, 0, PurchaseStatus::Refunded)).await;
}

#[tokio::test]
async fn a_refund_in_parts_takes_the_bonus_in_proportion() {
    let told = |b: &Bought| vec![b.paid(), b.refunded(333), b.refunded(500), b.refunded(777)];
    // 223 of 1,000 cents stay: of 1,000 credits and of 50.
    let end = (223_000 + 11_150, 0, PurchaseStatus::Paid);
    all_orders_end(told, end).await;
}

#[tokio::test]
async fn a_refund_and_a_dispute_of_the_rest_that_is_won() {
    let told = |b: &Bought| {
        let won = b.closed("a", 700, Verdict::Won);
        vec![b.paid(), b.refunded(300), b.disputed("a", 700), won]
    };
    all_orders_end(told, (735_000, 0, PurchaseStatus::Paid)).await;
}

#[tokio::test]
async fn a_refund_and_a_dispute_of_the_rest_that_is_lost() {
    let told = |b: &Bought| {
        let lost = b.closed("a", 700, Verdict::Lost);
        vec![b.paid(), b.refunded(300), b.disputed("a", 700), lost]
    };
    all_orders_end(told, (0, 0, PurchaseStatus::Disputed)).await;
}

#[tokio::test]
async fn a_refund_and_a_dispute_of_everything_that_is_won() {
    let told = |b: &Bought| {
        let won = b.closed("a", 1_000, Verdict::Won);
        vec![b.paid(), b.refunded(300), b.disputed("a", 1_000), won]
    };
    all_orders_end(told, (735_000, 0, PurchaseStatus::Paid)).await;
}

/// An inquiry that is answered by a refund is closed in our favour, and the money is gone.
#[tokio::test]
async fn a_refund_of_everything_and_a_dispute_that_is_won() {
    let told = |b: &Bought| {
        let won = b.closed("a", 1_000, Verdict::Won);
        vec![b.paid(), b.refunded(1_000), b.disputed("a", 1_000), won]
    };
    all_orders_end(told, (0, 0, PurchaseStatus::Refunded)).await;
}

#[tokio::test]
async fn two_disputes_of_which_one_is_won() {
    let told = |b: &Bought| {
        let won = b.closed("a", 1_000, Verdict::Won);
        vec![b.paid(), b.disputed("a", 1_000), b.disputed("b", 600), won]
    };
    all_orders_end(told, (420_000, 0, PurchaseStatus::Disputed)).await;
}

#[tokio::test]
async fn two_disputes_that_are_both_won() {
    let told = |b: &Bought| {
        let (a, b_) = (
            b.closed("a", 1_000, Verdict::Won),
            b.closed("b", 600, Verdict::Won),
        );
        vec![
            b.paid(),
            b.disputed("a", 1_000),
            b.disputed("b", 600),
            a,
            b_,
        ]
    };
    all_orders_end(told, (1_050_000, 0, PurchaseStatus::Paid)).await;
}
