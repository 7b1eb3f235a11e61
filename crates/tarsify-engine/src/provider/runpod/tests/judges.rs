//! What replies are judged to be.

use serde_json::{Value, json};

use super::super::judged::{Judge, Judged, Verdict};
use super::super::line::{Body, Reply};
use super::super::message::Cleaner;
use super::{answer, cut, json};
use crate::provider::gate::Outcome;
use crate::provider::{JobStatus, LookAnswer, StopAnswer, SubmitAnswer};

fn judge<A: Judge>(reply: &Reply) -> Judged<A> {
    A::judge(reply, &Cleaner::default())
}

/// What a port would be told, and how.
#[derive(Debug, PartialEq)]
enum Told<A> {
    Is(A),
    Nothing,
    NothingYet,
}

fn told<A: Judge>(reply: &Reply) -> Told<A> {
    match judge(reply).verdict {
        Verdict::Is(answer) => Told::Is(answer),
        Verdict::Nothing => Told::Nothing,
        Verdict::NothingYet => Told::NothingYet,
    }
}

#[test]
fn a_submission_is_undone_only_when_it_surely_had_no_effect() {
    use SubmitAnswer::{Lost, Refused};
    for (status, expected, outcome) in [
        (200, Told::Is(Lost), Outcome::Failed),
        (204, Told::Is(Lost), Outcome::Failed),
        (302, Told::Nothing, Outcome::Failed),
        (400, Told::Is(Refused), Outcome::Answered),
        (401, Told::Nothing, Outcome::Forbidden),
        (402, Told::Nothing, Outcome::Forbidden),
        (403, Told::Nothing, Outcome::Forbidden),
        (404, Told::Nothing, Outcome::Forbidden),
        (405, Told::Nothing, Outcome::Failed),
        (408, Told::Nothing, Outcome::Failed),
        (413, Told::Is(Refused), Outcome::Answered),
        (422, Told::Is(Refused), Outcome::Answered),
        (429, Told::NothingYet, Outcome::TooMany(None)),
        (500, Told::Is(Lost), Outcome::Failed),
        (502, Told::Is(Lost), Outcome::Failed),
        (503, Told::NothingYet, Outcome::Unavailable(None)),
        (504, Told::Is(Lost), Outcome::Failed),
        (599, Told::Is(Lost), Outcome::Failed),
    ] {
        let reply = json(status, &json!({ "error": "no" }));
        assert_eq!(told::<SubmitAnswer>(&reply), expected, "{status}");
        let judged = judge::<SubmitAnswer>(&reply);
        assert_eq!(judged.outcome, outcome, "{status}");
    }
    let unsent = Reply::Unsent("no connection");
    assert_eq!(told::<SubmitAnswer>(&unsent), Told::NothingYet);
    let silence = Reply::Silence("reset");
    assert_eq!(told::<SubmitAnswer>(&silence), Told::Is(Lost));
}

#[test]
fn only_an_acceptable_job_id_is_one() {
    let accepted = json(200, &json!({ "id": "sync-6f-u1", "status": "IN_QUEUE" }));
    let Told::Is(SubmitAnswer::Accepted(job)) = told(&accepted) else {
        panic!("not accepted");
    };
    assert_eq!(job.as_str(), "sync-6f-u1");
    let long = "x".repeat(65);
    for (body, why) in [
        (json!({ "id": 7 }), "a number"),
        (json!({ "id": "" }), "empty"),
        (json!({ "id": long }), "too long"),
        (json!({ "id": "../../purge-queue" }), "a path"),
        (json!({ "job": "6f" }), "no id"),
        (json!(["6f"]), "no object"),
        (Value::Null, "nothing"),
    ] {
        let lost = Told::Is(SubmitAnswer::Lost);
        assert_eq!(told::<SubmitAnswer>(&json(200, &body)), lost, "{why}");
    }
    for body in [Body::TooLarge, Body::Broken("reset")] {
        let lost = Told::Is(SubmitAnswer::Lost);
        assert_eq!(told::<SubmitAnswer>(&cut(200, body)), lost);
    }
}

fn seen(body: &Value) -> JobStatus {
    match told(&json(200, body)) {
        Told::Is(LookAnswer::Seen(view)) => view.status,
        other => panic!("{body} is {other:?}"),
    }
}

#[test]
fn status_words_mean_what_they_say() {
    let progress = |progress| JobStatus::InProgress { progress };
    let completed = |output| JobStatus::Completed { output };
    for (body, expected) in [
        (json!({ "status": "IN_QUEUE" }), JobStatus::InQueue),
        (json!({ "status": "IN_PROGRESS" }), progress(None)),
        (
            json!({ "status": "IN_PROGRESS", "output": { "percent": 5 } }),
            progress(Some(json!({ "percent": 5 }))),
        ),
        (
            json!({ "status": "RUNNING", "output": 1 }),
            progress(Some(json!(1))),
        ),
        (
            json!({ "status": "IN_PROGRESS", "output": "x".repeat(65 * 1024) }),
            progress(None),
        ),
        (json!({ "status": "COMPLETED" }), completed(None)),
        (
            json!({ "status": "COMPLETED", "output": null }),
            completed(None),
        ),
        (
            json!({ "status": "COMPLETED", "output": false }),
            completed(Some(json!(false))),
        ),
        (
            json!({ "status": "COMPLETED", "output": [] }),
            completed(Some(json!([]))),
        ),
        (
            json!({ "status": "COMPLETED", "output": { "error": null, "x": 1 }, "error": "" }),
            completed(Some(json!({ "error": null, "x": 1 }))),
        ),
        (json!({ "status": "CANCELLED" }), JobStatus::Cancelled),
        (json!({ "status": "TIMED_OUT" }), JobStatus::TimedOut),
        (
            json!({ "status": "FAILED", "error": "job timed out after 1 retries" }),
            JobStatus::TimedOut,
        ),
        (json!({ "status": "HIBERNATING" }), JobStatus::Unknown),
        (json!({ "status": "completed" }), JobStatus::Unknown),
        (json!({ "status": "" }), JobStatus::Unknown),
    ] {
        assert_eq!(seen(&body), expected, "{body}");
    }
}

#[test]
fn a_failure_may_stand_in_several_places() {
    for (body, message) in [
        (json!({ "status": "FAILED" }), None),
        (json!({ "status": "FAILED", "error": "no" }), Some("no")),
        (json!({ "status": "FAILED", "output": "no" }), Some("no")),
        (
            json!({ "status": "FAILED", "output": { "error": "no" } }),
            Some("no"),
        ),
        (
            json!({ "status": "COMPLETED", "error": { "message": "no" } }),
            Some("no"),
        ),
        (
            json!({ "status": "COMPLETED", "output": { "error": "no" } }),
            Some("no"),
        ),
        (
            json!({ "status": "FAILED", "error": "no on hal-9000", "workerId": "hal-9000" }),
            Some("no on [name]"),
        ),
    ] {
        let message = message.map(str::to_owned);
        assert_eq!(seen(&body), JobStatus::Failed { message }, "{body}");
    }
}

#[test]
fn times_are_whole_milliseconds_or_nothing() {
    for (time, expected) in [
        (json!(12), Some(12)),
        (json!(0), Some(0)),
        (json!(-1), None),
        (json!(1.5), None),
        (json!("12"), None),
        (json!([1]), None),
        (json!(u64::MAX), None),
        (Value::Null, None),
    ] {
        let body = json!({ "status": "IN_QUEUE", "delayTime": time, "executionTime": time });
        let Told::Is(LookAnswer::Seen(view)) = told(&json(200, &body)) else {
            panic!("not seen");
        };
        assert_eq!((view.queue_ms, view.run_ms), (expected, expected), "{time}");
    }
}

#[test]
fn answers_of_no_sensible_shape_say_nothing_about_the_job() {
    let unreadable = || Told::Is(LookAnswer::Unreadable);
    let deep = "[".repeat(100_000);
    let many = format!(
        "{{\"status\":\"COMPLETED\",\"output\":[{}0]}}",
        "0,".repeat(500_001)
    );
    for (reply, why, expected) in [
        (answer(200, b""), "empty", unreadable()),
        (answer(200, b"<html>"), "a page", unreadable()),
        (answer(200, b"{\"id\": \"6f"), "cut off", unreadable()),
        (answer(200, &[0xff, 0xfe]), "bytes", unreadable()),
        (answer(200, b"[]"), "no object", unreadable()),
        (answer(200, b"{\"status\": 7}"), "no word", unreadable()),
        (
            answer(200, b"{\"error\": \"x\"}"),
            "no status",
            unreadable(),
        ),
        (answer(200, deep.as_bytes()), "too deep", unreadable()),
        (
            answer(200, many.as_bytes()),
            "too many",
            Told::Is(LookAnswer::TooLarge),
        ),
        (
            cut(200, Body::TooLarge),
            "too large",
            Told::Is(LookAnswer::TooLarge),
        ),
        (cut(200, Body::Broken("reset")), "broken", Told::Nothing),
        (answer(404, b""), "gone", Told::Is(LookAnswer::NotFound)),
        (answer(400, b""), "odd", Told::Nothing),
        (answer(401, b""), "key", Told::Nothing),
        (answer(429, b""), "busy", Told::Nothing),
        (answer(502, b"<html>"), "gateway", Told::Nothing),
        (answer(301, b""), "moved", Told::Nothing),
        (Reply::Silence("timeout"), "silence", Told::Nothing),
        (Reply::Unsent("refused"), "unsent", Told::Nothing),
    ] {
        assert_eq!(told::<LookAnswer>(&reply), expected, "{why}");
    }
}

#[test]
fn a_wish_to_stop_is_answered_by_the_status() {
    let status = |word: &str| json(200, &json!({ "id": "6f", "status": word }));
    for (reply, why, expected) in [
        (status("CANCELLED"), "done", Told::Is(StopAnswer::Cancelled)),
        (status("COMPLETED"), "too late", Told::Is(StopAnswer::Ended)),
        (status("FAILED"), "too late", Told::Is(StopAnswer::Ended)),
        (status("IN_PROGRESS"), "look", Told::Is(StopAnswer::Ended)),
        (status("HIBERNATING"), "unknown", Told::Nothing),
        (answer(200, b""), "empty", Told::Nothing),
        (answer(200, b"<html>"), "a page", Told::Nothing),
        (cut(200, Body::TooLarge), "large", Told::Nothing),
        (answer(404, b""), "gone", Told::Is(StopAnswer::NotFound)),
        (answer(401, b""), "key", Told::Nothing),
        (answer(500, b""), "broken", Told::Nothing),
        (Reply::Silence("timeout"), "silence", Told::Nothing),
    ] {
        assert_eq!(told::<StopAnswer>(&reply), expected, "{why}");
    }
}

#[test]
fn administrators_read_status_and_error_and_nothing_else() {
    for (reply, expected) in [
        (
            json(200, &json!({ "status": "COMPLETED", "output": "SECRET" })),
            "COMPLETED",
        ),
        (
            json(
                200,
                &json!({ "status": "FAILED", "error": "CUDA out of memory" }),
            ),
            "FAILED: CUDA out of memory",
        ),
        (
            json(500, &json!({ "error": { "message": "no workers" } })),
            "HTTP 500: no workers",
        ),
        (
            answer(502, b"<html>SECRET</html>"),
            "HTTP 502: a body that is not JSON",
        ),
        (answer(401, b""), "HTTP 401: no body"),
        (cut(429, Body::Broken("it broke")), "HTTP 429: it broke"),
    ] {
        assert_eq!(judge::<LookAnswer>(&reply).said, expected);
    }
}
