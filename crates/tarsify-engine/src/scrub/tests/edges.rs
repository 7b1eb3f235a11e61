//! Odd configurations.

use serde_json::json;

use super::{material, text, value};

#[test]
fn short_prefixes_are_hidden_with_their_prompt_only() {
    let material = material(
        json!({"prompt": "a cat on a mat"}),
        json!({"promptPrefix": "oil: ", "promptSuffix": " 4k"}),
    );
    let table = [
        ("oil: a cat on a mat 4k", "a cat on a mat"),
        ("[OIL: A cat on a mat 4K]", "[a cat on a mat]"),
        ("oil: a dog 4k", "oil: a dog 4k"),
        ("oil: a cat on a mat", "oil: a cat on a mat"),
        ("\"oil: a cat on a mat 4k", "\"a cat on a mat"),
    ];
    for (echo, expected) in table {
        assert_eq!(text(&material, echo), expected);
    }
    let spaced = super::material(
        json!({"prompt": "a cat on a mat"}),
        json!({"promptPrefix": " oil: ", "promptSuffix": " 4k\n"}),
    );
    assert_eq!(
        text(&spaced, "{oil: a cat on a mat 4k}"),
        "{a cat on a mat}"
    );
}

#[test]
fn escapes_are_hidden_as_a_whole() {
    let material = material(
        json!({"prompt": "x"}),
        json!({"secretInputs": {"s": "\\alpha-beta\\"}}),
    );
    let echo = json!({"said": "x\\alpha-beta\\y"}).to_string();
    assert_eq!(text(&material, &echo), r#"{"said":"x[hidden]y"}"#);
    let deeper = json!({ "log": echo }).to_string();
    assert_eq!(
        text(&material, &deeper),
        r#"{"log":"{\"said\":\"x[hidden]y\"}"}"#
    );
}

#[test]
fn a_short_prompt_is_replaced_where_it_is_all_there_is() {
    let material = material(json!({"prompt": "b"}), json!({"promptPrefix": "a"}));
    assert_eq!(text(&material, "ab"), "b");
    assert_eq!(text(&material, "aGabQ+ab/ab=="), "aGabQ+ab/ab==");
}

#[test]
fn spaces_alone_are_no_secret() {
    let material = material(
        json!({"prompt": "a small cat"}),
        json!({"promptPrefix": "  \n"}),
    );
    assert_eq!(text(&material, "  \na small cat"), "a small cat");
    assert_eq!(text(&material, "a small cat"), "a small cat");
    assert_eq!(text(&material, "          x"), "          x");
}

#[test]
fn a_prompt_that_holds_the_prefix_stays_as_it_was_typed() {
    let material = material(
        json!({"prompt": "anime style, please"}),
        json!({"promptPrefix": "anime style, ", "promptSuffix": ", masterpiece"}),
    );
    let merged = material.payload["prompt"].as_str().unwrap();
    assert_eq!(text(&material, merged), "anime style, please");
    assert_eq!(
        text(&material, "anime style, please"),
        "anime style, please"
    );
    assert_eq!(text(&material, "x, masterpiece"), "x[hidden]");
}

#[test]
fn a_prompt_whose_last_sign_looks_like_an_escape_hides_nothing() {
    let material = material(
        json!({"prompt": "cat\\"}),
        json!({"promptSuffix": "neon \"lights\" everywhere"}),
    );
    let merged = &material.payload["prompt"];
    let echo = json!({"said": format!("{} and so on", merged.as_str().unwrap())});
    assert_eq!(
        value(&material, echo.clone()),
        json!({"said": "cat\\ and so on"})
    );
    let written = text(&material, &echo.to_string());
    assert_eq!(written, json!({"said": "cat\\ and so on"}).to_string());
    let other = json!({"said": "dog\\neon \"lights\" everywhere"}).to_string();
    let left = text(&material, &other);
    assert_eq!(left, json!({"said": "dog\\[hidden]"}).to_string());
}

#[test]
fn what_moves_together_is_looked_at_again() {
    let material = material(
        json!({"prompt": "secret-zz"}),
        json!({"promptPrefix": "<<", "promptSuffix": ">>", "secretInputs": {"s": "my-secret-z"}}),
    );
    assert_eq!(text(&material, "my-<<secret-zz>>"), "[hidden]z");
}

#[test]
fn a_prompt_that_grows_out_of_itself_ends_somehow() {
    let material = material(json!({"prompt": "aaaaaaaa"}), json!({"promptPrefix": "a"}));
    let left = text(&material, &"a".repeat(100));
    assert_eq!(text(&material, &left), left);
    assert!(!left.contains("aaaaaaaaa"), "{left}");
}

#[test]
fn secrets_that_look_like_what_hides_them_do_no_harm() {
    let material = material(
        json!({"prompt": "x"}),
        json!({"secretInputs": {"a": "[hidden]", "b": "en][hidd", "c": "dden]abc", "d": "12345678"}}),
    );
    for echo in [
        "[hidden]",
        "12345678 12345678",
        "1234567812345678abcabc",
        "[hidden][hidden]abc",
    ] {
        let left = text(&material, echo);
        assert_eq!(text(&material, &left), left);
        for secret in ["en][hidd", "dden]abc", "12345678"] {
            assert!(!left.contains(secret), "{left}");
        }
    }
}

#[test]
fn deep_values_are_walked_through() {
    let material = material(
        json!({"prompt": "x"}),
        json!({"secretInputs": {"a": "CANARY-99"}}),
    );
    let mut echo = json!("CANARY-99");
    let mut expected = json!("[hidden]");
    for _ in 0..120 {
        echo = json!([{"in": echo}]);
        expected = json!([{"in": expected}]);
    }
    assert_eq!(value(&material, echo), expected);
}
