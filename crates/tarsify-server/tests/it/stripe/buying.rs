//! Buying at Stripe: a page is opened, and only what Stripe says afterwards grants anything.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tarsify_emulator::stripe::{SessionEnd, StripeFault, StripeOperation};

use super::trade::Trade;
use crate::support::{Ask, get, post};

impl Trade {
    fn ordering(&self, key: &str) -> Ask {
        post("/api/marketplace/credits/purchase")
            .by(&self.workshop.consumer)
            .header("idempotency-key", key)
            .json(json!({"amountCents": 1_000}))
    }

    fn plan_checkouts(&self, fault: StripeFault, times: u32) {
        let checkout = StripeOperation::CreateCheckout;
        self.bank.stripe.fail(checkout, fault, times);
    }

    /// How many purchases are so.
    fn purchases(&self, status: &str) -> String {
        let count = format!("SELECT count(*) FROM purchases WHERE status = '{status}'");
        self.workshop.store.sql(&count)
    }
}

#[tokio::test]
async fn what_is_paid_on_the_page_is_granted_when_stripe_says_so() {
    let trade = Trade::open().await;
    let bought = trade.server.send(trade.ordering("click")).await;
    let bought = bought.assert_ok(201);
    let page = bought.data()["checkoutUrl"].as_str().unwrap();
    assert!(page.starts_with(trade.bank.stripe.base_url()), "{page}");
    let session = &trade.bank.sessions_of(&bought.id())[0];
    assert_eq!(session["url"], page);
    assert_eq!(
        (&session["amount_total"], &session["currency"]),
        (&json!(1_000), &json!("usd"))
    );
    assert_eq!(session["client_reference_id"], bought.data()["id"]);
    assert_eq!(session["customer_email"], "ann@example.com");
    assert_eq!(trade.available().await, 0);

    let end = format!("sessions/{}/end", session["id"].as_str().unwrap());
    let told = trade.bank.act(&end, json!({"end": "unpaid"})).await;
    assert_eq!(
        (&told["delivered"], trade.available().await),
        (&json!(200), 0)
    );
    let told = trade.bank.act(&end, json!({"end": "succeeded"})).await;
    assert_eq!(
        (&told["delivered"], trade.available().await),
        (&json!(200), 1_000)
    );
    let told = trade.bank.act(&end, json!({"end": "paid"})).await;
    assert_eq!(
        (&told["delivered"], trade.available().await),
        (&json!(200), 1_000)
    );
    assert_eq!(trade.status_of(&bought.id()).await, "PAID");
    let list = get("/api/marketplace/credits/transactions").by(&trade.workshop.consumer);
    let list = trade.server.send(list).await.assert_ok(200);
    let lines = list.data().as_array().unwrap();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert_eq!(
        (&lines[0]["type"], &lines[0]["amount"]),
        (&json!("PURCHASE"), &json!(1_000))
    );
    trade.assert_sound();
}

#[tokio::test]
async fn a_page_that_nobody_pays_on_grants_nothing() {
    let trade = Trade::open().await;
    for (end, status) in [
        (SessionEnd::Failed, "FAILED"),
        (SessionEnd::Expired, "EXPIRED"),
    ] {
        let (purchase, session) = trade.order(1_000).await;
        let ended = trade.bank.stripe.end_session(&session, end).unwrap();
        trade.tell(&ended).await;
        assert_eq!(trade.status_of(&purchase).await, status);
    }
    assert_eq!(trade.available().await, 0);
    trade.assert_sound();
}

#[tokio::test]
async fn whoever_was_told_that_it_expired_or_failed_is_granted_what_he_pays_all_the_same() {
    let trade = Trade::open().await;
    let mut had = 0;
    for kind in ["expired", "async_payment_failed"] {
        for is_paid_first in [false, true] {
            let (purchase, session) = trade.order(1_000).await;
            let open = &trade.bank.sessions_of(&purchase)[0];
            let kind = format!("checkout.session.{kind}");
            let void = trade.bank.stripe.message(&kind, open);
            let (paid, _) = trade.pay(&session);
            let order = if is_paid_first {
                [&paid, &void]
            } else {
                [&void, &paid]
            };
            for message in order {
                trade.tell(message).await;
            }
            had += 1_000;
            assert_eq!(trade.available().await, had, "{kind}, {is_paid_first}");
            assert_eq!(trade.status_of(&purchase).await, "PAID");
        }
    }
    trade.assert_sound();
}

#[tokio::test]
async fn a_purchase_that_stripe_refuses_or_cannot_take_is_told_and_can_be_repeated() {
    let trade = Trade::open().await;
    trade.plan_checkouts(StripeFault::Refused, 1);
    let refused = trade.server.send(trade.ordering("click")).await;
    refused.assert_failed(402, "ERR_7000");
    // It asks three times before it gives up.
    trade.plan_checkouts(StripeFault::Down, 3);
    let away = trade.server.send(trade.ordering("click")).await;
    away.assert_failed(503, "ERR_1005");
    assert_eq!(trade.bank.stripe.sessions(), Vec::<Value>::new());
    assert_eq!(trade.purchases("FAILED"), "2");
    // Whoever asks too often does not ask again at once.
    trade.plan_checkouts(StripeFault::TooMany, 1);
    let busy = trade.server.send(trade.ordering("click")).await;
    busy.assert_failed(503, "ERR_1005");
    assert_eq!(trade.purchases("FAILED"), "3");
    // Two failures are nothing that anybody notices.
    trade.plan_checkouts(StripeFault::Down, 2);
    let bought = trade
        .server
        .send(trade.ordering("click"))
        .await
        .assert_ok(201);
    let again = trade
        .server
        .send(trade.ordering("click"))
        .await
        .assert_ok(201);
    assert_eq!(again.id(), bought.id());
    assert_eq!(trade.bank.stripe.sessions().len(), 1);
    assert_eq!(trade.available().await, 0);
    trade.assert_sound();
}

#[tokio::test]
async fn a_page_whose_answer_was_lost_is_found_by_asking_again() {
    let trade = Trade::open().await;
    trade.plan_checkouts(StripeFault::HangAfter, 1);
    let began = Instant::now();
    let bought = trade
        .server
        .send(trade.ordering("click"))
        .await
        .assert_ok(201);
    assert!(began.elapsed() > Duration::from_secs(10));
    let again = trade
        .server
        .send(trade.ordering("click"))
        .await
        .assert_ok(201);
    assert_eq!(again.id(), bought.id());
    let sessions = trade.bank.sessions_of(&bought.id());
    assert_eq!((sessions.len(), trade.bank.stripe.sessions().len()), (1, 1));
    assert_eq!(sessions[0]["url"], bought.data()["checkoutUrl"]);
    trade.assert_sound();
}

/// There are two sessions then, and that is harmless: nobody was shown the first one, each belongs
/// to a purchase of its own, and whoever pays one gets what he paid for.
#[tokio::test]
async fn a_page_that_was_lost_for_good_is_replaced_by_another_one() {
    let trade = Trade::open().await;
    trade.plan_checkouts(StripeFault::ErrorAfter, 1);
    let away = trade.server.send(trade.ordering("click")).await;
    away.assert_failed(503, "ERR_1005");
    let bought = trade
        .server
        .send(trade.ordering("click"))
        .await
        .assert_ok(201);
    let sessions = trade.bank.stripe.sessions();
    assert_eq!(sessions.len(), 2, "{sessions:#?}");
    assert_eq!(sessions[1]["url"], bought.data()["checkoutUrl"]);
    let purchase = |session: &Value| session["client_reference_id"].as_str().unwrap().to_owned();
    let purchases: Vec<_> = sessions.iter().map(purchase).collect();
    assert_ne!(purchases[0], purchases[1]);
    assert_eq!(trade.status_of(&purchases[0]).await, "FAILED");
    for (nth, session) in sessions.iter().enumerate().rev() {
        let (paid, _) = trade.pay(session["id"].as_str().unwrap());
        trade.tell(&paid).await;
        assert_eq!(trade.status_of(&purchases[nth]).await, "PAID");
    }
    assert_eq!(trade.available().await, 2_000);
    trade.assert_sound();
}

#[tokio::test]
async fn what_is_about_nothing_of_ours_is_taken_and_grants_nothing() {
    let trade = Trade::open().await;
    let (_, session) = trade.order(1_000).await;
    let (paid, _) = trade.pay(&session);
    let mut foreign = paid.event["data"]["object"].clone();
    foreign["metadata"] = json!({"purchase_id": "019d0000-0000-7000-8000-00000000abcd"});
    let mut nobodys = foreign.clone();
    (nobodys["metadata"], nobodys["client_reference_id"]) = (json!({}), Value::Null);
    let transfer = json!({
        "id": "tr_1", "reversed": true,
        "metadata": {"payout_id": "019d0000-0000-7000-8000-00000000abcd"},
    });
    let charge = json!({"id": "ch_1", "payment_intent": "pi_foreign", "amount_refunded": 5});
    let account = json!({"id": "acct_foreign", "payouts_enabled": true});
    let cases = [
        ("customer.created", json!({"id": "cus_1"}), "irrelevant"),
        ("checkout.session.completed", nobodys, "irrelevant"),
        ("checkout.session.completed", foreign.clone(), "unknown"),
        ("checkout.session.expired", foreign, "unknown"),
        ("charge.refunded", charge, "remembered"),
        ("account.updated", account, "unknown"),
        ("transfer.created", transfer.clone(), "unknown"),
        ("transfer.reversed", transfer, "unknown"),
    ];
    let transfers = || {
        trade
            .workshop
            .store
            .sql("SELECT count(*) FROM ledger_transfers")
    };
    let before = transfers();
    for (kind, object, outcome) in cases {
        let message = trade.bank.stripe.message(kind, &object);
        trade.tell(&message).await;
        assert_eq!(trade.outcome(&message), outcome, "{kind}");
    }
    assert_eq!((transfers(), trade.available().await), (before, 0));
    trade.assert_sound();
}

#[tokio::test]
async fn too_little_another_currency_or_a_second_payment_grants_nothing() {
    let trade = Trade::open().await;
    let (purchase, session) = trade.order(1_000).await;
    let (paid, _) = trade.pay(&session);
    let good = paid.event["data"]["object"].clone();
    for (field, value) in [("amount_total", json!(999)), ("currency", json!("jpy"))] {
        let mut bad = good.clone();
        bad[field] = value;
        let message = trade
            .bank
            .stripe
            .message("checkout.session.completed", &bad);
        trade.tell(&message).await;
        assert_eq!(trade.outcome(&message), "underpaid", "{field}");
        assert_eq!(trade.status_of(&purchase).await, "PENDING");
    }
    assert_eq!(trade.available().await, 0);
    trade.tell(&paid).await;
    let mut second = good.clone();
    second["payment_intent"] = json!("pi_of_another_card");
    let message = trade
        .bank
        .stripe
        .message("checkout.session.completed", &second);
    trade.tell(&message).await;
    assert_eq!(trade.outcome(&message), "paid_twice");
    assert_eq!(trade.available().await, 1_000);
    trade.assert_sound();
}
