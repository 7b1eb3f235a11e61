//! For how long something is told, and that nothing is told that nobody has looked at.

use super::*;

const MOMENT: Duration = Duration::from_millis(1);

fn pulse() -> Pulse {
    Pulse {
        waiting: 3,
        ..Pulse::default()
    }
}

#[test]
fn who_never_managed_the_first_pulse_tells_zeros_for_a_while_and_then_nothing() {
    let begun = Instant::now();
    let last = LastPulse::of(Known::NotYet(begun));
    assert_eq!(last.at(begun), Some(Pulse::default()));
    assert_eq!(last.at(begun + OLD), Some(Pulse::default()));
    assert_eq!(last.at(begun + OLD + MOMENT), None);
}

#[test]
fn a_pulse_is_told_until_it_is_old_and_again_once_it_is_taken_again() {
    let begun = Instant::now();
    let last = LastPulse::of(Known::NotYet(begun));
    let taken = begun + OLD * 2;
    last.keep(taken, pulse());
    assert_eq!(last.at(taken + OLD), Some(pulse()));
    assert_eq!(last.at(taken + OLD + MOMENT), None);
    last.keep(taken + OLD * 2, Pulse::default());
    assert_eq!(last.at(taken + OLD * 2), Some(Pulse::default()));
}

#[test]
fn who_takes_none_tells_nothing() {
    let last = LastPulse::of(Known::Never);
    let now = Instant::now();
    assert_eq!((last.at(now), last.imbalance_at(now)), (None, None));
}

#[test]
fn what_all_accounts_hold_is_told_when_somebody_has_looked_and_not_for_ever() {
    let begun = Instant::now();
    let last = LastPulse::of(Known::NotYet(begun));
    assert_eq!(last.imbalance_at(begun), None, "nobody has looked");
    for imbalance in [0, -7] {
        last.keep_imbalance(begun, imbalance);
        assert_eq!(last.imbalance_at(begun + WEIGHED_LONG_AGO), Some(imbalance));
        assert_eq!(last.imbalance_at(begun + WEIGHED_LONG_AGO + MOMENT), None);
    }
}
