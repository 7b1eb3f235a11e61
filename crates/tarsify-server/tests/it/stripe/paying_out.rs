//! Payouts: whatever is lost, refused or late on the way, each arrives once or is given back.

use serde_json::Value;
use tarsify_emulator::stripe::{Payouts, StripeFault, StripeOperation, TransferStep};

use super::trade::Trade;
use crate::support::{DEAR, until};

const EARNED: i64 = DEAR.1;

impl Trade {
    fn plan_transfers(&self, fault: StripeFault, times: u32) {
        let transfer = StripeOperation::CreateTransfer;
        self.bank.stripe.fail(transfer, fault, times);
    }

    async fn tell_transfer(&self, transfer: &str, step: TransferStep) -> String {
        let message = self.bank.stripe.tell_transfer(transfer, step).unwrap();
        self.tell(&message).await;
        self.outcome(&message)
    }

    /// Waits until the outbox has said why it waits.
    async fn until_deferred(&self, why: &str) {
        let said = format!("SELECT count(*) FROM outbox WHERE last_error LIKE '%{why}%'");
        until(&format!("it is deferred for {why}"), async || {
            self.workshop.store.sql(&said) == "1"
        })
        .await;
    }

    async fn assert_paid(&self, payout: &str) {
        self.until_payout(payout, "PAID").await;
        self.assert_sent_once(payout, EARNED);
        assert_eq!(self.bank.stripe.transfers().len(), 1);
        let account = (
            self.earnings("available").await,
            self.earnings("inPayout").await,
        );
        assert_eq!((account, self.earnings("paidOut").await), ((0, 0), EARNED));
        self.assert_sound();
    }

    async fn assert_given_back(&self, payout: &str) {
        self.until_payout(payout, "FAILED").await;
        assert!(self.payout_shown(payout).await["failureReason"].is_string());
        let account = (
            self.earnings("available").await,
            self.earnings("inPayout").await,
        );
        assert_eq!((account, self.earnings("paidOut").await), ((EARNED, 0), 0));
        self.assert_sound();
    }
}

#[tokio::test]
async fn who_stripe_does_not_know_is_not_paid_and_who_it_knows_is_paid_once() {
    let trade = Trade::welcoming("1000000").await;
    trade.earn().await;
    let refused = trade.server.send(trade.payout(EARNED)).await;
    refused.assert_failed(403, "ERR_4002");
    let account = trade.onboard().await;
    // A second page is for the same account.
    let connected = trade.bank.stripe.accounts();
    assert_eq!(connected.len(), 1);
    assert_eq!(connected[0]["email"], "grace@example.com");
    for (payouts, is_paid) in [(Payouts::Disabled, false), (Payouts::Enabled, true)] {
        let told = trade.bank.stripe.set_payouts(&account, payouts).unwrap();
        trade.tell(&told).await;
        let verified = "SELECT count(*) FROM developers WHERE is_verified";
        assert_eq!(
            trade.workshop.store.sql(verified),
            i32::from(is_paid).to_string()
        );
    }
    let payout = trade.request_payout(EARNED).await;
    trade.assert_paid(&payout).await;
    assert_eq!(trade.bank.transfers_of(&payout)[0]["destination"], account);
}

#[tokio::test]
async fn a_payout_whose_answer_is_lost_is_asked_for_again_and_made_once() {
    let trade = Trade::with_earnings().await;
    trade.plan_transfers(StripeFault::HangAfter, 1);
    let payout = trade.request_payout(EARNED).await;
    until("it is sent", async || {
        !trade.bank.stripe.transfers().is_empty()
    })
    .await;
    assert_eq!(trade.payout_status(&payout).await, "PENDING");
    trade.assert_sound();
    trade.assert_paid(&payout).await;
    assert_eq!(trade.bank.stripe.calls(StripeOperation::CreateTransfer), 2);
}

#[tokio::test]
async fn a_payout_whose_answer_is_lost_is_confirmed_by_the_message_about_it() {
    let trade = Trade::with_earnings().await;
    trade.plan_transfers(StripeFault::HangAfter, 1);
    let payout = trade.request_payout(EARNED).await;
    until("it is sent", async || {
        !trade.bank.stripe.transfers().is_empty()
    })
    .await;
    let transfer = trade.assert_sent_once(&payout, EARNED);
    assert_eq!(
        trade.tell_transfer(&transfer, TransferStep::Created).await,
        "applied"
    );
    trade.assert_paid(&payout).await;
    // Whoever sent it comes back, and finds it done.
    until("it is asked for again", async || {
        trade.bank.stripe.calls(StripeOperation::CreateTransfer) == 2
    })
    .await;
    assert_eq!(
        trade.tell_transfer(&transfer, TransferStep::Created).await,
        "repeated"
    );
    trade.assert_paid(&payout).await;
}

/// A day later Stripe knows its key no more: only by looking it up can the next one know.
#[tokio::test]
async fn a_payout_whose_sender_was_killed_is_found_by_the_next_one_and_not_made_again() {
    let mut trade = Trade::with_earnings().await;
    trade.plan_transfers(StripeFault::HangAfter, 1);
    let payout = trade.request_payout(EARNED).await;
    until("it is sent", async || {
        !trade.bank.stripe.transfers().is_empty()
    })
    .await;
    let next = trade.workshop.serve("all").await;
    let dead = std::mem::replace(&mut trade.server, next);
    dead.process.signal("KILL");
    dead.process.ended().await;
    assert_eq!(trade.payout_status(&payout).await, "PENDING");
    trade.bank.stripe.forget_keys();
    // The dead one's lease lasts a minute, which is over now.
    trade
        .workshop
        .store
        .sql("UPDATE outbox SET lease_until = now() WHERE done_at IS NULL");
    trade.assert_paid(&payout).await;
    assert_eq!(trade.bank.stripe.calls(StripeOperation::CreateTransfer), 1);
    assert_eq!(trade.bank.stripe.calls(StripeOperation::ListTransfers), 1);
}

#[tokio::test]
async fn a_payout_that_was_made_in_spite_of_an_error_is_found() {
    let trade = Trade::with_earnings().await;
    trade.plan_transfers(StripeFault::ErrorAfter, 1);
    let payout = trade.request_payout(EARNED).await;
    trade.assert_paid(&payout).await;
    assert!(trade.bank.stripe.calls(StripeOperation::ListTransfers) > 0);
}

#[tokio::test]
async fn a_payout_that_cannot_be_looked_up_is_not_sent_again() {
    let trade = Trade::with_earnings().await;
    trade.plan_transfers(StripeFault::ErrorAfter, 1);
    let lists = StripeOperation::ListTransfers;
    trade.bank.stripe.fail(lists, StripeFault::Down, 4);
    trade.bank.stripe.fail(lists, StripeFault::TooMany, 1);
    let payout = trade.request_payout(EARNED).await;
    trade.until_deferred("could not be looked up").await;
    // Only the first delivery has asked for it, and has asked once more in vain.
    assert_eq!(trade.bank.stripe.calls(StripeOperation::CreateTransfer), 2);
    assert_eq!(trade.payout_status(&payout).await, "PENDING");
    trade.assert_paid(&payout).await;
    assert_eq!(trade.bank.stripe.calls(StripeOperation::CreateTransfer), 2);
}

#[tokio::test]
async fn what_the_operator_has_to_mend_keeps_a_payout_waiting_and_then_it_leaves() {
    for (fault, why) in [
        (StripeFault::ErrorBefore, "HTTP 500"),
        (StripeFault::BalanceInsufficient, "balance_insufficient"),
    ] {
        let trade = Trade::with_earnings().await;
        trade.plan_transfers(fault, 1);
        let payout = trade.request_payout(EARNED).await;
        trade.until_deferred(why).await;
        assert_eq!(trade.payout_status(&payout).await, "PENDING");
        let reserved = (
            trade.earnings("available").await,
            trade.earnings("inPayout").await,
        );
        assert_eq!(reserved, (0, EARNED));
        let refused = trade.server.send(trade.payout(100)).await;
        refused.assert_failed(402, "ERR_3002");
        assert_eq!(trade.bank.stripe.transfers(), Vec::<Value>::new());
        trade.assert_sound();
        // Stripe keeps what came of a key for a day.
        trade.bank.stripe.forget_keys();
        trade.assert_paid(&payout).await;
    }
}

#[tokio::test]
async fn a_payout_that_stripe_refuses_is_given_back_and_can_be_asked_for_again() {
    let trade = Trade::with_earnings().await;
    trade.plan_transfers(StripeFault::Refused, 1);
    let payout = trade.request_payout(EARNED).await;
    trade.assert_given_back(&payout).await;
    assert_eq!(trade.bank.stripe.transfers(), Vec::<Value>::new());
    let payout = trade.request_payout(EARNED).await;
    trade.assert_paid(&payout).await;
}

#[tokio::test]
async fn a_payout_that_comes_back_late_is_given_back_once() {
    let trade = Trade::with_earnings().await;
    let payout = trade.request_payout(EARNED).await;
    trade.assert_paid(&payout).await;
    let transfer = trade.assert_sent_once(&payout, EARNED);
    assert_eq!(
        trade.tell_transfer(&transfer, TransferStep::Updated).await,
        "irrelevant"
    );
    for outcome in ["applied", "repeated"] {
        assert_eq!(
            trade.tell_transfer(&transfer, TransferStep::Reversed).await,
            outcome
        );
        trade.assert_given_back(&payout).await;
    }
    assert_eq!(
        trade.tell_transfer(&transfer, TransferStep::Created).await,
        "repeated"
    );
    trade.assert_given_back(&payout).await;
    trade.assert_sent_once(&payout, EARNED);

    let again = trade.request_payout(EARNED).await;
    trade.until_payout(&again, "PAID").await;
    trade.assert_sent_once(&again, EARNED);
    assert_eq!(trade.payout_status(&payout).await, "FAILED");
    trade.assert_sound();
}

/// Whoever sent it finds the transfer, and that it came back was told already.
#[tokio::test]
async fn a_payout_that_comes_back_before_its_answer_is_given_back_once() {
    let trade = Trade::with_earnings().await;
    trade.plan_transfers(StripeFault::HangAfter, 1);
    let payout = trade.request_payout(EARNED).await;
    until("it is sent", async || {
        !trade.bank.stripe.transfers().is_empty()
    })
    .await;
    let transfer = trade.assert_sent_once(&payout, EARNED);
    assert_eq!(
        trade.tell_transfer(&transfer, TransferStep::Reversed).await,
        "applied"
    );
    trade.assert_given_back(&payout).await;
    until("it is asked for again", async || {
        trade.bank.stripe.calls(StripeOperation::CreateTransfer) == 2
    })
    .await;
    assert_eq!(
        trade.tell_transfer(&transfer, TransferStep::Created).await,
        "repeated"
    );
    trade.assert_given_back(&payout).await;
    trade.assert_sent_once(&payout, EARNED);
}
