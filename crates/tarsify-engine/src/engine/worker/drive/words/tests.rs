//! The forms in which models say parts of their output.

use serde_json::{Value, json};

use super::{Said, is_harmless, said};

#[test]
fn words_are_words_in_whichever_form_they_come() {
    let text = |text: &str| Said::Text(text.to_owned());
    let event = "data: {\"choices\": [{\"delta\": {\"content\": \"a b\"}}]}\n\ndata: [DONE]\n\n";
    for (part, expected) in [
        (json!("plain {"), text("plain {")),
        (json!("[1]"), text("[1]")),
        (json!("{}"), text("{}")),
        (
            json!({"choices": [{"tokens": ["a", " b"]}], "usage": {"input": 3}}),
            text("a b"),
        ),
        (json!({"choices": [{"text": "a b"}]}), text("a b")),
        (
            json!({"choices": [{"delta": {"content": "a b"}}]}),
            text("a b"),
        ),
        (
            json!({"choices": [{"delta": {"role": "assistant"}}]}),
            text(""),
        ),
        (json!({"choices": [], "usage": {"input": 3}}), text("")),
        (json!(event), text("a b")),
        (json!("{\"choices\": [{\"text\": \"a b\"}]}"), text("a b")),
    ] {
        assert_eq!(said(part.clone()), expected, "{part}");
    }
    for data in [
        json!({"token": "a"}),
        json!("{\"token\": \"a\"}"),
        json!("data: {\"token\": \"a\"}"),
        json!("data: {\"choi"),
        json!(["a"]),
        json!(7),
        json!({"choices": [{"tokens": ["a"]}, {"tokens": ["b"]}]}),
        json!({"choices": [{"delta": {"tool_calls": []}}]}),
    ] {
        assert_eq!(said(data.clone()), Said::Data(data));
    }
}

#[test]
fn only_what_says_no_word_is_harmless() {
    let image = "iVBORw0KGgo+/=".repeat(100);
    for value in [
        json!(7),
        json!({"step": 3, "image": image}),
        json!([format!("data:image/png;base64,{image}"), null, true]),
    ] {
        assert!(is_harmless(&value), "{value}");
    }
    let sentence = "a sentence with spaces ".repeat(100);
    for text in [
        "SEC",
        "RET",
        "",
        &sentence,
        &format!("data:text/plain;base64,{image}"),
    ] {
        assert!(!is_harmless(&json!({"a": [Value::from(text)]})), "{text}");
    }
}
