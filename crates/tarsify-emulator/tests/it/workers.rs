//! A worker written by hand, with the calls that official ones make.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tarsify_emulator::EmulatorSettings;

use crate::support::{Lab, quick, read};

async fn take(lab: &Lab) -> (u16, Value) {
    lab.get("/v2/own/job-take/w1?gpu=x&job_in_progress=0").await
}

/// As official workers send: JSON that is declared to be a form.
async fn report(lab: &Lab, call: &str, id: &str, body: &Value) -> Value {
    let path = format!("/v2/own/{call}/w1/{id}?gpu=x&isStream=false");
    let request = lab.request(Method::POST, &path).body(body.to_string());
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", "any");
    let (status, body) = read(request.send().await.unwrap()).await;
    assert_eq!(status, 200);
    body
}

#[tokio::test]
async fn a_job_lives_through_a_worker() {
    let lab = Lab::quick();
    assert_eq!(take(&lab).await.0, 204);
    let id = lab.run("own", &json!({ "input": { "prompt": "x" } })).await;
    assert_eq!(
        take(&lab).await,
        (200, json!({ "id": id, "input": { "prompt": "x" } }))
    );
    assert_eq!(take(&lab).await.0, 204);
    assert_eq!(
        lab.get(&format!(
            "/v2/own/ping/w1?job_id={id}&runpod_version=1.12.0"
        ))
        .await
        .0,
        200
    );
    report(
        &lab,
        "job-done",
        &id,
        &json!({ "status": "IN_PROGRESS", "output": "half" }),
    )
    .await;
    let body = lab.until("own", &id, "IN_PROGRESS").await;
    assert_eq!(
        (&body["output"], &body["workerId"]),
        (&json!("half"), &json!("w1"))
    );
    for part in ["a", "b"] {
        report(&lab, "job-stream", &id, &json!({ "output": part })).await;
    }
    let (_, stream) = lab.get(&format!("/v2/own/stream/{id}")).await;
    assert_eq!(
        stream,
        json!({ "status": "IN_PROGRESS", "stream": [{ "output": "a" }, { "output": "b" }] })
    );
    assert_eq!(
        report(&lab, "job-done", &id, &json!({ "output": [] })).await["status"],
        "ok"
    );
    let body = lab.until("own", &id, "COMPLETED").await;
    assert_eq!(body["output"], json!([]));
    let late = json!({ "status": "IN_PROGRESS", "output": "late" });
    assert_eq!(
        report(&lab, "job-done", &id, &late).await["status"],
        "ignored"
    );
    assert_eq!(lab.get(&format!("/v2/own/status/{id}")).await.1, body);
    let health = lab.get("/v2/own/health").await.1;
    assert_eq!(
        (&health["jobs"]["completed"], &health["workers"]["idle"]),
        (&json!(1), &json!(1))
    );
    lab.end().await;
}

#[tokio::test]
async fn a_waiting_worker_gets_the_job_at_once() {
    let lab = Lab::start(EmulatorSettings {
        long_poll: Duration::from_secs(15),
        ..quick()
    });
    let started = Instant::now();
    let submit = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        lab.run("own", &json!({ "input": { "a": 1 } })).await
    };
    let (taken, id) = tokio::join!(take(&lab), submit);
    assert_eq!((taken.0, &taken.1["id"]), (200, &json!(id)));
    assert!(started.elapsed() < Duration::from_secs(5));
    lab.end().await;
}

#[tokio::test]
async fn a_batch_is_taken_together() {
    let lab = Lab::quick();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(json!(lab.run("own", &json!({ "input": { "a": 1 } })).await));
    }
    let path = "/v2/own/job-take-batch/w1?gpu=x&batch_size=2&job_in_progress=0";
    let mut taken = Vec::new();
    for expected in [2, 1] {
        let (_, jobs) = lab.get(path).await;
        assert_eq!(jobs.as_array().unwrap().len(), expected);
        taken.extend(jobs.as_array().unwrap().iter().map(|job| job["id"].clone()));
    }
    assert_eq!(taken, ids);
    assert_eq!(lab.get(path).await.0, 204);
    lab.end().await;
}

#[tokio::test]
async fn errors_of_a_handler_fail_the_job() {
    let lab = Lab::quick();
    for error in [json!("no"), json!("{\"error_type\": \"x\"}")] {
        let id = lab.run("own", &json!({ "input": { "a": 1 } })).await;
        take(&lab).await;
        report(
            &lab,
            "job-done",
            &id,
            &json!({ "output": {}, "error": error }),
        )
        .await;
        assert_eq!(lab.until("own", &id, "FAILED").await["error"], error);
    }
    lab.end().await;
}

#[tokio::test]
async fn a_worker_is_told_to_stop_what_was_cancelled() {
    let lab = Lab::start(EmulatorSettings {
        long_poll: Duration::from_secs(15),
        ..quick()
    });
    let id = lab.run("own", &json!({ "input": { "a": 1 } })).await;
    take(&lab).await;
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        lab.post(&format!("/v2/own/cancel/{id}"), &json!({})).await
    };
    let (stops, _) = tokio::join!(lab.get("/v2/own/job-stop/w1?gpu=x"), cancel);
    assert_eq!(stops, (200, json!({ "jobsToStop": [id] })));
    assert_eq!(
        report(&lab, "job-done", &id, &json!({ "output": 1 })).await["status"],
        "ignored"
    );
    lab.until("own", &id, "CANCELLED").await;
    lab.end().await;
}

#[tokio::test]
async fn a_lost_workers_job_is_given_to_another_and_then_fails() {
    let lab = Lab::start(EmulatorSettings {
        worker_silence: Duration::from_millis(200),
        ..quick()
    });
    let id = lab.run("own", &json!({ "input": { "a": 1 } })).await;
    take(&lab).await;
    let body = lab.until("own", &id, "IN_QUEUE").await;
    assert_eq!(body["retries"], 1);
    let (_, job) = lab.get("/v2/own/job-take/w2?gpu=x").await;
    assert_eq!(job["id"], id.as_str());
    let body = lab.until("own", &id, "FAILED").await;
    assert_eq!(body["error"], "job timed out after 1 retries");
    lab.end().await;
}

#[tokio::test]
async fn a_stuck_job_is_never_handed_out() {
    let lab = Lab::quick();
    lab.behave(
        "own",
        &json!({ "faults": [{ "when": "run", "kind": "stuck" }] }),
    )
    .await;
    let id = lab.run("own", &json!({ "input": { "a": 1 } })).await;
    assert_eq!(take(&lab).await.0, 204);
    lab.until("own", &id, "IN_QUEUE").await;
    lab.end().await;
}
