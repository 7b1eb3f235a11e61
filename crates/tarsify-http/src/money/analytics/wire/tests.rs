//! Days without gaps.

use tarsify_domain::money::Millicredits;
use time::macros::date;

use super::*;

fn day(day: Date, completed: u64) -> AnalyticsDay {
    let sums = RunSums {
        completed,
        earned: Millicredits::new(1_500),
        ..RunSums::default()
    };
    AnalyticsDay { day, sums }
}

#[test]
fn every_day_of_a_period_is_there_once_and_in_order() {
    let today = date!(2026 - 03 - 02);
    for (period, many) in [
        (Period::Week, 7),
        (Period::Month, 30),
        (Period::Quarter, 90),
        (Period::Year, 365),
    ] {
        let known = vec![day(date!(2026 - 02 - 28), 3), day(today, 1)];
        let days = without_gaps(known, period, today);
        assert_eq!(days.len(), many, "{period:?}");
        let follows = |pair: &[AnalyticsDay]| pair[0].day.next_day() == Some(pair[1].day);
        assert!(days.windows(2).all(follows), "{period:?}");
        assert_eq!(days.last().unwrap().sums.completed, 1);
        assert_eq!(days[many - 3].sums.completed, 3);
        let completed: u64 = days.iter().map(|day| day.sums.completed).sum();
        assert_eq!(completed, 4);
    }
}

#[test]
fn what_the_store_tells_is_never_left_out() {
    let today = date!(2026 - 03 - 02);
    let tomorrow = day(date!(2026 - 03 - 03), 2);
    let days = without_gaps(vec![tomorrow], Period::Week, today);
    assert_eq!(days.len(), 8);
    assert_eq!(days.last().unwrap(), &tomorrow);
    let all = without_gaps(vec![tomorrow], Period::All, today);
    assert_eq!(all, [tomorrow]);
}
