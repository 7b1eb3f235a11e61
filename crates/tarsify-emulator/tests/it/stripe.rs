//! The emulator of Stripe over real connections: what calls make, keys, faults, messages.

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tarsify_emulator::stripe::{
    DisputeStep, Payouts, SessionEnd, StripeEmulator, StripeFault, StripeMessage, StripeOperation,
    StripeSettings, TransferStep, sign,
};

use crate::support::{Mailbox, PATIENCE, read};

const KEY: &str = "sk_test_emulated";
type Fields<'a> = &'a [(&'a str, &'a str)];

struct Desk {
    stripe: StripeEmulator,
    client: Client,
}

impl Desk {
    fn open() -> Self {
        Self::with(StripeSettings::default())
    }

    fn with(settings: StripeSettings) -> Self {
        Self {
            stripe: StripeEmulator::start(settings).unwrap(),
            client: Client::builder().timeout(PATIENCE).build().unwrap(),
        }
    }

    fn post(&self, path: &str, fields: Fields<'_>) -> RequestBuilder {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.client
            .post(format!("{}{path}", self.stripe.base_url()))
            .bearer_auth(KEY)
            .body(form.finish())
    }

    async fn keyed(&self, path: &str, fields: Fields<'_>, key: &str) -> (u16, bool, Value) {
        let request = self.post(path, fields).header("Idempotency-Key", key);
        let answer = request.send().await.unwrap();
        let is_replayed = answer.headers().contains_key("Idempotent-Replayed");
        let (status, body) = read(answer).await;
        (status, is_replayed, body)
    }

    async fn control(&self, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/stripe-emulator{path}", self.stripe.base_url());
        let request = self.client.post(url).bearer_auth(KEY).json(body);
        read(request.send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.stripe.base_url());
        let request = self.client.get(url).basic_auth(KEY, Some(""));
        read(request.send().await.unwrap()).await
    }

    async fn session(&self) -> String {
        let (status, session) = read(self.post(SESSIONS, SESSION).send().await.unwrap()).await;
        assert_eq!(status, 200, "{session}");
        session["id"].as_str().unwrap().to_owned()
    }

    /// The payment of a session that is paid.
    async fn payment(&self) -> String {
        let id = self.session().await;
        let paid = self.stripe.end_session(&id, SessionEnd::Paid).unwrap();
        object(&paid)["payment_intent"].as_str().unwrap().to_owned()
    }
}

const SESSIONS: &str = "/v1/checkout/sessions";
const SESSION: Fields<'_> = &[
    ("mode", "payment"),
    ("line_items[0][price_data][currency]", "usd"),
    ("line_items[0][price_data][unit_amount]", "1000"),
    (
        "line_items[0][price_data][product_data][name]",
        "1,000 credits",
    ),
    ("line_items[0][quantity]", "1"),
    ("success_url", "https://tarsify.example/paid"),
    ("client_reference_id", "purchase-1"),
    ("metadata[purchase_id]", "purchase-1"),
    ("expires_at", "1800000000"),
];
const TRANSFERS: &str = "/v1/transfers";
const TRANSFER: Fields<'_> = &[
    ("amount", "5000"),
    ("currency", "usd"),
    ("destination", "acct_1"),
    ("transfer_group", "payout:1"),
    ("metadata[payout_id]", "1"),
];

fn object(message: &StripeMessage) -> &Value {
    &message.event["data"]["object"]
}

#[tokio::test]
async fn a_session_is_made_and_ends() {
    let desk = Desk::open();
    let (status, session) = read(desk.post(SESSIONS, SESSION).send().await.unwrap()).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(session["status"], "open");
    assert_eq!(session["amount_total"], 1_000);
    assert_eq!(session["metadata"], json!({ "purchase_id": "purchase-1" }));
    assert!(
        session["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    let id = session["id"].as_str().unwrap();
    for (end, kind, payment_status) in [
        (SessionEnd::Unpaid, "completed", "unpaid"),
        (SessionEnd::Failed, "async_payment_failed", "unpaid"),
        (SessionEnd::Succeeded, "async_payment_succeeded", "paid"),
        (SessionEnd::Paid, "completed", "paid"),
        (SessionEnd::Expired, "expired", "unpaid"),
    ] {
        let message = desk.stripe.end_session(id, end).unwrap();
        assert_eq!(message.event["type"], format!("checkout.session.{kind}"));
        assert_eq!(object(&message)["payment_status"], payment_status);
        assert_eq!(object(&message)["client_reference_id"], "purchase-1");
    }
    assert!(desk.stripe.end_session(id, SessionEnd::Paid).is_err());
    assert!(desk.stripe.end_session("cs_0", SessionEnd::Paid).is_err());
}

#[tokio::test]
async fn a_payment_is_refunded_and_disputed() {
    let desk = Desk::open();
    let payment = desk.payment().await;
    let refund = |cents| desk.stripe.refund(&payment, cents);
    let some = refund(Some(400)).unwrap();
    assert_eq!(object(&some)["amount_refunded"], 400);
    assert_eq!(object(&some)["refunded"], false);
    assert!(refund(Some(601)).is_err());
    let all = refund(None).unwrap();
    assert_eq!(all.event["type"], "charge.refunded");
    assert_eq!(object(&all)["amount_refunded"], 1_000);
    for (step, kind, status) in [
        (DisputeStep::Created, "created", "needs_response"),
        (
            DisputeStep::FundsWithdrawn,
            "funds_withdrawn",
            "needs_response",
        ),
        (DisputeStep::FundsReinstated, "funds_reinstated", "won"),
        (DisputeStep::Won, "closed", "won"),
        (DisputeStep::Lost, "closed", "lost"),
        (DisputeStep::WarningClosed, "closed", "warning_closed"),
    ] {
        let message = desk.stripe.dispute(&payment, step).unwrap();
        assert_eq!(message.event["type"], format!("charge.dispute.{kind}"));
        assert_eq!(object(&message)["status"], status);
        assert_eq!(object(&message)["payment_intent"], payment);
    }
    assert!(desk.stripe.refund("pi_0", None).is_err());
    assert!(desk.stripe.dispute("pi_0", DisputeStep::Won).is_err());
}

#[tokio::test]
async fn an_account_is_paid_once_it_may_be() {
    let desk = Desk::open();
    let fields = &[
        ("controller[stripe_dashboard][type]", "express"),
        ("email", "a@b.example"),
    ];
    let (_, _, account) = desk.keyed("/v1/accounts", fields, "account:1").await;
    let id = account["id"].as_str().unwrap();
    let link = &[
        ("account", id),
        ("return_url", "https://a.example"),
        ("refresh_url", "https://b.example"),
        ("type", "account_onboarding"),
    ];
    let (status, body) = read(desk.post("/v1/account_links", link).send().await.unwrap()).await;
    assert_eq!(status, 200, "{body}");
    assert!(body["expires_at"].as_i64() > body["created"].as_i64());
    let transfer = &[("amount", "5000"), ("currency", "usd"), ("destination", id)];
    let (status, _, body) = desk.keyed(TRANSFERS, transfer, "a").await;
    let code = &body["error"]["code"];
    assert_eq!(
        (status, code),
        (400, &json!("insufficient_capabilities_for_transfer"))
    );
    let updated = desk.stripe.set_payouts(id, Payouts::Enabled).unwrap();
    assert_eq!(object(&updated)["payouts_enabled"], true);
    assert_eq!(desk.keyed(TRANSFERS, transfer, "b").await.0, 200);
    assert_eq!(desk.stripe.accounts().len(), 1);
}

#[tokio::test]
async fn transfers_are_found_by_group_and_reversed() {
    let desk = Desk::open();
    desk.stripe.add_account("acct_1");
    let (_, _, made) = desk.keyed(TRANSFERS, TRANSFER, "payout:1").await;
    let id = made["id"].as_str().unwrap();
    let (_, found) = desk
        .get("/v1/transfers?transfer_group=payout%3A1&limit=1")
        .await;
    assert_eq!(found["data"], json!([made]));
    let (_, none) = desk.get("/v1/transfers?transfer_group=payout%3A2").await;
    assert_eq!(none["data"], json!([]));
    let reversals = format!("/v1/transfers/{id}/reversals");
    assert_eq!(
        desk.keyed(&reversals, &[("amount", "2000")], "r1").await.0,
        200
    );
    assert_eq!(desk.stripe.transfers()[0]["reversed"], false);
    assert_eq!(
        desk.keyed(&reversals, &[("amount", "3001")], "r2").await.0,
        400
    );
    assert_eq!(desk.keyed(&reversals, &[], "r3").await.0, 200);
    assert_eq!(desk.stripe.transfers()[0]["reversed"], true);
    assert_eq!(desk.keyed(&reversals, &[], "r4").await.0, 400);
    let told = desk
        .stripe
        .tell_transfer(id, TransferStep::Reversed)
        .unwrap();
    assert_eq!(told.event["type"], "transfer.reversed");
    assert_eq!(object(&told)["metadata"]["payout_id"], "1");
    assert_eq!(
        desk.keyed("/v1/transfers/tr_0/reversals", &[], "r5")
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn a_key_makes_a_repetition_harmless() {
    let desk = Desk::open();
    desk.stripe.add_account("acct_1");
    let first = desk.keyed(TRANSFERS, TRANSFER, "payout:1").await;
    let again = desk.keyed(TRANSFERS, TRANSFER, "payout:1").await;
    assert_eq!((first.0, first.1), (200, false));
    assert_eq!(again, (200, true, first.2));
    let other: Vec<_> = TRANSFER
        .iter()
        .map(|&(name, value)| (name, if name == "amount" { "5001" } else { value }))
        .collect();
    let (status, _, body) = desk.keyed(TRANSFERS, &other, "payout:1").await;
    assert_eq!(
        (status, &body["error"]["type"]),
        (400, &json!("idempotency_error"))
    );
    let (status, ..) = desk.keyed(SESSIONS, SESSION, "payout:1").await;
    assert_eq!(status, 400);
    assert_eq!(desk.stripe.transfers().len(), 1);
    desk.stripe.forget_keys();
    assert!(!desk.keyed(TRANSFERS, TRANSFER, "payout:1").await.1);
    assert_eq!(desk.stripe.transfers().len(), 2);
    assert_eq!(desk.stripe.calls(StripeOperation::CreateTransfer), 4);
    let long = "k".repeat(256);
    assert_eq!(desk.keyed(TRANSFERS, TRANSFER, &long).await.0, 400);
}

#[tokio::test]
async fn a_twin_under_way_is_told_so() {
    let desk = Desk::open();
    desk.stripe.add_account("acct_1");
    desk.stripe
        .fail(StripeOperation::CreateTransfer, StripeFault::Slow, 1);
    let (one, two) = tokio::join!(
        desk.keyed(TRANSFERS, TRANSFER, "payout:1"),
        desk.keyed(TRANSFERS, TRANSFER, "payout:1"),
    );
    let mut statuses = [one.0, two.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(desk.stripe.transfers().len(), 1);
}

#[tokio::test]
async fn faults_come_before_or_after_the_effect() {
    for (fault, status, made, is_kept) in [
        (StripeFault::Down, 503, 0, false),
        (StripeFault::TooMany, 429, 0, false),
        (StripeFault::ErrorBefore, 500, 0, true),
        (StripeFault::ErrorAfter, 500, 1, true),
        (StripeFault::BalanceInsufficient, 400, 0, true),
        (StripeFault::Refused, 400, 0, true),
    ] {
        let desk = Desk::open();
        desk.stripe.add_account("acct_1");
        desk.stripe.fail(StripeOperation::CreateTransfer, fault, 1);
        let (first, ..) = desk.keyed(TRANSFERS, TRANSFER, "payout:1").await;
        assert_eq!(
            (first, desk.stripe.transfers().len()),
            (status, made),
            "{fault:?}"
        );
        let (second, is_replayed, _) = desk.keyed(TRANSFERS, TRANSFER, "payout:1").await;
        let expected = if is_kept { status } else { 200 };
        assert_eq!((second, is_replayed), (expected, is_kept), "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_is_lost_after_the_effect() {
    let desk = Desk::open();
    desk.stripe.add_account("acct_1");
    desk.stripe
        .fail(StripeOperation::CreateTransfer, StripeFault::HangAfter, 1);
    let request = desk
        .post(TRANSFERS, TRANSFER)
        .header("Idempotency-Key", "payout:1");
    let lost = request
        .timeout(std::time::Duration::from_millis(200))
        .send()
        .await;
    assert!(lost.unwrap_err().is_timeout());
    let (status, is_replayed, _) = desk.keyed(TRANSFERS, TRANSFER, "payout:1").await;
    assert_eq!(
        (status, is_replayed, desk.stripe.transfers().len()),
        (200, true, 1)
    );
}

#[tokio::test]
async fn what_cannot_be_is_explained() {
    let desk = Desk::open();
    let refused: [(&str, Fields<'_>, &str); 6] = [
        (TRANSFERS, TRANSFER, "resource_missing"),
        (TRANSFERS, &[("amount", "5000")], "parameter_missing"),
        (TRANSFERS, &[("amount", "-1")], "parameter_invalid_integer"),
        (TRANSFERS, &[("amuont", "5000")], "parameter_unknown"),
        (SESSIONS, &[("mode", "payment")], "parameter_missing"),
        (
            "/v1/account_links",
            &[("account", "acct_0")],
            "parameter_missing",
        ),
    ];
    for (path, fields, code) in refused {
        let (status, _, body) = desk.keyed(path, fields, "k").await;
        assert_eq!(
            (status, &body["error"]["code"]),
            (400, &json!(code)),
            "{path} {fields:?}"
        );
        desk.stripe.forget_keys();
    }
    let request = desk
        .client
        .post(format!("{}{TRANSFERS}", desk.stripe.base_url()));
    assert_eq!(
        request
            .bearer_auth("sk_other")
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
    let (status, _) = desk.get("/v1/nothing").await;
    assert_eq!(status, 404);
    let control = format!("{}/stripe-emulator", desk.stripe.base_url());
    assert_eq!(desk.client.get(control).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn messages_are_signed_and_brought_until_they_are_taken() {
    let mut mailbox = Mailbox::open(&[500, 301]).await;
    let desk = Desk::with(StripeSettings {
        webhook_url: Some(mailbox.address.clone()),
        webhook_retry_pause: std::time::Duration::from_millis(5),
        ..StripeSettings::default()
    });
    let id = desk.session().await;
    let end = json!({ "end": "paid" });
    let (status, told) = desk.control(&format!("/sessions/{id}/end"), &end).await;
    assert_eq!((status, &told["delivered"]), (200, &json!(200)), "{told}");
    for _ in 0..3 {
        assert_eq!(mailbox.next().await.1, told["event"]);
    }
    assert!(mailbox.is_empty());
    let message = desk.stripe.message("ping", &json!({ "id": "x" }));
    let header = desk.stripe.signature(&message);
    let at = header[2..].split_once(',').unwrap().0.parse().unwrap();
    assert_eq!(header, sign("whsec_emulated", &message.body, at));
}

#[test]
fn a_known_body_has_the_signature_that_others_compute() {
    // By `openssl dgst -sha256 -hmac whsec_new`.
    assert_eq!(
        sign("whsec_new", br#"{"id":"evt_1"}"#, 1_800_000_000),
        "t=1800000000,v1=bcd5b8f84c1762e896c564b29f53d2d26064aba6607250fa924f75df06e0f8a4"
    );
}

#[tokio::test]
async fn it_is_driven_over_the_wire_too() {
    let desk = Desk::open();
    let planned = json!({ "operation": "create_transfer", "fault": "down", "times": 1 });
    assert_eq!(desk.control("/faults", &planned).await.0, 204);
    assert_eq!(
        desk.control("/faults", &json!({ "fault": "down" })).await.0,
        400
    );
    let url = format!("{}/stripe-emulator/accounts/acct_1", desk.stripe.base_url());
    let enabled = desk
        .client
        .put(url)
        .bearer_auth(KEY)
        .json(&json!({ "payouts_enabled": true }));
    assert_eq!(enabled.send().await.unwrap().status(), 200);
    assert_eq!(desk.keyed(TRANSFERS, TRANSFER, "payout:1").await.0, 503);
    let (_, _, made) = desk.keyed(TRANSFERS, TRANSFER, "payout:1").await;
    let id = made["id"].as_str().unwrap();
    let tell = format!("/transfers/{id}/tell");
    let (_, told) = desk.control(&tell, &json!({ "step": "created" })).await;
    assert_eq!(
        (&told["event"]["type"], &told["delivered"]),
        (&json!("transfer.created"), &Value::Null)
    );
    let payment = desk.payment().await;
    let (_, told) = desk
        .control(&format!("/payments/{payment}/refund"), &json!({}))
        .await;
    assert_eq!(told["event"]["data"]["object"]["refunded"], true);
    let dispute = format!("/payments/{payment}/dispute");
    let (_, told) = desk.control(&dispute, &json!({ "step": "lost" })).await;
    assert_eq!(told["event"]["type"], "charge.dispute.closed");
    let anything = json!({ "id": "evt_1", "type": "x.y", "object": { "id": "z" } });
    let (_, told) = desk.control("/events", &anything).await;
    assert_eq!(
        (&told["event"]["id"], &told["event"]["type"]),
        (&json!("evt_1"), &json!("x.y"))
    );
    assert_eq!(
        desk.control("/payments/pi_0/refund", &json!({})).await.0,
        404
    );
    let (_, shown) = desk.get("/stripe-emulator").await;
    assert_eq!(
        shown["calls"],
        json!({ "create_checkout": 1, "create_transfer": 2 })
    );
    assert_eq!(shown["transfers"], json!([made]));
    let url = format!("{}/stripe-emulator/keys", desk.stripe.base_url());
    let forgotten = desk
        .client
        .delete(url)
        .bearer_auth(KEY)
        .send()
        .await
        .unwrap();
    assert_eq!(forgotten.status(), 204);
}
