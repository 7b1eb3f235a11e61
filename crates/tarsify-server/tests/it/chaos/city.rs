//! What everything happens to: two processes that answer, two that work, their database, Redis, the
//! GPUs and the bank.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tarsify_testing::RedisServer;
use tokio::time::sleep;

use crate::endurance::{IMPATIENCE, number};
use crate::limits::decide;
use crate::support::{Bank, Server, Workshop, add_dear_model, onboard, post, until_within};

/// How many processes there are.
pub(super) const FLEET: usize = 4;
/// How many people run models. Each has a wallet of his own: what one of them asks is never written
/// in one statement with anything else that he asks.
pub(super) const CLICKERS: usize = 4;
/// How long a lease holds.
pub(super) const LEASE: Duration = Duration::from_secs(2);

const UNDONE: &str = "SELECT count(*) FROM outbox WHERE done_at IS NULL";

/// The city.
pub(super) struct City {
    pub(super) workshop: Workshop,
    /// Who runs models; the first of them buys credits too.
    pub(super) clickers: Vec<String>,
    pub(super) bank: Arc<Bank>,
    pub(super) redis: RedisServer,
    fleet: Vec<Server>,
    roles: [(&'static str, String); FLEET],
}

impl City {
    pub(super) async fn found() -> Self {
        let (bank, redis) = (Arc::new(Bank::open()), RedisServer::start());
        let known = bank.settings();
        let url = redis.url();
        let mut settings = vec![
            ("REDIS_URL", url.as_str()),
            ("RATE_LIMITS", "on"),
            ("TARSIFY__MONEY__MATURE_AFTER_SECONDS", "0"),
            ("TARSIFY__MONEY__MINIMUM_PAYOUT_CREDITS", "100"),
        ];
        settings.extend(IMPATIENCE);
        settings.extend(known.iter().map(|(name, value)| (*name, value.as_str())));
        let mut workshop = Workshop::with(&settings).await;
        workshop.gpus.behave("echo", json!({"runMs": 100})).await;
        // What nobody can find out any more is ended by its deadline, so that may not be far.
        workshop
            .store
            .sql("UPDATE base_models SET timeout_seconds = 40, version = version + 1");
        let first = workshop.serve_with_callbacks("all").await;
        // Counted, but enough for everybody.
        let plenty = json!({"max": 1_000_000});
        let categories = ["userApi", "globalApi", "taskCreation", "authAction"];
        let limits: Value = categories
            .map(|one| (one.to_owned(), plenty.clone()))
            .into_iter()
            .collect();
        let limits = json!({"limits": limits, "maxConcurrentRuns": 100_000});
        decide(&workshop, &first, limits).await;
        add_dear_model(&workshop, &first, &workshop.developer, "dear").await;
        onboard(&bank, &first, &workshop.developer).await;
        let mut clickers = vec![workshop.consumer.clone()];
        for number in 1..CLICKERS {
            let email = format!("clicker-{number}@example.com");
            let token = workshop.place.token("consumer", &email).await;
            let market = post("/api/marketplace/auth/register").by(&token);
            first.send(market).await.assert_ok(201);
            clickers.push(token);
        }
        let mut fleet = vec![first];
        for role in ["api", "worker", "worker"] {
            fleet.push(workshop.serve(role).await);
        }
        let port = |place: usize| fleet[place].address.port().to_string();
        let roles = [
            ("all", port(0)),
            ("api", port(1)),
            ("worker", "0".to_owned()),
            ("worker", "0".to_owned()),
        ];
        Self {
            workshop,
            clickers,
            bank,
            redis,
            fleet,
            roles,
        }
    }

    /// Where the two that answer are, dead or alive.
    pub(super) fn urls(&self) -> [String; 2] {
        [0, 1].map(|place| format!("http://127.0.0.1:{}", self.roles[place].1))
    }

    pub(super) fn process(&self, place: usize) -> &Server {
        &self.fleet[place]
    }

    /// Ends a process by this signal, and starts another in its place.
    pub(super) async fn replace(&mut self, place: usize, signal: &str) {
        let old = self.fleet.remove(place);
        let said = old.stop(signal).await;
        // Whatever is wrong meanwhile, who is asked to stop does so.
        if signal == "TERM" {
            assert_eq!(said.code, Some(0), "{}", said.err);
        }
        assert!(!said.err.contains("panicked"), "{}", said.err);
        let (role, port) = &self.roles[place];
        let arguments = ["serve", "--port", port, "--role", role];
        let fresh = Server::ready(self.workshop.place.start(&arguments)).await;
        self.fleet.insert(place, fresh);
    }

    /// Until nothing is to be sent any more.
    pub(super) async fn pays_what_it_owes(&self) {
        let patience = Duration::from_secs(240);
        until_within(patience, "everything is sent", async || {
            // What was tried in vain is tried again after minutes otherwise.
            self.workshop.store.sql(
                "UPDATE outbox SET next_attempt_at = least(next_attempt_at, now() + interval '2 seconds'), \
                    lease_until = least(lease_until, now() + interval '5 seconds') WHERE done_at IS NULL",
            );
            sleep(Duration::from_millis(300)).await;
            number(&self.workshop, UNDONE) == 0
        })
        .await;
    }

    /// The credits of each payout that left.
    pub(super) fn sent(&self) -> Vec<i64> {
        let transfers = self.bank.stripe.transfers();
        let amounts = transfers.iter().map(|one| one["amount"].as_i64().unwrap());
        amounts.collect()
    }

    /// No payout left twice, and each that is paid has left.
    pub(super) fn assert_paid_once(&self) {
        let transfers = self.bank.stripe.transfers();
        let mut payouts: Vec<_> = transfers
            .iter()
            .map(|transfer| transfer["metadata"]["payout_id"].to_string())
            .collect();
        payouts.sort();
        let sent = payouts.len();
        payouts.dedup();
        assert_eq!(payouts.len(), sent, "sent twice: {transfers:#?}");
        assert!(sent > 0, "nobody was paid, so this says nothing");
        let paid = number(
            &self.workshop,
            "SELECT count(*) FROM payouts WHERE status = 'PAID'",
        );
        assert_eq!(paid, sent, "paid, and sent");
    }

    /// Everybody stops in order.
    pub(super) async fn close(self) {
        for server in self.fleet {
            let said = server.stop("TERM").await.assert_code(0);
            assert!(!said.err.contains("panicked"), "{}", said.err);
        }
    }
}
