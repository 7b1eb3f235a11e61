//! Whatever comes, nothing panics, nothing is longer than it may be, and nothing gets out that
//! has no business to.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::judged::{Judge, Judged, Verdict};
use super::super::line::Reply;
use super::super::message::{Cleaner, public_message};
use super::{answer, json};
use crate::provider::{JobStatus, LookAnswer, StopAnswer, StreamAnswer, SubmitAnswer};

const KEY: &str = "rpa_CANARYKEY";

fn judge<A: Judge>(reply: &Reply) -> Judged<A> {
    let judged = A::judge(reply, &Cleaner::hiding(Some(KEY.to_owned())));
    assert!(judged.said.len() <= 2_048, "{}", judged.said);
    assert!(!judged.said.contains(char::is_control), "{}", judged.said);
    judged
}

/// All that anybody could ever read of a reply, outputs aside.
fn readable(reply: &Reply) -> String {
    let look = judge::<LookAnswer>(reply);
    let message = match look.verdict {
        Verdict::Is(LookAnswer::Seen(view)) => match view.status {
            JobStatus::Failed { message } => message,
            _ => None,
        },
        _ => None,
    };
    let message = message.unwrap_or_default();
    assert!(message.chars().count() <= 500);
    let (submit, stop) = (judge::<SubmitAnswer>(reply), judge::<StopAnswer>(reply));
    [message, look.said, submit.said, stop.said].join("\n")
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::String),
        ".{0,40}".prop_map(Value::String),
        Just(json!(
            "Traceback (most recent call last):\n  File \"/a/b.py\", line 1, in f"
        )),
        Just(json!("{\"error_message\": \"x\", \"hostname\": \"y\"}")),
    ];
    let key = prop_oneof![
        Just("error".to_owned()),
        Just("message".to_owned()),
        Just("error_message".to_owned()),
        Just("detail".to_owned()),
        Just("status".to_owned()),
        Just("output".to_owned()),
        Just("id".to_owned()),
        ".{0,8}",
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_status() -> impl Strategy<Value = u16> {
    prop_oneof![Just(200_u16), Just(404), Just(429), Just(500), 200_u16..600]
}

fn any_word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("FAILED".to_owned()),
        Just("COMPLETED".to_owned()),
        Just("IN_PROGRESS".to_owned()),
        Just("TIMED_OUT".to_owned()),
        ".{0,60}",
    ]
}

const PLACES: &[&str] = &[
    "https://CANARY.example/CANARY?a=CANARY&b=(CANARY)",
    "wss://CANARY:CANARY@1.2.3.4/CANARY,CANARY",
    "/CANARY/CANARY.py",
    "/srv/CANARY:12:5",
    "../CANARY/x.cpp",
    "C:\\CANARY\\CANARY",
    "CANARY.runpod.io:443/CANARY",
    "CANARY@CANARY.example.com",
    "rpa_CANARYCANARY",
    "hostname=CANARY",
    "worker_id: CANARY",
    "\"hostname\": \"CANARY\"",
    "Traceback (most recent call last): CANARY",
    "File \"/x.py\", line 1, in CANARY",
];
const SIGNS: &[&str] = &[
    " ",
    "'",
    "\"",
    "`",
    "(",
    ")",
    "[",
    "]",
    "{",
    "<",
    ">",
    "=",
    ", ",
    ": ",
    "; ",
    "\n",
    "\t",
    "|",
    " - ",
    "@ ",
    " \u{200b}",
    "\0 ",
];

proptest! {
    #[test]
    fn any_bytes_are_judged(status in any_status(), body in any::<Vec<u8>>()) {
        readable(&answer(status, &body));
    }

    #[test]
    fn any_json_is_judged(status in any_status(), body in any_json()) {
        readable(&json(status, &body));
    }

    #[test]
    fn any_fields_of_a_status_are_judged(
        word in any_word(), error in any_json(), output in any_json(), time in any_json(),
    ) {
        let body = json!({
            "id": "6f-u1", "status": word, "error": error, "output": output,
            "delayTime": time, "executionTime": time, "workerId": time,
        });
        readable(&json(200, &body));
    }

    #[test]
    fn any_error_makes_a_short_line_or_none(error in any_json()) {
        if let Some(message) = public_message(&error) {
            prop_assert!(message.chars().count() <= 500);
            prop_assert!(!message.contains(char::is_control));
            prop_assert!(message.contains(char::is_alphanumeric));
            for mark in ["Traceback (", "://", "File \"/", "hostname\":"] {
                prop_assert!(!message.contains(mark), "{message}");
            }
        }
    }

    #[test]
    fn places_do_not_hide_behind_signs(
        place in prop::sample::select(PLACES), before in prop::sample::select(SIGNS),
        after in prop::sample::select(SIGNS), words in "[ a-z]{0,20}",
    ) {
        let error = json!(format!("{words}{before}{place}{after}{words}"));
        let message = public_message(&error).unwrap_or_default();
        prop_assert!(!message.contains("CANARY"), "{error} became {message}");
    }

    #[test]
    fn what_is_not_for_reading_is_not_read(
        status in any_status(), word in any_word(), words in "[ a-zA-Z.,:]{0,60}", is_text: bool,
    ) {
        let report = json!({
            "error_type": "<class 'CANARYTYPE'>",
            "error_message": format!("{words} CANARYHOST-1 /srv/CANARYPATH/x.py {KEY}"),
            "error_traceback":
                "Traceback (most recent call last):\n  File \"/CANARYTRACE\", line 1, in f\n",
            "hostname": "CANARYHOST-1",
            "worker_id": "CANARYWORKER",
        });
        let error = if is_text { json!(report.to_string()) } else { report };
        let mut body = Map::new();
        body.insert("status".to_owned(), json!(word));
        body.insert("error".to_owned(), error);
        body.insert("input".to_owned(), json!({ "prompt": "CANARYINPUT", "message": "CANARY" }));
        body.insert("output".to_owned(), json!({ "text": "CANARYOUTPUT" }));
        body.insert("webhook".to_owned(), json!("https://x.example/CANARYTOKEN"));
        body.insert("workerId".to_owned(), json!("CANARYWORKER"));
        let readable = readable(&json(status, &Value::Object(body)));
        prop_assert!(!readable.contains("CANARY"), "{readable}");
    }
}

#[test]
fn what_is_almost_an_answer_is_judged_and_never_tells_the_key() {
    let inputs: [&[u8]; 6] = [
        br#"{"id":"6f-u1","status":"IN_QUEUE"}"#,
        br#"{"id":"6f-u1","status":"IN_PROGRESS","delayTime":12,"output":{"progress":0.5}}"#,
        br#"{"id":"6f-u1","status":"COMPLETED","executionTime":900,"output":{"text":"CANARYOUT"},"workerId":"CANARYW"}"#,
        br#"{"id":"6f-u1","status":"FAILED","error":"{\"error_type\": \"<class 'CANARYT'>\", \"error_message\": \"no memory\", \"error_traceback\": \"Traceback (most recent call last):\\n  File \\\"/CANARYP\\\", line 1\", \"hostname\": \"CANARYH-64411\"}"}"#,
        br#"{"status":"IN_PROGRESS","stream":[{"output":"CANARYONE"},{"metrics":{},"output":{"token":"CANARYTWO"}}]}"#,
        br#"{"error":"rate limit exceeded for rpa_CANARYKEY"}"#,
    ];
    let statuses = [200, 400, 401, 404, 429, 500, 503];
    let mut failures = 0;
    tarsify_testing::almost(&inputs, |bytes| {
        let status = statuses[bytes.len() % statuses.len()];
        let reply = answer(status, bytes);
        let readable = readable(&reply);
        failures += usize::from(!readable.trim().is_empty());
        // Words that chance has moved into the place of a message may be read, but never the key.
        assert!(!readable.contains(KEY), "{readable}");
        let streamed = judge::<StreamAnswer>(&reply);
        assert!(!streamed.said.contains(KEY), "{}", streamed.said);
    });
    assert!(failures > 100, "only {failures} said anything");
}
