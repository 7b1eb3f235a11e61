//! Cut anywhere, into however many parts, nothing concealed is told, and nothing else is lost.

use proptest::prelude::*;
use serde_json::{Value, json};
use tarsify_domain::execution::Material;

use crate::scrub::Scrubber;
use crate::scrub::tests::{anime, material};

/// What is told of a text that comes in parts.
fn told(material: &Material, parts: &[&str]) -> Vec<String> {
    let scrubber = Scrubber::new(material);
    let (mut held, mut told) = (String::new(), Vec::new());
    for part in parts {
        held.push_str(part);
        let rest = held.split_off(scrubber.settled(&held));
        told.push(scrubber.scrub_text(&std::mem::replace(&mut held, rest)));
    }
    told.push(scrubber.scrub_text(&held));
    told
}

/// The text in parts that are cut at these places.
fn parts<'a>(text: &'a str, places: &[usize]) -> Vec<&'a str> {
    let mut places: Vec<usize> = places
        .iter()
        .map(|place| text.floor_char_boundary(place % (text.len() + 1)))
        .collect();
    places.extend([0, text.len()]);
    places.sort_unstable();
    let pairs = places.windows(2);
    pairs.map(|pair| &text[pair[0]..pair[1]]).collect()
}

#[test]
fn a_secret_in_two_parts_is_not_told_wherever_it_is_cut() {
    let material = anime();
    let twice = Value::from(Value::from("it is inner-secret!").to_string()).to_string();
    for text in [
        "the token is CANARY-1234567, you know",
        "the token is canary-1234567",
        "CANARY-1234567",
        "CANARY-CANARY-1234567",
        r#"{"a": "\u0043ANARY-1234\u0035\u0036\u0037"}"#,
        r"once upon a time the key was CANARY-1234\u0035\u0036\u0037",
        "tail, say \"highest quality\" é",
        r#"tail, say \"highest quality\" \u00e9 and on it goes"#,
        twice.as_str(),
    ] {
        for place in 0..=text.len() {
            let joined = told(&material, &parts(text, &[place])).concat();
            for secret in ["anary-12", "1234567", "inner-se", "hest qual"] {
                let lower = joined.to_lowercase();
                assert!(!lower.contains(secret), "{text} at {place}: {joined}");
            }
            assert!(!joined.contains("u0035"), "{text} at {place}: {joined}");
        }
    }
}

#[test]
fn a_secret_that_runs_into_another_is_not_told() {
    let (one, other) = ("SECRET-ONE-TAIL", "ONE-TAIL-AND-MORE");
    let material = material(
        json!({"prompt": "x"}),
        json!({"secretInputs": {"one": one, "other": other}}),
    );
    for text in [
        "it is SECRET-ONE-TAIL-AN end",
        "it is SECRET-ONE-TAIL-AND-MORE of it",
    ] {
        for place in 0..=text.len() {
            let joined = told(&material, &parts(text, &[place])).concat();
            let is_told = joined.contains("SECRET") || joined.contains("ONE-TAIL");
            assert!(!is_told, "{text} at {place}: {joined}");
        }
    }
}

#[test]
fn letter_by_letter_the_rest_is_told_as_it_is() {
    let material = anime();
    let text = "A canary sings; the CANARY-1234567 too. \\alpha + \\beta say \"high\" é.";
    let letters: Vec<String> = text.chars().map(String::from).collect();
    let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
    let joined = told(&material, &letters).concat();
    assert_eq!(joined, text.replace("CANARY-1234567", "[hidden]"));
}

#[test]
fn what_cannot_become_a_secret_is_told_at_once() {
    let material = anime();
    let told = told(
        &material,
        &["Once upon a time?", " There was 9", " and 10!"],
    );
    assert_eq!(told[0], "Once upon a time?");
    let nothing = self::material(json!({"prompt": "x"}), json!({}));
    let scrubber = Scrubber::new(&nothing);
    assert!(scrubber.conceals_no_text());
    assert_eq!(scrubber.settled("anything \\u00"), 13);
}

proptest! {
    #[test]
    fn no_cuts_tell_a_secret(
        words in proptest::collection::vec(
            prop_oneof![
                Just("CANARY-1234567".to_owned()), Just("inner-secret".to_owned()),
                Just("anime style, sunset".to_owned()), Just("CANARY-".to_owned()),
                Just("1234567".to_owned()), Just("\\".to_owned()), Just("\\u0043".to_owned()),
                Just("ANARY-1234567".to_owned()), "[ a-zé\\\\\"]{0,6}",
            ],
            0..8,
        ),
        places in proptest::collection::vec(0_usize..200, 0..6),
    ) {
        let material = anime();
        let text = words.concat();
        let whole = Scrubber::new(&material).scrub_text(&text).to_lowercase();
        let told = told(&material, &parts(&text, &places)).concat().to_lowercase();
        for secret in ["canary-1234567", "inner-secret", r"\u0043anary-1234567"] {
            prop_assert!(!whole.contains(secret), "{}: {}", text, whole);
            prop_assert!(!told.contains(secret), "{}: {}", text, told);
        }
        // Nor a piece that would not be told of the whole.
        for piece in ["canary-12", "nary-1234", "inner-se", "er-secret", "anime sty"] {
            let is_new = told.contains(piece) && !whole.contains(piece);
            prop_assert!(!is_new, "{}: {}", text, told);
        }
    }
}
