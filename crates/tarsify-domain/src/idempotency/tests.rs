//! Which texts are keys.

use super::IdempotencyKey;

#[test]
fn a_key_may_be_bare_or_quoted() {
    for text in ["order-7", "\"order-7\"", "  order-7 "] {
        assert_eq!(IdempotencyKey::parse(text).unwrap().as_str(), "order-7");
    }
}

#[test]
fn other_texts_are_no_keys() {
    for (text, code) in [
        ("", "length"),
        ("\"\"", "length"),
        ("   ", "length"),
        (&"k".repeat(256), "length"),
        ("schlüssel", "pattern"),
        ("a\u{7}b", "pattern"),
    ] {
        assert_eq!(
            IdempotencyKey::parse(text).unwrap_err().code,
            code,
            "{text:?}"
        );
    }
    assert!(IdempotencyKey::parse(&"k".repeat(255)).is_ok());
}
