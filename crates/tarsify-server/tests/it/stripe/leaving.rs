//! A process that stops while a payout is on its way: what was begun is noted, nothing more is begun,
//! and nobody has to wait for it.

use std::time::{Duration, Instant};

use tarsify_emulator::stripe::{StripeFault, StripeOperation};

use super::trade::Trade;
use crate::support::{DEAR, Server, until};

const EARNED: i64 = DEAR.1;

/// A market with a worker of its own, and a payout that Stripe takes its time for.
async fn with_payout_under_way(fault: StripeFault) -> (Trade, Server, String) {
    let mut trade = Trade::with_earnings().await;
    let api = trade.workshop.serve("api").await;
    let all = std::mem::replace(&mut trade.server, api);
    all.stop("INT").await.assert_code(0);
    let worker = trade.workshop.serve("worker").await;
    let transfer = StripeOperation::CreateTransfer;
    trade.bank.stripe.fail(transfer, fault, 1);
    let payout = trade.request_payout(EARNED - 1_000).await;
    until("it is asked for", async || {
        trade.bank.stripe.calls(transfer) == 1
    })
    .await;
    (trade, worker, payout)
}

#[tokio::test]
async fn a_payout_under_way_is_noted_before_its_process_ends_and_no_other_is_begun() {
    let (trade, worker, payout) = with_payout_under_way(StripeFault::Late).await;
    let next = trade.request_payout(1_000).await;
    let asked = Instant::now();
    let said = worker.stop("TERM").await.assert_code(0);
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(25), "it took {took:?}");
    assert!(!said.err.contains(" left"), "{said:#?}");
    assert_eq!(trade.payout_status(&payout).await, "PAID");
    trade.assert_sent_once(&payout, EARNED - 1_000);
    // He was due as soon as the other one had ended.
    assert_eq!(trade.payout_status(&next).await, "PENDING");
    assert_eq!(trade.bank.stripe.calls(StripeOperation::CreateTransfer), 1);
    trade.assert_sound();
    let worker = trade.workshop.serve("worker").await;
    trade.until_payout(&next, "PAID").await;
    trade.assert_sent_once(&next, 1_000);
    worker.stop("TERM").await.assert_code(0);
    trade.assert_sound();
}

#[tokio::test]
async fn who_is_asked_twice_does_not_wait_for_a_payout_either() {
    let (trade, worker, payout) = with_payout_under_way(StripeFault::HangAfter).await;
    worker.process.signal("TERM");
    // Nobody is served any more, and nothing is left but what goes on beside.
    until("the port is closed", async || {
        tokio::net::TcpStream::connect(worker.address)
            .await
            .is_err()
    })
    .await;
    let asked = Instant::now();
    let said = worker.stop("TERM").await.assert_code(130);
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(2), "it took {took:?}");
    said.assert_complains(&["second time"]);
    assert_eq!(trade.payout_status(&payout).await, "PENDING");
    trade.assert_sound();
}
