//! Everything is told many times, at once, in any order, and has its effect once.

use std::sync::Arc;

use serde_json::json;
use tarsify_emulator::stripe::{
    DisputeStep, Payouts, StripeFault, StripeMessage, StripeOperation, TransferStep,
};
use tokio::task::JoinSet;

use super::trade::Trade;
use crate::endurance::Dice;
use crate::support::{Ask, DEAR, post, until};

const TIMES: usize = 50;

/// Brings messages all at once, and those that were not taken again, as Stripe does. Answers how
/// many these were.
async fn storm(trade: &Arc<Trade>, messages: impl IntoIterator<Item = StripeMessage>) -> usize {
    let mut telling = JoinSet::new();
    for message in messages {
        let trade = Arc::clone(trade);
        telling.spawn(async move {
            let mut refusals = 0;
            loop {
                let answer = trade.bank.tell(&trade.server, &message).await;
                if answer.status == 200 {
                    return refusals;
                }
                let answer = answer.assert_failed(503, "ERR_1005");
                refusals += 1;
                assert!(refusals < 20, "{answer:#?}");
            }
        });
    }
    telling.join_all().await.into_iter().sum()
}

async fn storm_of(trade: &Arc<Trade>, messages: &[StripeMessage]) {
    let copies = messages
        .iter()
        .cycle()
        .take(messages.len() * TIMES)
        .cloned();
    let refused = storm(trade, copies).await;
    assert_eq!(refused, 0, "of {TIMES} deliveries at once");
    for message in messages {
        let id = message.id();
        let count = format!("SELECT count(*) FROM payment_events WHERE id = '{id}'");
        assert_eq!(trade.workshop.store.sql(&count), "1");
    }
}

#[tokio::test]
async fn whatever_is_told_of_a_payment_fifty_times_at_once_has_its_effect_once() {
    let trade = Arc::new(Trade::open().await);
    let stripe = &trade.bank.stripe;
    let (purchase, session) = trade.order(1_000).await;
    let (paid, payment) = trade.pay(&session);
    storm_of(&trade, &[paid]).await;
    assert_eq!(trade.available().await, 1_000);
    storm_of(&trade, &[stripe.refund(&payment, Some(300)).unwrap()]).await;
    assert_eq!(trade.available().await, 700);
    let steps = [DisputeStep::Created, DisputeStep::FundsWithdrawn];
    storm_of(
        &trade,
        &steps.map(|step| stripe.dispute(&payment, step).unwrap()),
    )
    .await;
    assert_eq!(trade.available().await, 0);
    let steps = [DisputeStep::FundsReinstated, DisputeStep::Won];
    storm_of(
        &trade,
        &steps.map(|step| stripe.dispute(&payment, step).unwrap()),
    )
    .await;
    assert_eq!(trade.available().await, 700);
    assert_eq!(trade.status_of(&purchase).await, "PAID");
    trade.assert_sound();
}

#[tokio::test]
async fn whatever_is_told_of_an_account_or_a_payout_fifty_times_at_once_has_its_effect_once() {
    let trade = Arc::new(Trade::open().await);
    let (price, earned) = DEAR;
    let stripe = &trade.bank.stripe;
    let account = trade.onboard().await;
    let (_, payment) = trade.buy(price).await;
    trade.earn().await;
    storm_of(
        &trade,
        &[stripe.set_payouts(&account, Payouts::Disabled).unwrap()],
    )
    .await;
    let refused = trade.server.send(trade.payout(earned)).await;
    refused.assert_failed(403, "ERR_4002");
    storm_of(
        &trade,
        &[stripe.set_payouts(&account, Payouts::Enabled).unwrap()],
    )
    .await;

    // While the one who sends it still waits for an answer.
    stripe.fail(StripeOperation::CreateTransfer, StripeFault::HangAfter, 1);
    let payout = trade.request_payout(earned).await;
    until("it is sent", async || stripe.transfers().len() == 1).await;
    let transfer = trade.assert_sent_once(&payout, earned);
    storm_of(
        &trade,
        &[stripe
            .tell_transfer(&transfer, TransferStep::Created)
            .unwrap()],
    )
    .await;
    assert_eq!(trade.payout_status(&payout).await, "PAID");
    assert_eq!(trade.earnings("paidOut").await, earned);
    storm_of(
        &trade,
        &[stripe
            .tell_transfer(&transfer, TransferStep::Reversed)
            .unwrap()],
    )
    .await;
    assert_eq!(trade.payout_status(&payout).await, "FAILED");
    assert_eq!(trade.earnings("available").await, earned);

    storm_of(
        &trade,
        &[
            stripe.dispute(&payment, DisputeStep::Created).unwrap(),
            stripe.dispute(&payment, DisputeStep::Lost).unwrap(),
        ],
    )
    .await;
    let left = (
        trade.earnings("available").await,
        trade.earnings("owed").await,
    );
    assert_eq!(left, (0, 0));
    trade.assert_sent_once(&payout, earned);
    trade.assert_sound();
}

#[tokio::test]
async fn a_storm_of_everything_in_no_order_ends_as_if_all_had_been_told_in_order() {
    let trade = Arc::new(Trade::open().await);
    let stripe = &trade.bank.stripe;
    let mut messages = Vec::new();
    let mut expected = Vec::new();
    for nth in 0..12 {
        let (purchase, session) = trade.order(1_000).await;
        let (paid, payment) = trade.pay(&session);
        let open = &trade.bank.sessions_of(&purchase)[0];
        messages.push(stripe.message("checkout.session.expired", open));
        messages.push(paid);
        messages.push(stripe.refund(&payment, Some(300)).unwrap());
        messages.push(stripe.refund(&payment, Some(200)).unwrap());
        let end = [DisputeStep::Won, DisputeStep::Lost][nth % 2];
        for step in [DisputeStep::Created, DisputeStep::FundsWithdrawn, end] {
            messages.push(stripe.dispute(&payment, step).unwrap());
        }
        expected.push((purchase, ["PAID", "DISPUTED"][nth % 2]));
    }
    let mut all: Vec<_> = messages
        .iter()
        .cycle()
        .take(messages.len() * 4)
        .cloned()
        .collect();
    let mut dice = Dice::new();
    for place in (1..all.len()).rev() {
        let other = dice.throw(u64::try_from(place).unwrap() + 1);
        all.swap(place, usize::try_from(other).unwrap());
    }
    storm(&trade, all).await;
    for (purchase, status) in expected {
        assert_eq!(trade.status_of(&purchase).await, status);
    }
    // Of each that was won the half that was not refunded.
    assert_eq!(trade.available().await, 6 * 500);
    trade.assert_sound();
}

/// As if the process had died before the answer was kept, and a minute had passed since.
async fn ask_again_and_again(trade: &Trade, ask: Ask) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let ask = ask.clone().header("idempotency-key", "one-click");
        statuses.push(trade.server.send(ask).await.status);
        trade.workshop.store.sql(
            "UPDATE idempotency_keys SET answer = NULL, locked_until = now() WHERE answer IS NOT NULL",
        );
    }
    statuses
}

#[tokio::test]
async fn what_was_asked_for_of_a_process_that_died_is_done_once() {
    let trade = Trade::with_earnings().await;
    let reserved = ask_again_and_again(&trade, trade.payout(1_000)).await;
    assert_eq!(reserved, [201; 3]);
    let payouts = trade.workshop.store.sql("SELECT count(*) FROM payouts");
    assert_eq!(payouts, "1");

    let before = trade.available().await;
    let consumer = trade.workshop.store.sql("SELECT id FROM consumers");
    let run = trade.workshop.store.sql("SELECT id FROM executions");
    let gift = format!("/api/admin/consumers/{consumer}/credits");
    let refund = format!("/api/admin/executions/{run}/refund");
    for (path, body) in [
        (gift, json!({"amount": 500, "reason": "A gift."})),
        (refund, json!({"amount": 40, "reason": "A bad picture."})),
    ] {
        let ask = post(path).by(&trade.workshop.admin).json(body);
        let given = ask_again_and_again(&trade, ask).await;
        assert!(given.iter().all(|status| *status == given[0]), "{given:?}");
        assert!(given[0] < 300, "{given:?}");
    }
    assert_eq!(trade.available().await, before + 540);
    trade.assert_sound();
}
