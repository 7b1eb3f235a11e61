use super::*;

const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn the_form_of_the_first_version_is_taken_as_it_is() {
    for flags in ["00", "01", "03", "ff"] {
        let text = format!("{}{flags}", &GOOD[..53]);
        assert_eq!(TraceParent::parse(&text).unwrap().as_str(), text);
    }
    assert_eq!(GOOD.len(), TraceParent::LENGTH);
}

#[test]
fn nothing_else_is() {
    let cases = [
        ("", "nothing"),
        ("canary", "a word"),
        (&GOOD[..54], "a digit short"),
        (&format!("{GOOD}0"), "a digit long"),
        (&format!("{GOOD}-"), "an open end"),
        (&GOOD.replacen("00", "01", 1), "another version"),
        (&GOOD.replacen("00", "ff", 1), "the version that never is"),
        (&GOOD.to_uppercase(), "capitals"),
        (&GOOD.replace('f', "g"), "no digits"),
        (&GOOD.replace('-', "_"), "other separators"),
        (
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            "no trace",
        ),
        (
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            "no span",
        ),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "parts of other lengths",
        ),
        (&format!("{}é", &GOOD[..53]), "letters of two bytes"),
        (&"00-".repeat(100_000), "far too long"),
    ];
    for (text, why) in cases {
        assert_eq!(TraceParent::parse(text), Err(TraceParentError), "{why}");
    }
}
