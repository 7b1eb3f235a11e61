//! Where money comes from and goes to: a stand-in for Stripe, and what puts a market's people
//! there.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Client;
use serde_json::{Value, json};
use tarsify_emulator::stripe::{Payouts, StripeEmulator, StripeMessage, StripeSettings, sign};

use super::{Answer, Server, Workshop, post};

/// What a run of a dear model costs, and what its developer earns by it.
pub(crate) const DEAR: (i64, i64) = (10_000, 7_000);

/// A stand-in for Stripe, which ends when it is dropped.
pub(crate) struct Bank {
    pub(crate) stripe: StripeEmulator,
    client: Client,
}

impl Bank {
    /// The key by which it is asked.
    const KEY: &str = "sk_test_emulated";
    /// What its messages are signed with.
    pub(crate) const SECRET: &str = "whsec_emulated";
    /// What they will be signed with once the other one is replaced.
    pub(crate) const NEXT_SECRET: &str = "whsec_of_tomorrow";

    pub(crate) fn open() -> Self {
        Self {
            stripe: StripeEmulator::start(StripeSettings::default()).unwrap(),
            client: Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(40))
                .build()
                .unwrap(),
        }
    }

    /// What a process has to know of it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 3] {
        let secrets = format!("{},{}", Self::SECRET, Self::NEXT_SECRET);
        [
            ("STRIPE_SECRET_KEY", Self::KEY.to_owned()),
            ("STRIPE_WEBHOOK_SECRETS", secrets),
            ("STRIPE_BASE_URL", self.stripe.base_url().to_owned()),
        ]
    }

    /// Brings any body under any signature.
    pub(crate) async fn bring(
        &self,
        server: &Server,
        body: Vec<u8>,
        signature: Option<&str>,
    ) -> Answer {
        let url = format!("{}/api/webhooks/stripe", server.url());
        let mut request = self.client.post(url).body(body);
        request = request.header("content-type", "application/json; charset=utf-8");
        if let Some(signature) = signature {
            request = request.header("stripe-signature", signature);
        }
        Answer::read(request.send().await.unwrap()).await.unwrap()
    }

    /// Brings a message as Stripe does.
    pub(crate) async fn tell(&self, server: &Server, message: &StripeMessage) -> Answer {
        let signature = sign(Self::SECRET, &message.body, unix_now());
        self.bring(server, message.body.clone(), Some(&signature))
            .await
    }

    /// Has something happen at the stand-in, which then brings the message about it by itself.
    pub(crate) async fn act(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/stripe-emulator/{path}", self.stripe.base_url());
        let asked = self.client.post(url).bearer_auth(Self::KEY).json(&body);
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// The sessions on which a purchase can be paid.
    pub(crate) fn sessions_of(&self, purchase: &str) -> Vec<Value> {
        let is_its = |session: &Value| session["metadata"]["purchase_id"] == purchase;
        self.stripe.sessions().into_iter().filter(is_its).collect()
    }

    /// The transfers by which a payout was made.
    pub(crate) fn transfers_of(&self, payout: &str) -> Vec<Value> {
        let is_its = |transfer: &Value| transfer["metadata"]["payout_id"] == payout;
        let transfers = self.stripe.transfers();
        transfers.into_iter().filter(is_its).collect()
    }
}

/// All accounts together hold nothing, and nothing is wrong with any of them.
#[track_caller]
pub(crate) fn assert_money_adds_up(workshop: &Workshop) {
    let sum = "SELECT (SELECT sum(balance) FROM ledger_accounts WHERE owner_id IS NOT NULL) \
        + (SELECT sum(balance) FROM ledger_platform)";
    assert_eq!(workshop.store.sql(sum), "0");
    assert_eq!(workshop.store.sql("SELECT * FROM ledger_faults"), "");
    workshop.assert_sound();
}

/// Lets a developer be paid; gives his account.
pub(crate) async fn onboard(bank: &Bank, server: &Server, developer: &str) -> String {
    let before = bank.stripe.accounts().len();
    let connect = post("/api/studio/payouts/connect-stripe")
        .by(developer)
        .json(json!({
            "returnUrl": "https://studio.example/ok", "refreshUrl": "https://studio.example/again",
        }));
    server.send(connect).await.assert_ok(200);
    let accounts = bank.stripe.accounts();
    assert_eq!(accounts.len(), before + 1, "{accounts:#?}");
    let account = accounts[before]["id"].as_str().unwrap().to_owned();
    let enabled = bank.stripe.set_payouts(&account, Payouts::Enabled).unwrap();
    bank.tell(server, &enabled).await.assert_ok(200);
    account
}

/// A model on the GPUs of the model `echo` that costs as much as [`DEAR`] says.
pub(crate) async fn add_dear_model(
    workshop: &Workshop,
    server: &Server,
    developer: &str,
    slug: &str,
) {
    let base_model = workshop.store.sql("SELECT id FROM base_models LIMIT 1");
    let draft = post("/api/studio/tars-models").by(developer).json(json!({
        "baseModelId": base_model, "title": "A Dear Model", "slug": slug,
        "priceCredits": DEAR.0, "configOverrides": {},
    }));
    let id = server.send(draft).await.assert_ok(201).id();
    let publish = post(format!("/api/studio/tars-models/{id}/publish")).by(developer);
    server.send(publish).await.assert_ok(200);
}

/// The second it is.
#[expect(
    clippy::disallowed_methods,
    reason = "the binary under test reads the system's clock, so its messages have to as well"
)]
pub(crate) fn unix_now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs().try_into().unwrap()
}
