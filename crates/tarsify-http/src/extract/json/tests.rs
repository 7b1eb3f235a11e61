//! What the strict reader takes and refuses.

use serde_json::json;

use super::*;

#[test]
fn ordinary_json_is_read_as_it_is() {
    let text = r#"{"a":[1,-2,3.5,true,null,"x"],"b":{"c":{}},"z":1,"y":18446744073709551615}"#;
    assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
}

#[test]
fn each_broken_rule_names_its_place() {
    let cases = [
        (r#"{"a":1,"a":2}"#, "duplicate key", "/a", "duplicateKey"),
        (
            r#"{"x":{"a/b":1,"a/b":2}}"#,
            "escaped duplicate",
            "/x/a~1b",
            "duplicateKey",
        ),
        (r#"{"a":"\u0000"}"#, "NUL in a value", "/a", "pattern"),
        (r#"{"b\u0000":1}"#, "NUL in a key", "/b\u{0}", "pattern"),
        (r#"[0,"\u0000"]"#, "NUL in a list", "/1", "pattern"),
        ("", "nothing", "", "syntax"),
        ("{", "cut off", "", "syntax"),
        ("{} {}", "two documents", "", "syntax"),
        ("{\"a\":1e999}", "number out of range", "", "syntax"),
        ("\u{feff}{}", "byte order mark", "", "syntax"),
    ];
    for (text, why, path, code) in cases {
        let issue = parse(text.as_bytes()).unwrap_err();
        assert_eq!(
            (issue.path.as_str(), issue.code.as_str()),
            (path, code),
            "{why}"
        );
    }
    assert_eq!(parse(b"\"\xff\"").unwrap_err().code, "syntax");
}

#[test]
fn depth_is_bounded_however_deep_the_document_is() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    for depth in [MAX_DEPTH + 1, 127, 128, 129, 10_000, 200_000] {
        assert_eq!(
            parse(nested(depth).as_bytes()).unwrap_err().code,
            "depth",
            "{depth}"
        );
    }
    assert_eq!(
        parse(json!({"a": 1}).to_string().as_bytes()).unwrap(),
        json!({"a": 1})
    );
}

fn deepest(value: &Value) -> usize {
    let inside = match value {
        Value::Array(items) => items.iter().map(deepest).max(),
        Value::Object(fields) => fields.values().map(deepest).max(),
        _ => return 0,
    };
    1 + inside.unwrap_or(0)
}

#[test]
fn what_is_almost_json_is_read_as_anybody_reads_it_or_refused_for_a_rule() {
    let deep = format!("{}1{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    let inputs: [&[u8]; 5] = [
        br#"{"a":[1,-2,3.5,true,null,"x"],"b":{"c":{}},"z":1,"y":18446744073709551615}"#,
        br#"{"inputs":{"prompt":"a \"lighthouse\" at \u0064usk","width":1024}}"#,
        br#"{"a":{"a":{"a":{"b":1,"c":2}}},"b":[[],[[]]]}"#,
        "{\"title\":\"\u{fc}\u{1f600}\",\"e\":1.5e300}".as_bytes(),
        deep.as_bytes(),
    ];
    let mut taken = 0;
    tarsify_testing::almost(&inputs, |bytes| match parse(bytes) {
        Ok(value) => {
            taken += 1;
            assert_eq!(serde_json::from_slice::<Value>(bytes).unwrap(), value);
            assert!(deepest(&value) <= MAX_DEPTH);
            assert!(!value.to_string().contains("\\u0000"));
        }
        Err(issue) => {
            let is_json = serde_json::from_slice::<Value>(bytes).is_ok();
            let is_rule = matches!(&*issue.code, "duplicateKey" | "pattern" | "depth");
            assert!(is_rule || !is_json, "{issue:?}");
            assert!(issue.message.len() < 100, "{issue:?}");
        }
    });
    assert!(taken > 100, "only {taken} were good");
}
