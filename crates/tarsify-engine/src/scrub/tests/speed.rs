//! Large outputs take no longer than reading them. The limits are those of a slow, busy
//! machine and a build without optimisation.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Scrubber, anime, material};

const MEGABYTES: usize = 10 * 1024 * 1024;

/// Text as base64 makes it, without any period.
fn image() -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut seed = 1_u64;
    let letters = (0..MEGABYTES).map(|_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(alphabet[usize::try_from(seed >> 58).unwrap()])
    });
    letters.collect()
}

fn took(scrubber: &Scrubber<'_>, value: Value) -> (Duration, Value) {
    let begin = Instant::now();
    let left = scrubber.scrub_value(value);
    (begin.elapsed(), left)
}

#[test]
fn ten_megabytes_take_less_than_a_second() {
    let material = anime();
    let scrubber = Scrubber::new(&material);
    let image = image();
    let (time, left) = took(&scrubber, json!({"image": image}));
    assert_eq!(left["image"], image);
    assert!(time < Duration::from_secs(1), "{time:?}");
}

#[test]
fn neither_many_secrets_nor_many_echoes_nor_many_escapes_take_long() {
    let secrets: Vec<String> = (0..400).map(|number| format!("secret text {number:020}")).collect();
    let material = material(json!({"prompt": "sunset"}), json!({"secretInputs": {"s": secrets}}));
    let scrubber = Scrubber::new(&material);
    let echo = format!("{} ", secrets[7]).repeat(30_000);
    let (time, left) = took(&scrubber, json!([echo]));
    assert_eq!(left[0], "[hidden] ".repeat(30_000));
    assert!(time < Duration::from_secs(4), "{time:?}");
    let (time, _) = took(&scrubber, json!(["\\\"".repeat(500_000)]));
    assert!(time < Duration::from_secs(4), "{time:?}");
    let (time, _) = took(&scrubber, json!(vec!["a short text of no import"; 50_000]));
    assert!(time < Duration::from_secs(4), "{time:?}");
}
