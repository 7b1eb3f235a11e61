//! Every fault, seen from the client's side.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Lab, read};

fn submission(lab: &Lab, faults: &str) -> RequestBuilder {
    lab.request(Method::POST, "/v2/echo/run")
        .header("X-Emulator-Fault", faults)
        .json(&json!({ "input": { "prompt": "a secret" } }))
}

/// A job of its own, with faults of its own.
async fn job(lab: &Lab, faults: &str) -> String {
    let (status, body) = read(submission(lab, faults).send().await.unwrap()).await;
    assert_eq!(status, 200, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn answers_can_be_errors_that_had_no_effect() {
    let lab = Lab::quick();
    for (kind, status, part) in [
        ("rate_limited:7", 429, "too many"),
        ("internal_error", 500, "error"),
        ("bad_gateway", 502, "<html>"),
        ("unavailable", 503, "error"),
        ("http_status:402", 402, "error"),
        ("malformed", 200, "{\"id\": \"6f"),
    ] {
        let answer = submission(&lab, &format!("run={kind}"))
            .send()
            .await
            .unwrap();
        let wait = answer.headers().get("retry-after").cloned();
        assert_eq!(
            wait.map(|value| value.to_str().unwrap().to_owned()),
            (status == 429).then(|| "7".to_owned())
        );
        assert_eq!(answer.status(), status, "{kind}");
        assert!(answer.text().await.unwrap().contains(part), "{kind}");
    }
    assert!(lab.emulator.statuses("echo").is_empty());
    lab.end().await;
}

#[tokio::test]
async fn connections_can_be_dropped_before_and_after_the_effect() {
    let lab = Lab::quick();
    let error = submission(&lab, "run=refuse").send().await.unwrap_err();
    assert!(!error.is_timeout() && error.status().is_none(), "{error:?}");
    assert!(lab.emulator.statuses("echo").is_empty());
    submission(&lab, "run=accept_then_drop")
        .send()
        .await
        .unwrap_err();
    assert_eq!(lab.emulator.statuses("echo").len(), 1);
    let answer = submission(&lab, "run=accept_then_bad_gateway")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(lab.emulator.statuses("echo").len(), 2);
    lab.end().await;
}

#[tokio::test]
async fn answers_can_stall_before_and_after_the_effect() {
    let lab = Lab::quick();
    for (kind, jobs) in [("stall", 0), ("accept_then_stall", 1)] {
        let request = submission(&lab, &format!("run={kind}")).timeout(Duration::from_secs(1));
        assert!(request.send().await.unwrap_err().is_timeout(), "{kind}");
        assert_eq!(lab.emulator.statuses("echo").len(), jobs, "{kind}");
    }
    let started = Instant::now();
    lab.end().await;
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "a stalled call keeps the emulator from ending"
    );
}

#[tokio::test]
async fn delays_and_cold_starts_take_their_time() {
    let lab = Lab::quick();
    let started = Instant::now();
    job(&lab, "run=delay:150").await;
    assert!(started.elapsed() >= Duration::from_millis(150));
    let id = job(&lab, "run=cold_start:150").await;
    assert!(
        lab.until("echo", &id, "COMPLETED").await["delayTime"]
            .as_u64()
            .unwrap()
            >= 150
    );
    lab.behave("cold", &json!({})).await;
    lab.behave("echo", &json!({ "coldStartMs": 60_000 })).await;
    let id = job(&lab, "").await;
    lab.until("echo", &id, "COMPLETED").await;
    lab.end().await;
}

#[tokio::test]
async fn jobs_can_be_lost_or_stuck() {
    let lab = Lab::quick();
    let id = job(&lab, "run=lost").await;
    assert_eq!(lab.get(&format!("/v2/echo/status/{id}")).await.0, 404);
    let id = job(&lab, "run=stuck").await;
    lab.until("echo", &id, "IN_PROGRESS").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    lab.until("echo", &id, "IN_PROGRESS").await;
    let id = job(&lab, "status=lost*1").await;
    let path = format!("/v2/echo/status/{id}");
    assert_eq!((lab.get(&path).await.0, lab.get(&path).await.0), (404, 200));
    lab.end().await;
}

#[tokio::test]
async fn statuses_can_lie() {
    let lab = Lab::quick();
    for (kind, status, output) in [
        ("backwards", "IN_QUEUE", None),
        (
            "late_progress",
            "IN_PROGRESS",
            Some(json!({ "percent": 90 })),
        ),
        ("unknown_status", "HIBERNATING", None),
    ] {
        let id = job(&lab, &format!("status={kind}*1")).await;
        lab.until_kept_as("echo", &id, "COMPLETED").await;
        let body = lab.get(&format!("/v2/echo/status/{id}")).await.1;
        assert_eq!(
            (&body["status"], body.get("output")),
            (&json!(status), output.as_ref()),
            "{kind}"
        );
        lab.until("echo", &id, "COMPLETED").await;
    }
    lab.end().await;
}

#[tokio::test]
async fn reads_and_cancels_can_fail_too() {
    let lab = Lab::quick();
    lab.behave("echo", &json!({ "runMs": 60_000 })).await;
    for (kind, status) in [
        ("rate_limited", 429),
        ("internal_error", 500),
        ("bad_gateway", 502),
        ("unavailable", 503),
        ("http_status:404", 404),
    ] {
        let faults = ["status", "stream", "cancel"]
            .map(|when| format!("{when}={kind}*1"))
            .join(",");
        let id = job(&lab, &faults).await;
        assert_eq!(lab.get(&format!("/v2/echo/status/{id}")).await.0, status);
        assert_eq!(lab.get(&format!("/v2/echo/stream/{id}")).await.0, status);
        assert_eq!(
            lab.post(&format!("/v2/echo/cancel/{id}"), &json!({}))
                .await
                .0,
            status
        );
        lab.until("echo", &id, "IN_PROGRESS").await;
    }
    let id = job(&lab, "status=malformed*1,stream=lost*1,cancel=refuse*1").await;
    assert!(
        lab.get(&format!("/v2/echo/status/{id}"))
            .await
            .1
            .is_string()
    );
    assert_eq!(lab.get(&format!("/v2/echo/stream/{id}")).await.0, 404);
    lab.request(Method::POST, &format!("/v2/echo/cancel/{id}"))
        .send()
        .await
        .unwrap_err();
    lab.until("echo", &id, "IN_PROGRESS").await;
    lab.end().await;
}

#[tokio::test]
async fn cancels_can_be_lost_ignored_or_too_late() {
    let lab = Lab::quick();
    lab.behave("echo", &json!({ "runMs": 60_000 })).await;
    for (kind, answered, then) in [
        ("ignored", Some("CANCELLED"), "IN_PROGRESS"),
        ("completes_first", Some("COMPLETED"), "COMPLETED"),
        ("accept_then_drop", None, "CANCELLED"),
        ("accept_then_bad_gateway", None, "CANCELLED"),
    ] {
        let id = job(&lab, &format!("cancel={kind}")).await;
        lab.until("echo", &id, "IN_PROGRESS").await;
        let answer = lab
            .request(Method::POST, &format!("/v2/echo/cancel/{id}"))
            .send()
            .await;
        let status = match answer {
            Ok(answer) if answer.status() == 200 => {
                read(answer).await.1["status"].as_str().map(str::to_owned)
            }
            _ => None,
        };
        assert_eq!(status.as_deref(), answered, "{kind}");
        lab.until("echo", &id, then).await;
    }
    lab.end().await;
}

#[tokio::test]
async fn results_can_be_spoiled() {
    let lab = Lab::quick();
    let input = json!({ "prompt": "a secret" });
    let is_absent: fn(&Value) -> bool = |body| body.get("output").is_none();
    for (kind, status, why, holds) in [
        ("missing", "COMPLETED", "no output", is_absent),
        ("oversize", "COMPLETED", "no output", is_absent),
        ("huge:300000", "COMPLETED", "size", |body| {
            body["output"].as_str().unwrap().len() == 300_000
        }),
        ("wrong_types", "COMPLETED", "types", |body| {
            body["delayTime"].is_string() && body["output"] == 7
        }),
        ("error_inside", "COMPLETED", "error", |body| {
            body["output"]["error"].is_string()
        }),
        ("failed", "FAILED", "text", |body| {
            body["error"].is_string() && body.get("output").is_none()
        }),
        ("timed_out", "TIMED_OUT", "text", |body| {
            body["error"].is_string()
        }),
        ("timeout_as_failed", "FAILED", "text", |body| {
            body["error"].as_str().unwrap().contains("timed out")
        }),
        ("echo_in_error", "FAILED", "quote", |body| {
            body["error"].as_str().unwrap().contains("a secret")
        }),
        ("falsy", "COMPLETED", "false", |body| {
            body["output"] == false
        }),
    ] {
        let id = job(&lab, &format!("output={kind}")).await;
        let body = lab.until("echo", &id, status).await;
        assert!(holds(&body), "{kind}, {why}: {body}");
    }
    let id = job(&lab, "output=echo_input").await;
    assert_eq!(
        lab.until("echo", &id, "COMPLETED").await["output"]["input"],
        input
    );
    let id = job(&lab, "output=traceback").await;
    let body = lab.until("echo", &id, "FAILED").await;
    let error: Value = serde_json::from_str(body["error"].as_str().unwrap()).unwrap();
    for key in [
        "error_type",
        "error_message",
        "error_traceback",
        "hostname",
        "worker_id",
        "runpod_version",
    ] {
        assert!(error[key].is_string(), "{key}");
    }
    lab.end().await;
}

#[tokio::test]
async fn a_status_can_be_cut_off() {
    let lab = Lab::quick();
    let (status, body) = read(
        lab.request(Method::POST, "/v2/echo/runsync")
            .header("X-Emulator-Fault", "output=not_json")
            .json(&json!({ "input": { "a": 1 } }))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(status, 200);
    assert!(body.as_str().unwrap().starts_with('{'), "{body}");
    lab.end().await;
}

#[tokio::test]
async fn a_result_too_large_to_keep_shows_without_output() {
    let lab = Lab::quick();
    let id = lab.run("own", &json!({ "input": { "a": 1 } })).await;
    lab.get("/v2/own/job-take/w?gpu=x&job_in_progress=0").await;
    let output = json!({ "output": "x".repeat(11 * 1024 * 1024) });
    assert_eq!(
        lab.post(
            &format!("/v2/own/job-done/w/{id}?gpu=x&isStream=false"),
            &output
        )
        .await
        .0,
        200
    );
    let body = lab.until("own", &id, "COMPLETED").await;
    assert_eq!(body.get("output"), None);
    lab.end().await;
}

#[tokio::test]
async fn faults_of_an_endpoint_strike_as_often_as_they_say() {
    let lab = Lab::quick();
    lab.behave(
        "echo",
        &json!({ "faults": [
        { "when": "run", "kind": "unavailable", "times": 2 },
        { "when": "output", "kind": "failed", "after": 1, "times": 1 },
    ] }),
    )
    .await;
    let body = json!({ "input": { "a": 1 } });
    assert_eq!(lab.post("/v2/echo/run", &body).await.0, 503);
    assert_eq!(lab.post("/v2/echo/runsync", &body).await.0, 503);
    for expected in ["COMPLETED", "FAILED", "COMPLETED"] {
        assert_eq!(
            lab.post("/v2/echo/runsync", &body).await.1["status"],
            expected
        );
    }
    assert_eq!(lab.emulator.counts("echo").of("faults"), 3);
    let (_, view) = lab.get("/emulator/endpoints/echo").await;
    assert_eq!(
        (
            &view["faults"][0]["struck"],
            &view["faults"][0]["occasions"]
        ),
        (&json!(2), &json!(5))
    );
    lab.end().await;
}
