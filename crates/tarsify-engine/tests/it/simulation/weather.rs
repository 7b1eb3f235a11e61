//! What goes wrong in one world, and how often. Every seed has faults of its own: many are calm
//! in most respects, so that what holds without a fault is seen to hold without it.

use super::dice::Dice;
use super::time::{MINUTE, Micros, SECOND};

/// From when until when.
pub(super) type Span = (Micros, Micros);

/// Something has to go right now and then, or nothing would be learned.
const WORST: u64 = 600;

/// All chances are per thousand.
pub(super) struct Weather {
    pub(super) submit_lost: u64,
    pub(super) submit_undone: u64,
    /// The answer takes as long as one is waited for.
    pub(super) stalled: u64,
    /// The answer takes seconds.
    pub(super) slow: u64,
    pub(super) look_down: u64,
    pub(super) look_garbled: u64,
    /// A job that the provider does not find for a while.
    pub(super) job_hidden: u64,
    pub(super) job_forgotten: u64,
    pub(super) job_deaf: u64,
    pub(super) job_bad_end: u64,
    pub(super) unknown_word: u64,
    pub(super) backwards: u64,
    pub(super) stop_down: u64,
    pub(super) write_unsent: u64,
    pub(super) write_unheard: u64,
    pub(super) claim_unheard: u64,
    pub(super) kill: u64,
    pub(super) pause: u64,
    pub(super) poison: u64,
    /// The provider refuses most calls.
    pub(super) storms: Vec<Span>,
    /// The store answers nobody.
    pub(super) outages: Vec<Span>,
    /// The provider refuses every call.
    pub(super) blackout: Option<Span>,
}

impl Weather {
    pub(super) fn new(dice: &mut Dice) -> Self {
        // In some worlds hardly anything goes right.
        let times = if dice.chance(100) { 6 } else { 1 };
        let mut often = |mild: u64, wild: u64| match dice.below(6) {
            0..=2 => 0,
            3 | 4 => (mild * times).min(WORST),
            _ => (wild * times).min(WORST),
        };
        let mut weather = Self {
            submit_lost: often(30, 250),
            submit_undone: often(50, 400),
            stalled: often(5, 40),
            slow: often(20, 150),
            look_down: often(30, 300),
            look_garbled: often(20, 300),
            job_hidden: often(40, 200),
            job_forgotten: often(20, 100),
            job_deaf: often(50, 400),
            job_bad_end: often(100, 400),
            unknown_word: often(20, 200),
            backwards: often(20, 200),
            stop_down: often(100, 700),
            write_unsent: often(5, 50),
            write_unheard: often(5, 50),
            claim_unheard: often(5, 50),
            kill: often(1, 8),
            pause: often(1, 6),
            poison: often(5, 20),
            storms: Vec::new(),
            outages: Vec::new(),
            blackout: None,
        };
        weather.storms = spans(dice, &[20 * SECOND, MINUTE, 3 * MINUTE]);
        weather.outages = spans(dice, &[2 * SECOND, 20 * SECOND, MINUTE]);
        weather
    }

    /// Nothing goes wrong but this.
    pub(super) fn fair(blackout: Option<Span>) -> Self {
        Self {
            submit_lost: 0,
            submit_undone: 0,
            stalled: 0,
            slow: 0,
            look_down: 0,
            look_garbled: 0,
            job_hidden: 0,
            job_forgotten: 0,
            job_deaf: 0,
            job_bad_end: 0,
            unknown_word: 0,
            backwards: 0,
            stop_down: 0,
            write_unsent: 0,
            write_unheard: 0,
            claim_unheard: 0,
            kill: 0,
            pause: 0,
            poison: 0,
            storms: Vec::new(),
            outages: Vec::new(),
            blackout,
        }
    }

    pub(super) fn is_blackout(&self, now: Micros) -> bool {
        let spans = self.blackout.as_slice();
        holds(spans, now).is_some()
    }

    pub(super) fn is_storm(&self, now: Micros) -> bool {
        holds(&self.storms, now).is_some()
    }

    /// Until when the store answers nobody, if it does not.
    pub(super) fn outage_end(&self, now: Micros) -> Option<Micros> {
        holds(&self.outages, now)
    }

    /// Since when the store has been there without a break, as far as it is past.
    pub(super) fn store_up_since(&self, now: Micros) -> Micros {
        let ends = self.outages.iter().filter(|(from, _)| *from <= now);
        ends.map(|(_, until)| *until).max().unwrap_or(0)
    }
}

fn spans(dice: &mut Dice, lengths: &[Micros]) -> Vec<Span> {
    let count = dice.below(6).saturating_sub(3);
    let mut spans = Vec::new();
    for _ in 0..count {
        let from = dice.below(6 * MINUTE);
        let length = dice.pick(lengths);
        spans.push((from, from + dice.between(SECOND, length)));
    }
    spans
}

fn holds(spans: &[Span], now: Micros) -> Option<Micros> {
    let over = spans
        .iter()
        .filter(|(from, until)| *from <= now && now < *until);
    over.map(|(_, until)| *until).max()
}
