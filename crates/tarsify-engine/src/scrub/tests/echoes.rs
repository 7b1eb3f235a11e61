//! The ways in which providers echo.

use serde_json::{Value, json};

use super::{anime, material, text, value};

#[test]
fn texts_without_what_is_concealed() {
    let merged = "anime style, sunset, say \"highest quality\" é";
    let table = [
        ("the whole prompt", merged.to_owned(), "sunset"),
        (
            "inside a sentence, twice",
            format!("<{merged}> and <{merged}>"),
            "<sunset> and <sunset>",
        ),
        ("in capitals", merged.to_ascii_uppercase(), "sunset"),
        (
            "without the spaces at its ends",
            format!("{}.", merged.trim()),
            "sunset.",
        ),
        (
            "the prefix",
            "my anime style, of cats".to_owned(),
            "my [hidden]of cats",
        ),
        (
            "the prefix without its space",
            "in anime style,".to_owned(),
            "in [hidden]",
        ),
        (
            "the suffix",
            "moon, say \"highest quality\" é".to_owned(),
            "moon[hidden]",
        ),
        (
            "another prompt between them",
            "anime style, moon, say \"highest quality\" é".to_owned(),
            "[hidden]moon[hidden]",
        ),
        (
            "a secret",
            "key=CANARY-1234567;".to_owned(),
            "key=[hidden];",
        ),
        (
            "a secret in small letters",
            "key=canary-1234567".to_owned(),
            "key=[hidden]",
        ),
        ("an inner secret", "inner-secret".to_owned(), "[hidden]"),
        (
            "one after the other",
            "CANARY-1234567CANARY-1234567inner-secret".to_owned(),
            "[hidden]",
        ),
        (
            "one inside the other",
            "CANARY-123inner-secret4567".to_owned(),
            "CANARY-123[hidden]4567",
        ),
        ("nothing", "a sunset".to_owned(), "a sunset"),
        (
            "less than it takes",
            "CANARY-12345".to_owned(),
            "CANARY-12345",
        ),
        ("empty", String::new(), ""),
    ];
    for (why, echo, expected) in table {
        assert_eq!(text(&anime(), &echo), expected, "{why}");
    }
}

#[test]
fn json_inside_texts_is_looked_into() {
    let payload = Value::Object(anime().payload);
    let prompt = json!({"said": payload["prompt"], "mine": 1});
    let once = prompt.to_string();
    let twice = json!({"log": once}).to_string();
    let thrice = json!([twice]).to_string();
    assert_eq!(text(&anime(), &once), r#"{"said":"sunset","mine":1}"#);
    for echo in [once, twice, thrice] {
        let left = text(&anime(), &echo);
        assert!(
            left.contains("sunset") && !left.contains("quality"),
            "{left}"
        );
        let mut read: Value = serde_json::from_str(&left).unwrap();
        while let Some(inner) = read.get("log").or(read.get(0)) {
            read = serde_json::from_str(inner.as_str().unwrap()).unwrap();
        }
        assert_eq!(read, json!({"said": "sunset", "mine": 1}));
    }
}

#[test]
fn each_way_of_escaping_is_understood() {
    let suffixes = [
        r#", say \"highest quality\" é"#,
        r#", say \"highest quality\" \u00e9"#,
        r#", say \"highest quality\" \u00E9"#,
        r#", say \u0022highest quality\u0022 é"#,
        r#", s\u0061y \"highest quality\" é"#,
        r#", say \\\"highest quality\\\" \\u00e9"#,
    ];
    for suffix in suffixes {
        let echo = format!("{{'prompt': \"anime style, moon{suffix}\"}}");
        let left = text(&anime(), &echo);
        assert_eq!(left, "{'prompt': \"[hidden]moon[hidden]\"}", "{suffix}");
        let echo = format!("[\"anime style, sunset{suffix}\"]");
        assert_eq!(text(&anime(), &echo), "[\"sunset\"]", "{suffix}");
    }
}

#[test]
fn what_was_typed_is_escaped_where_it_is_put_into_json() {
    let material = material(
        json!({"prompt": "say \"hi\"\n\\"}),
        json!({"promptPrefix": "\"in\n the dark\" "}),
    );
    let merged = &material.payload["prompt"];
    let once = json!([merged]).to_string();
    let twice = json!([once]).to_string();
    let mine = json!(["say \"hi\"\n\\"]).to_string();
    assert_eq!(text(&material, &once), mine);
    assert_eq!(text(&material, &twice), json!([mine]).to_string());
}

#[test]
fn nesting_hides_nothing() {
    let echo = json!({
        "images": ["aGVsbG8=", null, 5, 0.5, true],
        "info": {
            "CANARY-1234567": {"parameters": ["anime style, sunset, say \"highest quality\" é"]},
            "log": "{\"token\": \"CANARY-1234567\"}",
        },
    });
    let expected = json!({
        "images": ["aGVsbG8=", null, 5, 0.5, true],
        "info": {
            "[hidden]": {"parameters": ["sunset"]},
            "log": "{\"token\": \"[hidden]\"}",
        },
    });
    assert_eq!(value(&anime(), echo).to_string(), expected.to_string());
}

#[test]
fn the_payload_becomes_the_inputs() {
    let payload = Value::Object(anime().payload);
    let inputs = json!({"prompt": "sunset", "seed": 7});
    let mut reordered: Vec<_> = anime().payload.into_iter().rev().collect();
    let backwards: Value = std::mem::take(&mut reordered).into_iter().collect();
    let mut floats = payload.clone();
    floats["seed"] = json!(7.0);
    floats["depth"]["levels"][1] = json!(9.0);
    for echo in [payload.clone(), backwards, floats] {
        assert_eq!(value(&anime(), echo.clone()), inputs);
        let nested = json!({"input": [echo], "id": 1});
        assert_eq!(value(&anime(), nested), json!({"input": [inputs], "id": 1}));
    }
    let written = json!({"log": payload.to_string()});
    assert_eq!(value(&anime(), written), json!({"log": inputs.to_string()}));
    let mut larger = payload;
    larger["more"] = json!(1);
    let expected = json!({
        "prompt": "sunset", "seed": 7, "width": 1024, "token": "[hidden]",
        "depth": {"levels": ["[hidden]", 9]}, "more": 1,
    });
    assert_eq!(value(&anime(), larger), expected);
}

#[test]
fn without_anything_concealed_the_payload_still_becomes_the_inputs() {
    let material = material(json!({}), json!({"defaultInputs": {"steps": 20}}));
    assert_eq!(value(&material, json!([{"steps": 20}])), json!([{}]));
    assert_eq!(
        value(&material, json!([{"steps": 21}])),
        json!([{"steps": 21}])
    );
}

#[test]
fn keys_that_become_the_same_one_stay_apart() {
    let echo = json!({
        "[hidden]": 0, "CANARY-1234567": 1, "inner-secret": 2, "Inner-Secret": 3, "other": 4,
    });
    let expected = json!({
        "[hidden]": 0, "[hidden] 2": 1, "[hidden] 3": 2, "[hidden] 4": 3, "other": 4,
    });
    let left = value(&anime(), echo);
    assert_eq!(left.to_string(), expected.to_string());
    assert_eq!(value(&anime(), left), expected);
}
