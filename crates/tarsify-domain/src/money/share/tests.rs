use proptest::prelude::*;

use super::*;

fn mc(amount: i64) -> Millicredits {
    Millicredits::new(amount)
}

#[test]
fn rounds_the_developer_down_and_gives_the_platform_the_rest() {
    let cases = [
        (0, 7_000, 0, 0),
        (1, 7_000, 0, 1),
        (1_000, 7_000, 700, 300),
        (1_001, 7_000, 700, 301),
        (9_999, 1, 0, 9_999),
        (10_000, 1, 1, 9_999),
        (1_000, 0, 0, 1_000),
        (1_000, 10_000, 1_000, 0),
        (1_000_000_000, 3_333, 333_300_000, 666_700_000),
    ];
    for (amount, part, developer, platform) in cases {
        let division = Share::parse(part).unwrap().divide(mc(amount));
        let expected = Division {
            developer: mc(developer),
            platform: mc(platform),
        };
        assert_eq!(division, expected, "{part} of 10000 of {amount}");
    }
}

#[test]
fn refuses_less_than_nothing_and_more_than_all() {
    for wrong in [-1, 10_001, i64::MIN, i64::MAX] {
        assert!(Share::parse(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn loses_and_makes_nothing(amount in 0..1_000_000_000_i64, part in 0..=10_000_i64) {
        let Division { developer, platform } = Share::parse(part).unwrap().divide(mc(amount));
        prop_assert_eq!(developer.get() + platform.get(), amount);
        prop_assert!(developer.get() >= 0 && platform.get() >= 0);
    }

    #[test]
    fn parts_that_are_given_back_come_to_what_the_whole_would(
        parts in prop::collection::vec(1..100_000_i64, 1..20),
        share in 0..=10_000_i64,
    ) {
        let share = Share::parse(share).unwrap();
        let mut before = 0;
        let mut taken = 0;
        for part in &parts {
            taken += share.taken_back(mc(before), mc(*part)).get();
            before += part;
        }
        prop_assert_eq!(taken, share.divide(mc(before)).developer.get());
    }
}
