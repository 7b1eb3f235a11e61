//! What becomes of typed words.

use super::beginnings;

#[test]
fn every_word_is_a_beginning_and_nothing_is_an_operator() {
    for (typed, why, expected) in [
        ("anime generator", "two words", "anime:* & generator:*"),
        ("anime-generator", "a slug", "anime:* & generator:*"),
        (
            "bob's v1.5",
            "quote and version",
            "bob:* & s:* & v1:* & 5:*",
        ),
        ("-anime | !x:*", "operators", "anime:* & x:*"),
        ("größe-é", "letters beyond ASCII", "größe:* & é:*"),
        ("'); --", "no word", ""),
    ] {
        assert_eq!(beginnings(typed), expected, "{why}");
    }
}
