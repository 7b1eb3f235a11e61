//! When a circuit opens and closes.

use super::*;

fn after(breaker: &mut Breaker, healths: &[Health], now: Instant) -> Change {
    let mut change = Change::None;
    for health in healths {
        change = breaker.leave(Passage::Ordinary, Some(*health), now);
    }
    change
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn five_failures_in_a_row_open_it() {
    use Health::{Ill, Well};
    let now = Instant::now();
    for (healths, why, expected) in [
        (vec![Ill; 4], "four", Change::None),
        (vec![Ill; 5], "five", Change::Opened(FIRST_REST)),
        (
            vec![Ill, Ill, Ill, Ill, Well, Ill, Ill, Ill, Ill],
            "not in a row",
            Change::None,
        ),
        (
            vec![Health::Closed],
            "one is enough",
            Change::Opened(FIRST_REST),
        ),
    ] {
        let mut breaker = Breaker::new();
        assert_eq!(after(&mut breaker, &healths, now), expected, "{why}");
        let is_open = breaker.passage(now).is_err();
        assert_eq!(is_open, expected != Change::None, "{why}");
    }
}

#[test]
fn one_probe_goes_through_after_the_rest_which_doubles_once() {
    let mut now = Instant::now();
    let mut breaker = Breaker::new();
    after(&mut breaker, &[Health::Closed], now);
    for rest in [10, 20, 20, 20] {
        assert_eq!(breaker.passage(now), Err(SECOND * rest));
        now += SECOND * rest;
        assert_eq!(breaker.passage(now), Ok(Passage::Probe));
        breaker.enter(Passage::Probe);
        assert!(breaker.passage(now).is_err(), "a second probe");
        breaker.leave(Passage::Probe, Some(Health::Ill), now);
    }
    now += SECOND * 20;
    breaker.enter(Passage::Probe);
    let change = breaker.leave(Passage::Probe, Some(Health::Well), now);
    assert_eq!(change, Change::Closed);
    assert_eq!(breaker, Breaker::new());
}

#[test]
fn a_probe_that_nobody_waited_for_makes_room_for_another() {
    let now = Instant::now();
    let mut breaker = Breaker::new();
    after(&mut breaker, &[Health::Closed], now);
    let later = now + FIRST_REST;
    breaker.enter(Passage::Probe);
    breaker.leave(Passage::Probe, None, later);
    assert_eq!(breaker.passage(later), Ok(Passage::Probe));
}

#[test]
fn calls_from_before_it_opened_change_nothing() {
    let now = Instant::now();
    let mut breaker = Breaker::new();
    after(&mut breaker, &[Health::Closed], now);
    let open = breaker;
    for health in [Health::Well, Health::Ill, Health::Closed] {
        breaker.leave(Passage::Ordinary, Some(health), now + SECOND);
        assert_eq!(breaker, open, "{health:?}");
    }
}
