//! Money that goes back to cards: in parts, at once, in any order, and after it was paid out.

use tarsify_emulator::stripe::DisputeStep;

use super::trade::Trade;
use crate::support::DEAR;

impl Trade {
    /// What a lost dispute, or none, made of the platform's account for losses.
    fn lost(&self) -> String {
        let lost = "SELECT -balance / 1000 FROM ledger_platform WHERE kind = 'platform_loss'";
        self.workshop.store.sql(lost)
    }

    async fn dispute(&self, payment: &str, step: DisputeStep) {
        let message = self.bank.stripe.dispute(payment, step).unwrap();
        self.tell(&message).await;
    }
}

#[tokio::test]
async fn refunds_in_parts_take_back_their_sum_in_whatever_order_they_are_told() {
    let trade = Trade::open().await;
    for parts in [[300, 500], [500, 300]] {
        for is_told_in_order in [true, false] {
            let before = trade.available().await;
            let (purchase, payment) = trade.buy(1_000).await;
            let mut messages =
                parts.map(|cents| trade.bank.stripe.refund(&payment, Some(cents)).unwrap());
            if !is_told_in_order {
                messages.reverse();
            }
            for message in &messages {
                trade.tell(message).await;
            }
            assert_eq!(trade.available().await, before + 200, "{parts:?}");
            assert_eq!(trade.status_of(&purchase).await, "PAID");
            let rest = trade.bank.stripe.refund(&payment, None).unwrap();
            for _ in 0..2 {
                trade.tell(&rest).await;
            }
            assert_eq!(trade.available().await, before, "{parts:?}");
            assert_eq!(trade.status_of(&purchase).await, "REFUNDED");
        }
    }
    trade.assert_sound();
}

#[tokio::test]
async fn a_refund_that_is_told_before_its_payment_waits_for_it() {
    let trade = Trade::open().await;
    let (purchase, session) = trade.order(1_000).await;
    let (paid, payment) = trade.pay(&session);
    let refund = trade.bank.stripe.refund(&payment, Some(300)).unwrap();
    trade.tell(&refund).await;
    assert_eq!(trade.outcome(&refund), "remembered");
    assert_eq!(trade.available().await, 0);
    assert_eq!(trade.status_of(&purchase).await, "PENDING");
    trade.tell(&paid).await;
    assert_eq!(trade.available().await, 700);
    assert_eq!(trade.status_of(&purchase).await, "PAID");
    trade.assert_sound();
}

#[tokio::test]
async fn a_dispute_takes_everything_and_gives_it_back_when_it_is_won() {
    let trade = Trade::open().await;
    let (purchase, payment) = trade.buy(1_000).await;
    for step in [DisputeStep::Created, DisputeStep::FundsWithdrawn] {
        trade.dispute(&payment, step).await;
        assert_eq!(trade.available().await, 0, "{step:?}");
        assert_eq!(trade.status_of(&purchase).await, "DISPUTED");
    }
    for step in [DisputeStep::FundsReinstated, DisputeStep::Won] {
        trade.dispute(&payment, step).await;
        assert_eq!(trade.available().await, 1_000, "{step:?}");
        assert_eq!(trade.status_of(&purchase).await, "PAID");
    }
    let (other, payment) = trade.buy(500).await;
    trade.dispute(&payment, DisputeStep::Created).await;
    trade.dispute(&payment, DisputeStep::Lost).await;
    assert_eq!(trade.available().await, 1_000);
    assert_eq!(trade.status_of(&other).await, "DISPUTED");
    assert_eq!(trade.lost(), "0");
    trade.assert_sound();
}

#[tokio::test]
async fn a_dispute_whose_end_is_told_first_ends_so_too() {
    let trade = Trade::open().await;
    let cases = [
        (DisputeStep::Won, 1_000, "PAID"),
        (DisputeStep::Lost, 0, "DISPUTED"),
    ];
    for (end, left, status) in cases {
        for is_paid_last in [false, true] {
            let before = trade.available().await;
            let (purchase, session) = trade.order(1_000).await;
            let (paid, payment) = trade.pay(&session);
            if !is_paid_last {
                trade.tell(&paid).await;
            }
            for step in [end, DisputeStep::FundsWithdrawn, DisputeStep::Created] {
                trade.dispute(&payment, step).await;
            }
            if is_paid_last {
                trade.tell(&paid).await;
            }
            let now = trade.available().await;
            assert_eq!(now, before + left, "{end:?}, {is_paid_last}");
            assert_eq!(trade.status_of(&purchase).await, status, "{end:?}");
        }
    }
    trade.assert_sound();
}

#[tokio::test]
async fn a_mere_question_of_the_bank_takes_nothing() {
    let trade = Trade::open().await;
    let (purchase, payment) = trade.buy(1_000).await;
    let created = trade.bank.stripe.dispute(&payment, DisputeStep::Created);
    let mut question = created.unwrap().event["data"]["object"].clone();
    question["status"] = "warning_needs_response".into();
    let asked = trade
        .bank
        .stripe
        .message("charge.dispute.created", &question);
    trade.tell(&asked).await;
    assert_eq!(trade.outcome(&asked), "irrelevant");
    trade.dispute(&payment, DisputeStep::WarningClosed).await;
    assert_eq!(trade.available().await, 1_000);
    assert_eq!(trade.status_of(&purchase).await, "PAID");
    trade.assert_sound();
}

#[tokio::test]
async fn what_was_spent_before_it_was_refunded_is_the_platforms_loss() {
    let trade = Trade::open().await;
    let (price, earned) = DEAR;
    let (purchase, payment) = trade.buy(price).await;
    trade.earn().await;
    assert_eq!(trade.available().await, 0);
    let refund = trade.bank.stripe.refund(&payment, None).unwrap();
    trade.tell(&refund).await;
    assert_eq!(trade.status_of(&purchase).await, "REFUNDED");
    assert_eq!(
        (trade.available().await, trade.lost()),
        (0, price.to_string())
    );
    assert_eq!(trade.earnings("available").await, earned);
    trade.assert_sound();
}

#[tokio::test]
async fn a_dispute_lost_after_the_payout_is_owed_and_comes_out_of_what_is_earned_next() {
    let trade = Trade::open().await;
    let (price, earned) = DEAR;
    trade.onboard().await;
    let (_, payment) = trade.buy(price).await;
    trade.earn().await;
    let payout = trade.request_payout(earned).await;
    trade.until_payout(&payout, "PAID").await;

    trade.dispute(&payment, DisputeStep::Created).await;
    assert_eq!(
        (trade.available().await, trade.lost()),
        (0, price.to_string())
    );
    assert_eq!(trade.earnings("owed").await, 0);
    for _ in 0..2 {
        trade.dispute(&payment, DisputeStep::Lost).await;
        assert_eq!(trade.earnings("owed").await, earned);
    }
    assert_eq!(trade.lost(), (price - earned).to_string());
    let refused = trade.server.send(trade.payout(100)).await;
    refused.assert_failed(402, "ERR_3002");
    trade.assert_sound();

    trade.buy(price).await;
    trade.earn().await;
    let left = (
        trade.earnings("owed").await,
        trade.earnings("available").await,
    );
    assert_eq!(left, (0, 0));
    trade.buy(price).await;
    trade.earn().await;
    assert_eq!(trade.earnings("available").await, earned);
    assert_eq!(trade.payout_status(&payout).await, "PAID");
    trade.assert_sound();
}

#[tokio::test]
async fn a_dispute_won_after_the_credits_were_spent_gives_the_platform_its_loss_back() {
    let trade = Trade::open().await;
    let (price, earned) = DEAR;
    let (purchase, payment) = trade.buy(price).await;
    trade.earn().await;
    trade.dispute(&payment, DisputeStep::Created).await;
    assert_eq!(trade.lost(), price.to_string());
    trade.dispute(&payment, DisputeStep::Won).await;
    assert_eq!((trade.available().await, trade.lost()), (0, "0".to_owned()));
    assert_eq!(trade.earnings("available").await, earned);
    assert_eq!(trade.status_of(&purchase).await, "PAID");
    trade.assert_sound();
}
