//! What is an escape, and where it came from.

use proptest::prelude::*;

use super::{escape, sources, unescape};

#[test]
fn each_writer_is_understood() {
    let table = [
        (r#"say \"hi\""#, Some(r#"say "hi""#)),
        (r"a\\b", Some(r"a\b")),
        (r"a\/b", Some("a/b")),
        (r"it\'s", Some("it's")),
        (r"\b\f\n\r\t", Some("\u{8}\u{c}\n\r\t")),
        (r"caf\u00e9 caf\u00E9", Some("café café")),
        (r"\ud83d\ude00!", Some("😀!")),
        (r"\ud83d", None),
        (r"\ud83d\u0041", Some(r"\ud83dA")),
        (r"\u12", None),
        (r"\u+123", None),
        (r"\u00é", None),
        (r"\q", None),
        (r"\", None),
        ("plain", None),
        ("", None),
        (r"é\né", Some("é\né")),
    ];
    for (text, expected) in table {
        assert_eq!(unescape(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn every_byte_has_a_source() {
    let text = r#"a\"é\u00e9\\n\q"#;
    assert_eq!(unescape(text).as_deref(), Some("a\"éé\\n\\q"));
    let wanted = [0, 1, 2, 4, 6, 7, 8, 9, 10, 11];
    let found = sources(text, wanted.into_iter());
    assert_eq!(found, [0, 1, 3, 5, 11, 13, 14, 15, 16, 16]);
}

proptest! {
    #[test]
    fn what_is_escaped_is_found_again(text in "(?s).{0,20}") {
        let escaped = escape(&text);
        prop_assert_eq!(unescape(&escaped).unwrap_or(escaped), text);
    }

    #[test]
    fn sources_rise_and_stand_between_characters(text in r#"[a-cé\\nu0"]{0,30}"#) {
        if let Some(unescaped) = unescape(&text) {
            let wanted = unescaped.char_indices().map(|(at, _)| at).chain([unescaped.len()]);
            let found = sources(&text, wanted);
            prop_assert_eq!(found.len(), unescaped.chars().count() + 1);
            prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(found.iter().all(|at| text.is_char_boundary(*at)));
            prop_assert_eq!(found.last(), Some(&text.len()));
        }
    }
}
