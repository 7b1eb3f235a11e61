use super::*;

fn bucket_of(milliseconds: f64) -> TimeBucket {
    let bucket = (milliseconds.log2() * TimeBucket::STEPS).floor();
    TimeBucket(format!("{bucket:.0}").parse().unwrap())
}

#[test]
fn a_bucket_is_near_every_duration_in_it() {
    for milliseconds in [20, 99, 500, 1_000, 1_750, 30_000, 600_000, 604_800_000_u64] {
        let exact = format!("{milliseconds}").parse::<f64>().unwrap();
        let middle = bucket_of(exact).middle_ms();
        let beside = middle.abs_diff(milliseconds) * 1_000 / milliseconds;
        assert!(beside <= 50, "{milliseconds} ms are taken for {middle} ms");
    }
}

#[test]
fn percentiles_count_from_the_shortest() {
    let counts = [
        (TimeBucket(10), 50),
        (TimeBucket(20), 45),
        (TimeBucket(30), 4),
        (TimeBucket(40), 1),
    ];
    let cases = [
        (1, 10),
        (50, 10),
        (51, 20),
        (95, 20),
        (96, 30),
        (99, 30),
        (100, 40),
    ];
    for (hundredths, bucket) in cases {
        let found = TimeBucket::percentile(&counts, hundredths);
        assert_eq!(found, Some(TimeBucket(bucket)), "p{hundredths}");
    }
    assert_eq!(TimeBucket::percentile(&[], 50), None);
    assert_eq!(TimeBucket::percentile(&[(TimeBucket(3), 0)], 50), None);
    let one = [(TimeBucket(3), 1)];
    assert_eq!(TimeBucket::percentile(&one, 95), Some(TimeBucket(3)));
}

#[test]
fn what_was_called_off_is_no_failure() {
    let sums = RunSums {
        completed: 3,
        failed: 1,
        cancelled: 96,
        ..RunSums::default()
    };
    assert_eq!(sums.runs(), 100);
    assert_eq!(sums.success_ten_thousandths(), Some(7_500));
    assert_eq!(RunSums::default().success_ten_thousandths(), None);
}
