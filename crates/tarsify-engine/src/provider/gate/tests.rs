//! Budget, patience and circuit together.

use super::super::budget::Budget;
use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn gate(now: Instant) -> Gate {
    let budget = Budget {
        per_second: 10,
        burst: 20,
        at_once: 3,
    };
    Gate::new(budget.divided(1), None, now)
}

#[test]
fn the_allowance_is_what_is_let_through() {
    let now = Instant::now();
    let mut gate = gate(now);
    assert_eq!(gate.allowance(now), 3);
    let entries: Vec<Entry> = (0..3).map(|_| gate.enter(now).unwrap()).collect();
    assert_eq!(gate.allowance(now), 0);
    assert!(matches!(gate.enter(now), Err(Denied::Budget(_))));
    for entry in entries {
        gate.leave(entry, Some(Outcome::Answered), now);
    }
    for _ in 0..17 {
        let entry = gate.enter(now).unwrap();
        gate.leave(entry, None, now);
    }
    assert_eq!(gate.allowance(now), 0, "the bucket is empty");
    assert!(matches!(gate.enter(now), Err(Denied::Budget(_))));
    assert_eq!(gate.allowance(now + SECOND), 3);
}

#[test]
fn whoever_is_asked_for_patience_waits() {
    let now = Instant::now();
    let mut gate = gate(now);
    let entry = gate.enter(now).unwrap();
    gate.leave(entry, Some(Outcome::TooMany(Some(SECOND * 5))), now);
    assert_eq!(gate.allowance(now), 0);
    assert_eq!(gate.enter(now).unwrap_err(), Denied::Patience(SECOND * 5));
    assert_eq!(gate.allowance(now + SECOND * 5), 3);
}

#[test]
fn a_refused_key_stops_everybody_but_one_probe() {
    let now = Instant::now();
    let mut gate = gate(now);
    let entry = gate.enter(now).unwrap();
    let change = gate.leave(entry, Some(Outcome::Forbidden), now);
    assert_eq!(change, Change::Opened(SECOND * 10));
    assert_eq!(gate.allowance(now), 0);
    assert_eq!(gate.enter(now).unwrap_err(), Denied::Circuit(SECOND * 10));
    let later = now + SECOND * 10;
    assert_eq!(gate.allowance(later), 1);
    let probe = gate.enter(later).unwrap();
    assert_eq!(gate.allowance(later), 0);
    let change = gate.leave(probe, Some(Outcome::Answered), later);
    assert_eq!((change, gate.allowance(later)), (Change::Closed, 3));
}

#[test]
fn a_storm_of_429_opens_no_circuit_and_one_of_503_does() {
    for (outcome, expected) in [
        (Outcome::TooMany(None), None),
        (
            Outcome::Unavailable(None),
            Some(Change::Opened(SECOND * 10)),
        ),
        (Outcome::Failed, Some(Change::Opened(SECOND * 10))),
    ] {
        let mut now = Instant::now();
        let mut gate = gate(now);
        let mut last = Change::None;
        for _ in 0..5 {
            now += SECOND * 61;
            let entry = gate.enter(now).unwrap();
            last = gate.leave(entry, Some(outcome), now);
        }
        assert_eq!(last, expected.unwrap_or(Change::None), "{outcome:?}");
    }
}

#[test]
fn who_was_ill_for_long_is_asked_again_within_half_a_minute() {
    let mut now = Instant::now();
    let mut gate = gate(now);
    let mut calls = 0;
    let storm = now + SECOND * 600;
    while now < storm {
        if let Ok(entry) = gate.enter(now) {
            calls += 1;
            gate.leave(entry, Some(Outcome::Unavailable(None)), now);
        }
        now += SECOND / 10;
    }
    assert!((25..=45).contains(&calls), "{calls} calls in ten minutes");
    let waits = gate.closed(now).map_or(Duration::ZERO, Denied::wait);
    assert!(waits <= SECOND * 20, "{waits:?}");
    assert!(gate.enter(now + SECOND * 20).is_ok());
}
