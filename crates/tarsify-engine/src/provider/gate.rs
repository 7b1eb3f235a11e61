//! The gate before one operation of one endpoint: budget, patience and circuit together. It
//! keeps no more than these, however many calls there are.

use std::time::Duration;

use tokio::time::Instant;

use super::breaker::{Breaker, Change, Circuit, Health, LONGEST_REST, Passage};
use super::budget::{Bucket, Part};
use super::patience::Patience;

/// The gate before one operation of one endpoint.
#[derive(Debug)]
pub(super) struct Gate {
    part: Part,
    bucket: Bucket,
    /// Calls that wait for their answers.
    open: u32,
    patience: Patience,
    breaker: Breaker,
    used_at: Instant,
}

/// A call that was let through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    begun: Instant,
    passage: Passage,
}

/// Why a call was not let through, and how long none will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// The budget is used up.
    Budget(Duration),
    /// The endpoint asked for patience.
    Patience(Duration),
    /// The circuit is open.
    Circuit(Duration),
}

impl Denied {
    pub(super) const fn wait(self) -> Duration {
        match self {
            Self::Budget(wait) | Self::Patience(wait) | Self::Circuit(wait) => wait,
        }
    }
}

/// What a call came to, as far as the next calls are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was answered, for better or worse.
    Answered,
    /// There were too many calls.
    TooMany(Option<Duration>),
    /// The endpoint cannot serve anybody now.
    Unavailable(Option<Duration>),
    /// There was no sensible answer.
    Failed,
    /// The endpoint will not have us.
    Forbidden,
}

/// How soon one of too many calls under way is likely to be answered.
const CROWDED: Duration = Duration::from_millis(100);

impl Gate {
    pub(super) fn new(part: Part, empty_at: Option<Instant>, now: Instant) -> Self {
        Self {
            part,
            bucket: Bucket::new(part, empty_at, now),
            open: 0,
            patience: Patience::default(),
            breaker: Breaker::new(),
            used_at: now,
        }
    }

    /// From now on this part of the budget is ours; after a rest, as if it were empty then.
    pub(super) fn change(&mut self, part: Part, empty_at: Option<Instant>, now: Instant) {
        self.part = part;
        self.bucket = match empty_at {
            Some(_) => Bucket::new(part, empty_at, now),
            None => self.bucket.changed(part, now),
        };
    }

    /// How many calls would be let through now.
    pub(super) fn allowance(&self, now: Instant) -> u32 {
        if self.patience.left(now).is_some() {
            return 0;
        }
        let free = self.part.at_once().saturating_sub(self.open);
        let free = free.min(self.bucket.tokens(now));
        match self.breaker.passage(now) {
            Ok(Passage::Ordinary) => free,
            Ok(Passage::Probe) => free.min(1),
            Err(_) => 0,
        }
    }

    /// From now on the first pause after an answer that asks for one is so long.
    pub(super) fn begin_pauses_with(&mut self, first: Duration) {
        self.patience.begin_with(first);
    }

    /// Lets a call through, or says why not.
    pub(super) fn enter(&mut self, now: Instant) -> Result<Entry, Denied> {
        self.used_at = now;
        let passage = self.breaker.passage(now).map_err(Denied::Circuit)?;
        if let Some(wait) = self.patience.left(now) {
            return Err(Denied::Patience(wait));
        }
        if self.open >= self.part.at_once() {
            return Err(Denied::Budget(CROWDED));
        }
        self.bucket.take(now).map_err(Denied::Budget)?;
        self.breaker.enter(passage);
        self.open = self.open.saturating_add(1);
        let begun = now;
        Ok(Entry { begun, passage })
    }

    /// A call is over; nobody knows how when there is no outcome.
    pub(super) fn leave(&mut self, entry: Entry, outcome: Option<Outcome>, now: Instant) -> Change {
        self.used_at = now;
        self.open = self.open.saturating_sub(1);
        let health = match outcome {
            Some(Outcome::Answered | Outcome::TooMany(_)) => Some(Health::Well),
            Some(Outcome::Unavailable(_) | Outcome::Failed) => Some(Health::Ill),
            Some(Outcome::Forbidden) => Some(Health::Closed),
            None => None,
        };
        match outcome {
            Some(Outcome::TooMany(wait)) => self.patience.ask(entry.begun, now, wait),
            // Whether it is well again is the breaker's to find out, and not much later than that.
            Some(Outcome::Unavailable(wait)) => {
                let wish = (wait, LONGEST_REST);
                self.patience.ask_at_most(entry.begun, now, wish);
            }
            Some(Outcome::Answered) => self.patience.relieve(entry.begun),
            Some(Outcome::Failed | Outcome::Forbidden) | None => {}
        }
        self.breaker.leave(entry.passage, health, now)
    }

    /// Why no call is let through, budget aside.
    pub(super) fn closed(&self, now: Instant) -> Option<Denied> {
        let circuit = self.breaker.passage(now).err().map(Denied::Circuit);
        circuit.or_else(|| self.patience.left(now).map(Denied::Patience))
    }

    /// How the circuit stands.
    pub(super) fn circuit(&self, now: Instant) -> Circuit {
        self.breaker.circuit(now)
    }

    /// Whether the endpoint asked for patience that is not over.
    pub(super) fn is_resting(&self, now: Instant) -> bool {
        self.patience.left(now).is_some()
    }

    /// Whether nobody came here for so long.
    pub(super) fn is_idle_for(&self, time: Duration, now: Instant) -> bool {
        self.open == 0 && now.saturating_duration_since(self.used_at) >= time
    }
}

#[cfg(test)]
mod tests;
