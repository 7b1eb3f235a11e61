//! What goes wrong, and how it is made good again.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tarsify_emulator::stripe::{StripeFault, StripeOperation};
use tokio::time::sleep;

use super::city::{City, FLEET, LEASE};
use crate::endurance::Dice;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Blow {
    /// A process is gone in the middle of everything.
    Kill,
    /// A process is stopped as for an upgrade.
    Stop,
    /// A process stands still for longer than its leases hold, and goes on.
    Freeze,
    /// PostgreSQL drops every connection.
    Drop,
    /// PostgreSQL lets nobody in.
    Close,
    /// Redis forgets everything, its script too.
    Forget,
    /// Redis answers nothing.
    Still,
    /// Redis is gone.
    Gone,
    /// The provider does something of its own.
    Gpus,
    /// Stripe does.
    Bank,
}

const BLOWS: [Blow; 10] = [
    Blow::Kill,
    Blow::Gpus,
    Blow::Drop,
    Blow::Freeze,
    Blow::Bank,
    Blow::Still,
    Blow::Stop,
    Blow::Close,
    Blow::Gone,
    Blow::Forget,
];

/// What a provider does on its worst days, a day each.
const DAYS: [&[(&str, &str)]; 7] = [
    &[
        ("run", "rate_limited"),
        ("status", "rate_limited"),
        ("cancel", "rate_limited"),
    ],
    &[
        ("run", "unavailable"),
        ("status", "unavailable"),
        ("webhook", "none"),
    ],
    &[("run", "accept_then_bad_gateway"), ("webhook", "late")],
    &[
        ("run", "accept_then_drop"),
        ("status", "backwards"),
        ("webhook", "duplicate"),
    ],
    &[
        ("webhook", "reordered"),
        ("status", "unknown_status"),
        ("cancel", "ignored"),
    ],
    &[
        ("webhook", "forged_body"),
        ("status", "malformed"),
        ("cancel", "completes_first"),
    ],
    &[
        ("webhook", "forged_path"),
        ("output", "traceback"),
        ("run", "refuse"),
        ("status", "late_progress"),
    ],
];

/// Nothing that Stripe says again, for a day, to whoever asks again: nobody has a day here.
const MISTAKES: [StripeFault; 4] = [
    StripeFault::Slow,
    StripeFault::ErrorAfter,
    StripeFault::Down,
    StripeFault::TooMany,
];

/// Who has things go wrong: each of them in turn, at a place and for a time that the dice say. Of the
/// days of a provider and the mistakes of Stripe each has its turn too, or many an age would end
/// without some of them; with which they begin the dice say.
pub(super) struct Director {
    dice: Dice,
    turn: usize,
    day: usize,
    mistake: usize,
    struck: BTreeMap<Blow, u32>,
}

impl Director {
    pub(super) fn new() -> Self {
        let mut dice = Dice::new();
        Self {
            day: choose(&mut dice, DAYS.len()),
            mistake: choose(&mut dice, MISTAKES.len()),
            dice,
            turn: 0,
            struck: BTreeMap::new(),
        }
    }

    /// Has the next thing go wrong, and puts it right after a while; but what GPUs and the bank do
    /// they do until their next turn.
    pub(super) async fn strike(&mut self, city: &mut City) {
        let blow = BLOWS[self.turn % BLOWS.len()];
        self.turn += 1;
        *self.struck.entry(blow).or_default() += 1;
        let place = choose(&mut self.dice, FLEET);
        let a_while = Duration::from_millis(200 + self.dice.throw(800));
        match blow {
            Blow::Kill => city.replace(place, "KILL").await,
            Blow::Stop => city.replace(place, "TERM").await,
            Blow::Freeze => {
                city.process(place).process.signal("STOP");
                sleep(LEASE + a_while).await;
                city.process(place).process.signal("CONT");
            }
            Blow::Drop => {
                city.workshop.store.end_connections();
            }
            Blow::Close => {
                city.workshop.store.close();
                sleep(a_while).await;
                city.workshop.store.open();
            }
            Blow::Forget => {
                let _done = city.redis.ask("FLUSHALL");
                let _done = city.redis.ask("SCRIPT FLUSH");
            }
            Blow::Still => {
                city.redis.freeze();
                sleep(a_while * 2).await;
                city.redis.thaw();
            }
            Blow::Gone => {
                city.redis.kill();
                sleep(a_while).await;
                city.redis.begin();
            }
            Blow::Gpus => {
                let day = DAYS[self.day % DAYS.len()];
                self.day += 1;
                city.workshop.gpus.behave("echo", behaviour(day)).await;
            }
            Blow::Bank => {
                let operations = [
                    StripeOperation::CreateTransfer,
                    StripeOperation::CreateCheckout,
                ];
                for (place, operation) in operations.into_iter().enumerate() {
                    let mistake = MISTAKES[(self.mistake + place) % MISTAKES.len()];
                    city.bank.stripe.fail(operation, mistake, 1);
                }
                self.mistake += 1;
            }
        }
        sleep(a_while).await;
    }

    /// Everything is well again.
    pub(super) async fn heal(&self, city: &City) {
        city.workshop
            .gpus
            .behave("echo", json!({"runMs": 50}))
            .await;
    }

    pub(super) fn assert_all_was_tried(&self, rounds: u32) {
        let rounds = usize::try_from(rounds).unwrap();
        assert_eq!(
            self.struck.len(),
            rounds.min(BLOWS.len()),
            "{:?}",
            self.struck
        );
    }
}

fn choose(dice: &mut Dice, of: usize) -> usize {
    usize::try_from(dice.throw(u64::try_from(of).unwrap())).unwrap()
}

/// Each of these in four of ten cases, beside a model that takes a moment.
fn behaviour(day: &[(&str, &str)]) -> Value {
    let faults: Vec<_> = day
        .iter()
        .map(|(when, kind)| json!({"when": when, "kind": kind, "probability": 0.4}))
        .collect();
    json!({"runMs": 100, "progressSteps": 2, "faults": faults})
}
