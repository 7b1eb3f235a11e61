//! Only what Stripe has signed, lately and with a secret that is known, changes anything.

use tarsify_emulator::stripe::sign;

use super::trade::Trade;
use crate::support::{Bank, unix_now};

#[tokio::test]
async fn what_is_not_signed_by_stripe_just_now_changes_nothing() {
    let trade = Trade::open().await;
    let (purchase, session) = trade.order(1_000).await;
    let (paid, _) = trade.pay(&session);
    let (body, now) = (paid.body.clone(), unix_now());
    let good = sign(Bank::SECRET, &body, now);
    let tag = good.split_once("v1=").unwrap().1.to_owned();
    let bad = "0".repeat(64);
    let cases = [
        ("none", None),
        ("empty", Some(String::new())),
        ("old", Some(sign(Bank::SECRET, &body, now - 360))),
        ("of the future", Some(sign(Bank::SECRET, &body, now + 360))),
        ("a stranger's", Some(sign("whsec_wrong", &body, now))),
        ("another scheme", Some(format!("t={now},v0={tag}"))),
        ("of another time", Some(format!("t={},v1={tag}", now - 1))),
        ("two times", Some(format!("t={now},t={now},v1={tag}"))),
        (
            "two that are wrong",
            Some(format!("t={now},v1={bad},v1={bad}")),
        ),
    ];
    let before = trade.marks();
    for (what, signature) in cases {
        let answer = trade
            .bank
            .bring(&trade.server, body.clone(), signature.as_deref());
        let answer = answer.await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, Some("ERR_1001")),
            "{what}"
        );
        assert_eq!(trade.marks(), before, "{what}");
    }
    let text = String::from_utf8(body.clone()).unwrap();
    let forged = text.replace(r#""amount_total":1000"#, r#""amount_total":9000"#);
    assert_ne!(forged, text);
    for changed in [forged, format!("{text} "), text.replacen("evt_", "evt-", 1)] {
        let answer = trade
            .bank
            .bring(&trade.server, changed.into_bytes(), Some(&good));
        answer.await.assert_failed(400, "ERR_1001");
        assert_eq!(trade.marks(), before);
    }
    let large = format!(r#"{{"id":"evt_1","padding":"{}"}}"#, "x".repeat(600_000)).into_bytes();
    let signature = sign(Bank::SECRET, &large, unix_now());
    let answer = trade
        .bank
        .bring(&trade.server, large, Some(&signature))
        .await;
    answer.assert_failed(413, "ERR_1009");
    assert_eq!(trade.marks(), before);
    assert_eq!(trade.status_of(&purchase).await, "PENDING");
    assert_eq!(trade.available().await, 0);
    trade.assert_sound();
}

#[tokio::test]
async fn what_is_signed_and_means_nothing_that_can_be_read_changes_nothing() {
    let trade = Trade::open().await;
    let before = trade.marks();
    for body in [
        "",
        "[]",
        "{",
        r#"{"id":"evt_1"}"#,
        r#"{"id":"evt_1","type":"charge.refunded"}"#,
    ] {
        let signature = sign(Bank::SECRET, body.as_bytes(), unix_now());
        let answer = trade
            .bank
            .bring(&trade.server, body.into(), Some(&signature))
            .await;
        answer.assert_failed(400, "ERR_1001");
        assert_eq!(trade.marks(), before, "{body}");
    }
    trade.assert_sound();
}

#[tokio::test]
async fn one_good_signature_of_several_and_either_secret_are_enough() {
    let trade = Trade::open().await;
    let mut had = 0;
    let bad = "0".repeat(64);
    // Five minutes are granted to clocks that differ and to messages that took their time.
    for (late, secret, is_alone) in [
        (0, Bank::SECRET, true),
        (0, Bank::SECRET, false),
        (0, Bank::NEXT_SECRET, true),
        (0, Bank::NEXT_SECRET, false),
        (240, Bank::SECRET, true),
        (-240, Bank::SECRET, true),
    ] {
        let (_, session) = trade.order(500).await;
        let (paid, _) = trade.pay(&session);
        let mut signature = sign(secret, &paid.body, unix_now() - late);
        if !is_alone {
            signature = signature.replace(",v1=", &format!(",v1={bad},v1="));
        }
        let answer = trade
            .bank
            .bring(&trade.server, paid.body.clone(), Some(&signature));
        answer.await.assert_ok(200);
        had += 500;
        assert_eq!(trade.available().await, had, "{signature}");
    }
    trade.assert_sound();
}
