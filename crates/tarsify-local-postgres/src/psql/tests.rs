//! Quoting holds against hostile names.

use std::path::Path;

use super::{DatabaseName, literal, url};

#[test]
fn a_url_holds_a_folder_with_spaces() {
    assert_eq!(
        url(Path::new("/a b/run"), "tarsify"),
        "postgresql://tarsify@%2Fa%20b%2Frun/tarsify"
    );
}

#[test]
fn names_are_quoted() {
    assert_eq!(
        DatabaseName::parse("a\"b").unwrap().identifier,
        "\"a\"\"b\""
    );
    assert_eq!(literal("o'\\n"), "E'o''\\\\n'");
}

#[test]
fn impossible_names_are_refused() {
    for (name, why) in [
        ("", "empty"),
        ("a\0b", "control character"),
        (&*"x".repeat(64), "too long"),
    ] {
        assert!(DatabaseName::parse(name).is_err(), "{why}");
    }
}
