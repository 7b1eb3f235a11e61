//! What is made of the answers to the question what a job has said.

use serde_json::{Value, json};

use super::super::judged::{Judge, Judged, Verdict};
use super::super::line::{Body, Reply};
use super::super::message::Cleaner;
use super::{answer, cut, json};
use crate::provider::StreamAnswer;
use crate::provider::gate::Outcome;

fn judged(reply: &Reply) -> Judged<StreamAnswer> {
    StreamAnswer::judge(reply, &Cleaner::default())
}

/// What an answer says, or whether it may have taken something away.
fn read(reply: &Reply) -> (StreamAnswer, Outcome) {
    let Judged {
        verdict, outcome, ..
    } = judged(reply);
    let answer = match verdict {
        Verdict::Is(answer) => answer,
        Verdict::Nothing | Verdict::NothingYet => StreamAnswer::nothing(None),
    };
    (answer, outcome)
}

#[test]
fn parts_are_read_in_order() {
    let parts = json!([{"output": "a", "metrics": {}}, {"output": null}, "b", {"other": 1}]);
    for status in ["IN_PROGRESS", "COMPLETED"] {
        let body = json!({"status": status, "stream": parts});
        let expected = vec![json!("a"), Value::Null, json!("b"), json!({"other": 1})];
        let (answer, outcome) = read(&json(200, &body));
        assert_eq!(answer, StreamAnswer::Said(expected));
        assert_eq!(outcome, Outcome::Answered);
    }
}

#[test]
fn what_may_have_taken_a_part_away_is_told_from_what_has_not() {
    for status in [400, 401, 404, 405, 429] {
        let (answer, _) = read(&json(status, &json!({"error": "no"})));
        assert_eq!(answer, StreamAnswer::Unread, "{status}");
    }
    let (unsent, _) = read(&Reply::Unsent("no connection"));
    assert_eq!(unsent, StreamAnswer::Unread);
    let too_many = read(&json(429, &json!({}))).1;
    assert_eq!(too_many, Outcome::TooMany(None));
    for reply in [
        json(500, &json!({"error": "oh"})),
        answer(502, b"<html>"),
        answer(200, b"<html>"),
        answer(200, b""),
        json(200, &json!([])),
        json(200, &json!({"status": "IN_PROGRESS"})),
        json(200, &json!({"stream": "a"})),
        answer(200, format!("[{}]", "1,".repeat(600_000)).as_bytes()),
        cut(200, Body::TooLarge),
        cut(200, Body::Broken("it broke")),
        Reply::Silence("no answer in time"),
    ] {
        assert_eq!(read(&reply).0, StreamAnswer::Lost);
    }
}
