//! Processes are killed while payouts are sent and runs settle, and Stripe is slow, fails, refuses
//! and has money come back: in the end every payout has arrived once, or was given back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tarsify_emulator::stripe::{StripeFault, StripeOperation, TransferStep};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::endurance::{Dice, IMPATIENCE, all_ended, number};
use crate::support::{
    Answer, Ask, Bank, Server, Workshop, add_dear_model, assert_money_adds_up, onboard, post, until,
};

const DEVELOPERS: usize = 4;
const UNDONE: &str = "SELECT count(*) FROM outbox WHERE done_at IS NULL";

#[tokio::test]
async fn a_few_crashes_while_payouts_are_sent_pay_everybody_once() {
    let mistakes = [
        StripeFault::Slow,
        StripeFault::ErrorAfter,
        StripeFault::ErrorBefore,
        StripeFault::Down,
        StripeFault::Refused,
    ];
    crash(5, &mistakes).await;
}

#[tokio::test]
#[ignore = "minutes: scripts/endurance runs it"]
async fn many_crashes_while_payouts_are_sent_pay_everybody_once() {
    let mistakes = [
        StripeFault::Slow,
        StripeFault::Slow,
        StripeFault::ErrorAfter,
        StripeFault::ErrorAfter,
        StripeFault::ErrorBefore,
        StripeFault::HangAfter,
        StripeFault::BalanceInsufficient,
        StripeFault::TooMany,
        StripeFault::Down,
        StripeFault::Refused,
    ];
    crash(80, &mistakes).await;
}

/// Kills one of two processes again and again, and now and then both for longer than Stripe keeps
/// its keys, while runs and payouts are asked for by clients who repeat what was not answered.
async fn crash(crashes: usize, mistakes: &[StripeFault]) {
    let mut siege = Siege::begin().await;
    let over = Arc::new(AtomicBool::new(false));
    let url = siege.fleet[0].url();
    let mut runs = JoinSet::new();
    let mut payouts = JoinSet::new();
    for (nth, developer) in siege.developers.iter().enumerate() {
        let dear = siege.workshop.run(&format!("dear-{nth}"));
        let cheap = siege.workshop.run("echo");
        let asked = move |turn: usize| {
            if turn < 240 && turn.is_multiple_of(12) {
                dear.clone()
            } else {
                cheap.clone()
            }
        };
        runs.spawn(insist(
            url.clone(),
            format!("run-{nth}"),
            Arc::clone(&over),
            asked,
        ));
        let payout = post("/api/studio/payouts/request").by(developer);
        let asked = move |turn: usize| payout.clone().json(json!({"amount": 100 + turn % 7}));
        payouts.spawn(insist(
            url.clone(),
            format!("payout-{nth}"),
            Arc::clone(&over),
            asked,
        ));
    }
    until("payouts are asked for", async || {
        number(&siege.workshop, "SELECT count(*) FROM payouts") >= 3 * DEVELOPERS
    })
    .await;
    for nth in 1..=crashes {
        siege.plan(mistakes);
        sleep(Duration::from_millis(200 + siege.dice.throw(700))).await;
        if nth.is_multiple_of(4) {
            siege.let_a_day_pass().await;
        } else {
            let victim = usize::try_from(siege.dice.throw(2)).unwrap();
            siege.kill(victim).await;
            siege.start(victim).await;
        }
        siege.take_one_back().await;
    }
    over.store(true, Ordering::Relaxed);
    let accepted: Vec<String> = payouts.join_all().await.concat();
    let ran = runs.join_all().await.concat();
    siege.settle().await;
    siege.assert_everybody_was_paid_once(&accepted);
    assert!(!ran.is_empty() && !accepted.is_empty());
}

/// Asks for one thing after another, and for each until it is answered; gives what was accepted.
async fn insist(
    url: String,
    name: String,
    over: Arc<AtomicBool>,
    asked: impl Fn(usize) -> Ask + Send,
) -> Vec<String> {
    let caller = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut accepted = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let turn = accepted.len();
        let ask = asked(turn).header("idempotency-key", &format!("{name}-{turn}"));
        if let Ok(answer) = ask.request(&caller, &url).send().await {
            let is_accepted = matches!(answer.status().as_u16(), 201 | 202);
            if let (true, Ok(answer)) = (is_accepted, Answer::read(answer).await) {
                let data = answer.data();
                let id = data.get("id").or_else(|| data.get("executionId"));
                accepted.extend(id.and_then(Value::as_str).map(str::to_owned));
            }
        }
        sleep(Duration::from_millis(60)).await;
    }
    accepted
}

/// What is under siege: two processes that do everything, and those who want their money.
struct Siege {
    workshop: Workshop,
    bank: Bank,
    developers: Vec<String>,
    fleet: Vec<Server>,
    ports: [String; 2],
    dice: Dice,
}

impl Siege {
    async fn begin() -> Self {
        let bank = Bank::open();
        let known = bank.settings();
        let mut settings = vec![
            ("TARSIFY__MONEY__MATURE_AFTER_SECONDS", "0"),
            ("TARSIFY__MONEY__MINIMUM_PAYOUT_CREDITS", "100"),
        ];
        settings.extend(IMPATIENCE);
        settings.extend(known.iter().map(|(name, value)| (*name, value.as_str())));
        let mut workshop = Workshop::with(&settings).await;
        workshop.gpus.behave("echo", json!({"runMs": 100})).await;
        // A run whose submission was cut off twice is ended by its deadline, so that may not be far.
        workshop
            .store
            .sql("UPDATE base_models SET timeout_seconds = 60, version = version + 1");
        let first = workshop.serve_with_callbacks("all").await;
        let mut developers = Vec::new();
        for nth in 0..DEVELOPERS {
            let email = format!("developer-{nth}@example.com");
            let developer = workshop.place.token("developer", &email).await;
            let register = post("/api/studio/auth/register").by(&developer);
            first.send(register).await.assert_ok(201);
            onboard(&bank, &first, &developer).await;
            add_dear_model(&workshop, &first, &developer, &format!("dear-{nth}")).await;
            developers.push(developer);
        }
        let ports = [first.address.port().to_string(), "0".to_owned()];
        let second = workshop.serve("all").await;
        Self {
            workshop,
            bank,
            developers,
            fleet: vec![first, second],
            ports,
            dice: Dice::new(),
        }
    }

    /// Has some of the next calls go wrong.
    fn plan(&mut self, mistakes: &[StripeFault]) {
        let sides = u64::try_from(mistakes.len()).unwrap();
        for _ in 0..2 {
            let fault = mistakes[usize::try_from(self.dice.throw(sides)).unwrap()];
            let transfer = StripeOperation::CreateTransfer;
            self.bank.stripe.fail(transfer, fault, 1);
        }
        let lists = [
            StripeFault::Slow,
            StripeFault::Down,
            StripeFault::ErrorBefore,
        ];
        let fault = lists[usize::try_from(self.dice.throw(3)).unwrap()];
        self.bank
            .stripe
            .fail(StripeOperation::ListTransfers, fault, 1);
    }

    async fn kill(&mut self, victim: usize) {
        let dead = self.fleet.remove(victim);
        dead.process.signal("KILL");
        dead.process.ended().await;
    }

    /// What a dead process was sending is nobody's for as long as its lease lasts, which is a
    /// minute: here it is over at once. A living one loses its deliveries too, as if it had been
    /// too slow, so that two processes send the same.
    async fn start(&mut self, place: usize) {
        self.workshop
            .store
            .sql("UPDATE outbox SET lease_until = now() WHERE done_at IS NULL");
        let arguments = ["serve", "--port", &self.ports[place], "--role", "all"];
        let fresh = Server::ready(self.workshop.place.start(&arguments)).await;
        self.fleet.insert(place, fresh);
    }

    /// Stripe forgets what it was asked under which key, and nobody asks meanwhile.
    async fn let_a_day_pass(&mut self) {
        self.kill(1).await;
        self.kill(0).await;
        // What was sent at last is still at work over there.
        sleep(Duration::from_millis(700)).await;
        self.bank.stripe.forget_keys();
        self.workshop
            .store
            .sql("UPDATE outbox SET next_attempt_at = now() WHERE done_at IS NULL");
        self.start(0).await;
        self.start(1).await;
    }

    /// Some transfer comes back.
    async fn take_one_back(&mut self) {
        let transfers = self.bank.stripe.transfers();
        let sides = u64::try_from(transfers.len()).unwrap();
        if sides == 0 {
            return;
        }
        let chosen = &transfers[usize::try_from(self.dice.throw(sides)).unwrap()];
        let id = chosen["id"].as_str().unwrap();
        let told = self.bank.stripe.tell_transfer(id, TransferStep::Reversed);
        let told = self.bank.tell(&self.fleet[0], &told.unwrap()).await;
        told.assert_ok(200);
    }

    /// Until nothing is to be sent any more.
    async fn settle(&mut self) {
        for _ in 0..20 {
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(6) {
                if number(&self.workshop, UNDONE) == 0 {
                    all_ended(&self.workshop).await;
                    return;
                }
                sleep(Duration::from_millis(50)).await;
            }
            self.let_a_day_pass().await;
        }
        panic!("{} payouts never end", number(&self.workshop, UNDONE));
    }

    fn assert_everybody_was_paid_once(&self, accepted: &[String]) {
        assert_money_adds_up(&self.workshop);
        let mut sent: BTreeMap<String, Value> = BTreeMap::new();
        for transfer in self.bank.stripe.transfers() {
            let payout = transfer["metadata"]["payout_id"]
                .as_str()
                .unwrap()
                .to_owned();
            let other = sent.insert(payout, transfer);
            assert!(other.is_none(), "sent twice: {other:#?}");
        }
        let rows = "SELECT id, status, amount / 1000, coalesce(transfer_ref, '') FROM payouts";
        let rows = self.workshop.store.sql(rows);
        let (mut stored, mut paid, mut failed) = (BTreeMap::new(), 0, 0);
        for row in rows.lines() {
            let [id, status, amount, transfer] = row.split('|').collect::<Vec<_>>()[..] else {
                panic!("{row}");
            };
            let amount: i64 = amount.parse().unwrap();
            match (status, sent.get(id)) {
                ("PAID", Some(found)) => {
                    let said = (&found["id"], &found["amount"], &found["reversed"]);
                    assert_eq!(said, (&json!(transfer), &json!(amount), &json!(false)));
                    paid += amount;
                }
                ("FAILED", None) => failed += 1,
                ("FAILED", Some(found)) => assert_eq!(found["reversed"], true, "{row}: {found:#}"),
                (_, found) => panic!("{row}: {found:#?}"),
            }
            stored.insert(id.to_owned(), amount);
        }
        let lost: Vec<_> = accepted
            .iter()
            .filter(|id| !stored.contains_key(*id))
            .collect();
        assert_eq!(lost, Vec::<&String>::new());
        // Of each developer's, the last one may have been accepted without his hearing of it. Any
        // other one was asked for until there was an answer, and each time it was the same one.
        let most = accepted.len() + DEVELOPERS;
        assert!(stored.len() <= most, "{} stored, not {most}", stored.len());
        let unknown: Vec<_> = sent.keys().filter(|id| !stored.contains_key(*id)).collect();
        assert_eq!(unknown, Vec::<&String>::new());
        let arrived = sent
            .values()
            .filter(|transfer| transfer["reversed"] == false);
        let arrived: i64 = arrived
            .map(|transfer| transfer["amount"].as_i64().unwrap())
            .sum();
        let booked = "SELECT balance / 1000 FROM ledger_platform WHERE kind = 'stripe_clearing'";
        assert_eq!(
            (arrived, self.workshop.store.sql(booked)),
            (paid, paid.to_string())
        );
        let waiting = "SELECT coalesce(sum(balance), 0) FROM ledger_accounts \
            WHERE kind = 'developer_in_payout'";
        assert_eq!(self.workshop.store.sql(waiting), "0");
        assert!(
            paid > 0,
            "{} stored, {failed} refused, nothing was paid",
            stored.len()
        );
    }
}
