//! How long a busy endpoint is left alone.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn without_a_wish_it_doubles_to_a_minute() {
    let mut now = Instant::now();
    let mut patience = Patience::default();
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        patience.ask(now, now, None);
        let left = patience.left(now).unwrap();
        assert!(left <= SECOND * seconds, "{left:?}");
        assert!(left >= SECOND * seconds * 4 / 5, "{left:?}");
        now += SECOND * 61;
        assert_eq!(patience.left(now), None);
    }
    patience.relieve(now);
    patience.ask(now, now, None);
    assert!(patience.left(now).unwrap() <= SECOND);
}

#[test]
fn a_wish_is_followed_up_to_a_minute() {
    let now = Instant::now();
    for (wish, expected) in [(7, 7), (60, 60), (86_400, 60)] {
        let mut patience = Patience::default();
        patience.ask(now, now, Some(SECOND * wish));
        assert_eq!(patience.left(now), Some(SECOND * expected));
    }
    let mut patience = Patience::default();
    patience.ask(now, now, Some(Duration::ZERO));
    assert!(patience.left(now).is_some(), "no time is no wish");
}

#[test]
fn calls_that_went_out_together_count_once() {
    let begun = Instant::now();
    let now = begun + SECOND;
    let mut patience = Patience::default();
    for _ in 0..200 {
        patience.ask(begun, now, None);
    }
    assert!(patience.left(now).unwrap() <= SECOND);
    patience.ask(begun, now, Some(SECOND * 9));
    assert_eq!(patience.left(now), Some(SECOND * 9), "but a wish is heard");
    patience.relieve(begun);
    assert!(patience.left(now).is_some(), "an old answer ends nothing");
}

#[test]
fn the_first_pause_is_the_operators_to_say() {
    let mut now = Instant::now();
    let mut patience = Patience::default();
    patience.begin_with(SECOND * 10);
    for seconds in [10, 20, 40, 60, 60] {
        patience.ask(now, now, None);
        let left = patience.left(now).unwrap();
        assert!(left <= SECOND * seconds, "{left:?}");
        assert!(left >= SECOND * seconds * 4 / 5, "{left:?}");
        now += SECOND * 61;
    }
    patience.relieve(now);
    patience.ask(now, now, None);
    let left = patience.left(now).unwrap();
    assert!(
        left >= SECOND * 8,
        "relief forgets how often, and not what was said: {left:?}"
    );
}
