//! A circuit breaker: whoever fails again and again is left alone, and then asked once whether
//! it is well.

use std::time::Duration;

use tokio::time::Instant;

const MOST_FAILURES: u32 = 5;
const FIRST_REST: Duration = Duration::from_secs(10);
/// So short that whoever is well again is asked within half a minute.
pub(super) const LONGEST_REST: Duration = Duration::from_secs(20);

/// Whether calls go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breaker {
    /// They do; the last so many in a row failed.
    Closed { failures: u32 },
    /// They do not, but for one probe after the rest.
    Open {
        until: Instant,
        rest: Duration,
        has_probe: bool,
    },
}

/// How a circuit stands. What stands worse comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Circuit {
    /// Calls go through.
    Closed,
    /// The next call will find out.
    HalfOpen,
    /// None does.
    Open,
}

/// What a call that goes through is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// One of many.
    Ordinary,
    /// The one that finds out.
    Probe,
}

/// What an answer says about whether the other side is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// It answered sensibly.
    Well,
    /// It did not.
    Ill,
    /// It will not have us: the operator has to do something.
    Closed,
}

/// What became of the circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// It was opened for so long.
    Opened(Duration),
    /// It was closed.
    Closed,
}

impl Breaker {
    pub(super) const fn new() -> Self {
        Self::Closed { failures: 0 }
    }

    /// How a call would go through now, or how long none does.
    pub(super) fn passage(&self, now: Instant) -> Result<Passage, Duration> {
        match *self {
            Self::Closed { .. } => Ok(Passage::Ordinary),
            Self::Open { until, .. } if now < until => Err(until - now),
            Self::Open {
                has_probe: true, ..
            } => Err(Duration::from_secs(1)),
            Self::Open { .. } => Ok(Passage::Probe),
        }
    }

    /// How it stands.
    pub(super) fn circuit(&self, now: Instant) -> Circuit {
        match *self {
            Self::Closed { .. } => Circuit::Closed,
            Self::Open { until, .. } if now < until => Circuit::Open,
            Self::Open { .. } => Circuit::HalfOpen,
        }
    }

    /// A call goes through.
    pub(super) fn enter(&mut self, passage: Passage) {
        if let (Self::Open { has_probe, .. }, Passage::Probe) = (self, passage) {
            *has_probe = true;
        }
    }

    /// A call is over; nobody knows how when there is no health. A call that went out before
    /// the circuit was opened says nothing any more.
    pub(super) fn leave(
        &mut self,
        passage: Passage,
        health: Option<Health>,
        now: Instant,
    ) -> Change {
        match (&mut *self, passage, health) {
            (Self::Open { has_probe, .. }, Passage::Probe, None) => {
                *has_probe = false;
                Change::None
            }
            (Self::Open { .. }, Passage::Probe, Some(Health::Well)) => {
                *self = Self::new();
                Change::Closed
            }
            (Self::Open { rest, .. }, Passage::Probe, Some(_)) => {
                let rest = (*rest * 2).min(LONGEST_REST);
                self.open(rest, now)
            }
            (Self::Closed { failures }, _, Some(Health::Well)) => {
                *failures = 0;
                Change::None
            }
            (Self::Closed { failures }, _, Some(Health::Ill)) => {
                *failures = failures.saturating_add(1);
                if *failures < MOST_FAILURES {
                    return Change::None;
                }
                self.open(FIRST_REST, now)
            }
            (Self::Closed { .. }, _, Some(Health::Closed)) => self.open(FIRST_REST, now),
            (Self::Open { .. }, Passage::Ordinary, _) | (Self::Closed { .. }, _, None) => {
                Change::None
            }
        }
    }

    fn open(&mut self, rest: Duration, now: Instant) -> Change {
        *self = Self::Open {
            until: now + rest,
            rest,
            has_probe: false,
        };
        Change::Opened(rest)
    }
}

#[cfg(test)]
mod tests;
