//! The forms in which models say parts of their output.

use serde_json::json;

use super::{Said, is_plain, said};

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
fn only_words_that_were_understood_are_plain() {
    let event = "data: {\"choices\": [{\"delta\": {\"content\": \"a\"}}]}\n\ndata: [DONE]\n\n";
    for part in [
        json!("a"),
        json!(" and so \"on\" "),
        json!("\""),
        json!(event),
        json!({"choices": [], "usage": {"input": 3}}),
        json!("{\"choices\": [{\"text\": \"a\"}]}"),
    ] {
        assert!(is_plain(&part), "{part}");
    }
    for part in [
        json!({"token": "a"}),
        json!("{\"token\": \"a\"}"),
        json!("{\"token\": \"a\"}\n{\"token\": \"b\"}"),
        json!("data: {\"choi"),
        json!(": ping\n\n"),
        json!("event: x\ndata: {}\n\n"),
        json!(" [1]"),
        json!("\"a\""),
        json!(["a"]),
        json!(7),
        json!(null),
        json!({"choices": [{"delta": {"tool_calls": []}}]}),
    ] {
        assert!(!is_plain(&part), "{part}");
    }
}
