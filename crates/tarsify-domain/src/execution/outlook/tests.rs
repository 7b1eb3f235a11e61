//! Guesses from a line and from a history.

use super::*;

fn waiting(ahead: u32, under_way: u32, limits: EndpointLimits) -> Outlook {
    Outlook {
        standing: Standing::Waiting { ahead, under_way },
        limits,
        times: Vec::new(),
        estimated: Duration::from_secs(10),
    }
}

fn told(outlook: &Outlook) -> (Option<u32>, Option<u64>, Option<u64>) {
    let Forecast {
        queue_position,
        eta_seconds,
        eta_seconds_p90,
    } = outlook.forecast();
    (queue_position, eta_seconds, eta_seconds_p90)
}

#[test]
fn an_endpoint_without_limits_takes_all_at_once() {
    let outlook = waiting(7, 9, EndpointLimits::default());
    assert_eq!(told(&outlook), (Some(8), Some(10), Some(10)));
}

#[test]
fn places_are_free_in_rounds() {
    let limits = EndpointLimits {
        max_concurrency: Some(2),
        ..EndpointLimits::default()
    };
    for (ahead, under_way, expected) in [(0, 0, 10), (0, 1, 10), (0, 2, 20), (3, 2, 30), (4, 2, 40)]
    {
        let outlook = waiting(ahead, under_way, limits);
        let expected = (Some(ahead + 1), Some(expected), Some(expected));
        assert_eq!(told(&outlook), expected, "{ahead} {under_way}");
    }
}

#[test]
fn a_minute_has_room_for_so_many() {
    let limits = EndpointLimits {
        max_concurrency: Some(100),
        max_per_minute: Some(5),
        ..EndpointLimits::default()
    };
    assert_eq!(told(&waiting(4, 0, limits)).1, Some(10));
    assert_eq!(told(&waiting(5, 0, limits)).1, Some(70));
}

#[test]
fn five_runs_say_more_than_the_operator() {
    let mut outlook = waiting(0, 0, EndpointLimits::default());
    // 8 steps to a doubling of milliseconds: 2 to the 12th is 4 s, 2 to the 15th is 33 s.
    outlook.times = vec![(TimeBucket(96), 3), (TimeBucket(120), 1)];
    assert_eq!(told(&outlook), (Some(1), Some(10), Some(10)));
    outlook.times = vec![(TimeBucket(96), 3), (TimeBucket(120), 2)];
    assert_eq!(told(&outlook), (Some(1), Some(5), Some(35)));
}

#[test]
fn what_is_at_work_is_done_sooner_and_what_has_ended_is_done() {
    let mut outlook = waiting(0, 0, EndpointLimits::default());
    for (worked, expected) in [(0, 10), (4, 6), (10, 1), (100, 1)] {
        let worked = Duration::from_secs(worked);
        outlook.standing = Standing::Submitted { worked };
        assert_eq!(told(&outlook), (None, Some(expected), Some(expected)));
    }
    outlook.standing = Standing::Ended;
    assert_eq!(told(&outlook), (None, None, None));
}

#[test]
fn no_number_is_too_large() {
    let limits = EndpointLimits {
        max_concurrency: Some(1),
        max_per_minute: Some(1),
        ..EndpointLimits::default()
    };
    let mut outlook = waiting(u32::MAX, u32::MAX, limits);
    outlook.estimated = Duration::MAX;
    assert_eq!(outlook.forecast().queue_position, Some(u32::MAX));
    assert_eq!(outlook.forecast().eta_seconds, Some(u64::MAX));
}
