//! A market whose money is at the stand-in for Stripe, and the one process that serves it.

use serde_json::{Value, json};
use tarsify_emulator::stripe::{SessionEnd, StripeMessage};

use crate::support::{
    Ask, Bank, Server, Workshop, accepted, add_dear_model, assert_money_adds_up, get, onboard,
    post, until,
};

/// A market whose money is at the stand-in, and the one process that serves it.
pub(super) struct Trade {
    pub(super) workshop: Workshop,
    pub(super) bank: Bank,
    pub(super) server: Server,
}

impl Trade {
    /// Nobody has anything to begin with, earnings need not wait, and little can be paid out.
    pub(super) async fn open() -> Self {
        Self::welcoming("0").await
    }

    /// The same with so many credits for whoever comes.
    pub(super) async fn welcoming(credits: &str) -> Self {
        let bank = Bank::open();
        let known = bank.settings();
        let mut settings = vec![
            ("WELCOME_CREDITS", credits),
            ("TARSIFY__MONEY__MATURE_AFTER_SECONDS", "0"),
            ("TARSIFY__MONEY__MINIMUM_PAYOUT_CREDITS", "100"),
        ];
        settings.extend(known.iter().map(|(name, value)| (*name, value.as_str())));
        let workshop = Workshop::with(&settings).await;
        let server = workshop.serve("all").await;
        bank.stripe
            .set_webhook_url(&format!("{}/api/webhooks/stripe", server.url()));
        add_dear_model(&workshop, &server, &workshop.developer, "dear").await;
        Self {
            workshop,
            bank,
            server,
        }
    }

    /// With a developer who can be paid, and has what one dear run earned him.
    pub(super) async fn with_earnings() -> Self {
        let trade = Self::welcoming("1000000").await;
        trade.onboard().await;
        trade.earn().await;
        trade
    }

    /// Begins a purchase; gives its id and the session on which it is paid.
    pub(super) async fn order(&self, cents: i64) -> (String, String) {
        let order = post("/api/marketplace/credits/purchase")
            .by(&self.workshop.consumer)
            .json(json!({"amountCents": cents}));
        let purchase = self.server.send(order).await.assert_ok(201).id();
        let sessions = self.bank.sessions_of(&purchase);
        assert_eq!(sessions.len(), 1, "{sessions:#?}");
        (purchase, sessions[0]["id"].as_str().unwrap().to_owned())
    }

    /// Pays on a page, without anybody being told.
    pub(super) fn pay(&self, session: &str) -> (StripeMessage, String) {
        let paid = self.bank.stripe.end_session(session, SessionEnd::Paid);
        let paid = paid.unwrap();
        let payment = &paid.event["data"]["object"]["payment_intent"];
        let payment = payment.as_str().unwrap().to_owned();
        (paid, payment)
    }

    /// Buys and pays; gives the purchase and its payment.
    pub(super) async fn buy(&self, cents: i64) -> (String, String) {
        let (purchase, session) = self.order(cents).await;
        let (paid, payment) = self.pay(&session);
        self.tell(&paid).await;
        (purchase, payment)
    }

    /// Brings a message, which has to be taken.
    pub(super) async fn tell(&self, message: &StripeMessage) {
        let answer = self.bank.tell(&self.server, message).await.assert_ok(200);
        assert_eq!(answer.data()["received"], true);
    }

    /// What became of a message.
    pub(super) fn outcome(&self, message: &StripeMessage) -> String {
        let id = message.id();
        let asked = format!("SELECT outcome FROM payment_events WHERE id = '{id}'");
        self.workshop.store.sql(&asked)
    }

    /// What the consumer can spend.
    pub(super) async fn available(&self) -> i64 {
        let wallet = get("/api/marketplace/credits").by(&self.workshop.consumer);
        let wallet = self.server.send(wallet).await.assert_ok(200);
        wallet.data()["available"].as_i64().unwrap()
    }

    /// How a purchase is.
    pub(super) async fn status_of(&self, purchase: &str) -> String {
        let asked = get(format!("/api/marketplace/credits/purchases/{purchase}"));
        let shown = self.server.send(asked.by(&self.workshop.consumer)).await;
        let shown = shown.assert_ok(200);
        shown.data()["status"].as_str().unwrap().to_owned()
    }

    /// Some of what the developer has, such as `available`.
    pub(super) async fn earnings(&self, part: &str) -> i64 {
        let earnings = get("/api/studio/earnings").by(&self.workshop.developer);
        let earnings = self.server.send(earnings).await.assert_ok(200);
        earnings.data()[part].as_i64().unwrap()
    }

    /// Runs the dear model to its end and waits until what it earned has matured.
    pub(super) async fn earn(&self) {
        let run = accepted(self.server.send(self.workshop.run("dear")).await);
        let ended = self.workshop.ended(&self.server, &run).await;
        assert_eq!(ended["status"], "COMPLETED", "{ended:#}");
        until("the earnings have matured", async || {
            self.earnings("pending").await == 0
        })
        .await;
    }

    /// Lets the developer be paid; gives his account.
    pub(super) async fn onboard(&self) -> String {
        let (workshop, bank) = (&self.workshop, &self.bank);
        onboard(bank, &self.server, &workshop.developer).await
    }

    pub(super) fn payout(&self, amount: i64) -> Ask {
        post("/api/studio/payouts/request")
            .by(&self.workshop.developer)
            .json(json!({"amount": amount}))
    }

    /// Asks for a payout; gives its id.
    pub(super) async fn request_payout(&self, amount: i64) -> String {
        let request = self.server.send(self.payout(amount)).await;
        request.assert_ok(201).id()
    }

    /// How a payout is.
    pub(super) async fn payout_status(&self, payout: &str) -> String {
        let shown = self.payout_shown(payout).await;
        shown["status"].as_str().unwrap().to_owned()
    }

    pub(super) async fn payout_shown(&self, payout: &str) -> Value {
        let list = get("/api/studio/payouts").by(&self.workshop.developer);
        let list = self.server.send(list).await.assert_ok(200);
        let payouts = list.data().as_array().unwrap().clone();
        let mut found = payouts.into_iter().filter(|one| one["id"] == payout);
        found.next().unwrap()
    }

    pub(super) async fn until_payout(&self, payout: &str, status: &str) {
        until(&format!("the payout is {status}"), async || {
            self.payout_status(payout).await == status
        })
        .await;
    }

    /// The payout is there exactly once.
    #[track_caller]
    pub(super) fn assert_sent_once(&self, payout: &str, amount: i64) -> String {
        let transfers = self.bank.transfers_of(payout);
        assert_eq!(transfers.len(), 1, "{transfers:#?}");
        assert_eq!(transfers[0]["amount"], amount, "{transfers:#?}");
        transfers[0]["id"].as_str().unwrap().to_owned()
    }

    /// All that a message could change, in short.
    pub(super) fn marks(&self) -> String {
        self.workshop.store.sql(
            "SELECT (SELECT count(*) FROM ledger_transfers), (SELECT count(*) FROM payment_events), \
                (SELECT count(*) FROM purchases), (SELECT count(*) FROM reversals), \
                (SELECT md5(string_agg(a::text, ' ' ORDER BY id)) FROM ledger_accounts a), \
                (SELECT md5(string_agg(p::text, ' ' ORDER BY id)) FROM purchases p), \
                (SELECT md5(string_agg(p::text, ' ' ORDER BY id)) FROM payouts p), \
                (SELECT md5(string_agg(d::text, ' ' ORDER BY id)) FROM developers d)",
        )
    }

    /// All of it adds up.
    #[track_caller]
    pub(super) fn assert_sound(&self) {
        assert_money_adds_up(&self.workshop);
    }
}
