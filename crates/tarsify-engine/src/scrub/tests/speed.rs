//! Large outputs take no longer than reading them. The limits are those of a build without
//! optimisation, and the best of a few tries counts, because the machine may be busy.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Scrubber, anime, material};

const TEN_MEGABYTES: usize = 10 * 1024 * 1024;
const SECOND: Duration = Duration::from_secs(1);

/// Text as base64 makes it, without any period.
fn image() -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut seed = 1_u64;
    let letters = (0..TEN_MEGABYTES).map(|_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(alphabet[usize::try_from(seed >> 58).unwrap()])
    });
    letters.collect()
}

/// Scrubs, and checks that it takes no longer than `limit`.
fn scrub_within(limit: Duration, scrubber: &Scrubber<'_>, value: &Value) -> Value {
    let mut best = Duration::MAX;
    for _ in 0..8 {
        let value = value.clone();
        let begin = Instant::now();
        let left = scrubber.scrub_value(value);
        best = best.min(begin.elapsed());
        if best < limit {
            return left;
        }
    }
    panic!("it takes {best:?}")
}

#[test]
fn ten_megabytes_take_less_than_a_second() {
    let material = anime();
    let scrubber = Scrubber::new(&material);
    let image = image();
    let left = scrub_within(SECOND, &scrubber, &json!({"image": image}));
    assert_eq!(left["image"], image);
}

#[test]
fn neither_many_secrets_nor_many_echoes_nor_many_escapes_take_long() {
    let secrets: Vec<String> = (0..400)
        .map(|number| format!("secret text {number:020}"))
        .collect();
    let material = material(
        json!({"prompt": "sunset"}),
        json!({"secretInputs": {"s": secrets}}),
    );
    let scrubber = Scrubber::new(&material);
    let echo = format!("{} ", secrets[7]).repeat(30_000);
    let left = scrub_within(SECOND * 4, &scrubber, &json!([echo]));
    assert_eq!(left[0], "[hidden] ".repeat(30_000));
    let _ = scrub_within(SECOND * 4, &scrubber, &json!(["\\\"".repeat(500_000)]));
    let short = vec!["a short text of no import"; 50_000];
    let _ = scrub_within(SECOND * 4, &scrubber, &json!(short));
}

#[test]
fn long_secrets_that_repeat_themselves_take_no_longer() {
    let material = material(
        json!({"prompt": "x"}),
        json!({"promptPrefix": "a".repeat(20_000), "secretInputs": {"s": "ab".repeat(3000)}}),
    );
    let begin = Instant::now();
    let scrubber = Scrubber::new(&material);
    assert!(begin.elapsed() < SECOND * 4, "{:?}", begin.elapsed());
    for echo in ["a".repeat(500_000), "ab".repeat(300_000)] {
        let left = scrub_within(SECOND * 4, &scrubber, &json!(echo));
        assert_eq!(left, "[hidden]");
    }
}
