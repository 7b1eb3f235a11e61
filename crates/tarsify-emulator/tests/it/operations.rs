//! What clients can do, and what they are told when they cannot.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tarsify_emulator::{EmulatorSettings, RateLimits};

use crate::support::{Lab, quick};

#[tokio::test]
async fn a_job_is_submitted_and_read_to_its_end() {
    let lab = Lab::start(EmulatorSettings::default());
    let input = json!({ "prompt": "sunset", "n": [1, null] });
    let id = lab
        .run("echo", &json!({ "input": input, "s3Config": {} }))
        .await;
    assert!(id.ends_with("-u1") && id.len() <= 64, "{id}");
    let body = lab.until("echo", &id, "COMPLETED").await;
    assert_eq!(body["output"], input);
    assert_eq!(body["id"], id.as_str());
    let times = (
        body["delayTime"].as_u64().unwrap(),
        body["executionTime"].as_u64().unwrap(),
    );
    assert!(
        (200..5_000).contains(&times.0) && (250..5_000).contains(&times.1),
        "{times:?}"
    );
    assert_eq!(
        lab.post(&format!("/v2/echo/status/{id}"), &json!({}))
            .await
            .1,
        body
    );
    lab.end().await;
}

#[tokio::test]
async fn runsync_answers_with_the_result_or_with_the_id() {
    let lab = Lab::quick();
    let (status, body) = lab
        .post("/v2/echo/runsync", &json!({ "input": { "a": 1 } }))
        .await;
    assert_eq!(
        (status, &body["status"], &body["output"]),
        (200, &json!("COMPLETED"), &json!({ "a": 1 }))
    );
    assert!(body["id"].as_str().unwrap().starts_with("sync-"));
    lab.behave("echo", &json!({ "runMs": 60_000 })).await;
    let (status, body) = lab
        .post(
            "/v2/echo/runsync?wait=1000",
            &json!({ "input": { "a": 1 } }),
        )
        .await;
    assert_eq!((status, &body["status"]), (200, &json!("IN_PROGRESS")));
    let id = body["id"].as_str().unwrap();
    assert_eq!(lab.get(&format!("/v2/echo/status/{id}")).await.0, 200);
    lab.end().await;
}

#[tokio::test]
async fn a_stream_hands_out_each_part_once() {
    let lab = Lab::quick();
    let input = json!({ "prompt": "x", "sampling_params": { "max_tokens": 40 } });
    let id = lab.run("demo-vllm", &json!({ "input": input })).await;
    let whole =
        lab.until("demo-vllm", &id, "COMPLETED").await["output"]["choices"][0]["tokens"][0].clone();
    let path = format!("/v2/demo-vllm/stream/{id}");
    let (status, body) = lab.get(&path).await;
    assert_eq!((status, &body["status"]), (200, &json!("COMPLETED")));
    let parts = body["stream"].as_array().unwrap();
    let text: String = parts
        .iter()
        .map(|part| part["output"]["choices"][0]["tokens"][0].as_str().unwrap())
        .collect();
    assert_eq!(whole, text.as_str());
    assert_eq!(
        lab.get(&path).await.1,
        json!({ "status": "COMPLETED", "stream": [] })
    );
    lab.end().await;
}

#[tokio::test]
async fn jobs_are_cancelled_until_they_have_ended() {
    let lab = Lab::quick();
    for (behaviour, before) in [
        (json!({ "queueMs": 60_000 }), "IN_QUEUE"),
        (json!({ "runMs": 60_000 }), "IN_PROGRESS"),
    ] {
        lab.behave("echo", &behaviour).await;
        let id = lab.run("echo", &json!({ "input": { "a": 1 } })).await;
        lab.until("echo", &id, before).await;
        let answer = lab.post(&format!("/v2/echo/cancel/{id}"), &json!({})).await;
        assert_eq!(answer, (200, json!({ "id": id, "status": "CANCELLED" })));
        assert_eq!(
            lab.get(&format!("/v2/echo/status/{id}")).await.1["status"],
            "CANCELLED"
        );
    }
    lab.behave("echo", &json!({})).await;
    let id = lab.run("echo", &json!({ "input": { "a": 1 } })).await;
    lab.until("echo", &id, "COMPLETED").await;
    assert_eq!(
        lab.post(&format!("/v2/echo/cancel/{id}"), &json!({}))
            .await
            .1["status"],
        "COMPLETED"
    );
    lab.end().await;
}

#[tokio::test]
async fn failed_jobs_are_tried_again_under_the_same_id() {
    let lab = Lab::quick();
    lab.behave(
        "echo",
        &json!({ "faults": [{ "when": "output", "kind": "failed", "times": 1 }] }),
    )
    .await;
    let id = lab.run("echo", &json!({ "input": { "a": 1 } })).await;
    assert!(lab.until("echo", &id, "FAILED").await["error"].is_string());
    let path = format!("/v2/echo/retry/{id}");
    assert_eq!(
        lab.post(&path, &json!({})).await,
        (200, json!({ "id": id, "status": "IN_QUEUE" }))
    );
    let body = lab.until("echo", &id, "COMPLETED").await;
    assert_eq!(
        (&body["retries"], &body["output"], body.get("error")),
        (&json!(1), &json!({ "a": 1 }), None)
    );
    let (status, body) = lab.post(&path, &json!({})).await;
    assert_eq!(status, 400, "{body}");
    lab.end().await;
}

#[tokio::test]
async fn a_purge_empties_the_queue_and_spares_what_runs() {
    let lab = Lab::quick();
    lab.behave("echo", &json!({ "runMs": 60_000 })).await;
    let running = lab.run("echo", &json!({ "input": { "a": 1 } })).await;
    lab.until("echo", &running, "IN_PROGRESS").await;
    lab.behave("echo", &json!({ "queueMs": 60_000 })).await;
    let waiting = [
        lab.run("echo", &json!({ "input": { "a": 1 } })).await,
        lab.run("echo", &json!({ "input": { "a": 1 } })).await,
    ];
    let health = lab.get("/v2/echo/health").await.1;
    assert_eq!(
        (&health["jobs"]["inQueue"], &health["jobs"]["inProgress"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(health["workers"]["running"], 1);
    let answer = lab.post("/v2/echo/purge-queue", &json!({})).await;
    assert_eq!(
        answer,
        (200, json!({ "removed": 2, "status": "completed" }))
    );
    for id in waiting {
        lab.until("echo", &id, "CANCELLED").await;
    }
    lab.until("echo", &running, "IN_PROGRESS").await;
    lab.post("/v2/echo/purge-queue", &json!({})).await;
    let third = lab
        .request(Method::POST, "/v2/echo/purge-queue")
        .send()
        .await
        .unwrap();
    assert_eq!(third.status(), 429);
    assert!(third.headers().contains_key("retry-after"));
    assert_eq!(lab.emulator.counts("echo").of("rateLimited"), 1);
    lab.end().await;
}

#[tokio::test]
async fn the_hundred_and_first_cancel_waits() {
    let lab = Lab::quick();
    for _ in 0..100 {
        assert_eq!(lab.post("/v2/echo/cancel/nobody", &json!({})).await.0, 404);
    }
    assert_eq!(lab.post("/v2/echo/cancel/nobody", &json!({})).await.0, 429);
    assert_eq!(lab.post("/v2/other/cancel/nobody", &json!({})).await.0, 404);
    lab.end().await;
    let lab = Lab::start(EmulatorSettings {
        rate_limits: RateLimits::Off,
        ..quick()
    });
    for _ in 0..101 {
        assert_eq!(lab.post("/v2/echo/cancel/nobody", &json!({})).await.0, 404);
    }
    lab.end().await;
}

#[tokio::test]
async fn policies_end_and_forget_jobs() {
    let lab = Lab::quick();
    lab.behave("echo", &json!({ "runMs": 60_000 })).await;
    let id = lab
        .run(
            "echo",
            &json!({ "input": { "a": 1 }, "policy": { "executionTimeout": 30, "ttl": 60_000 } }),
        )
        .await;
    let body = lab.until("echo", &id, "TIMED_OUT").await;
    assert!(
        body["error"]
            .as_str()
            .unwrap()
            .contains("execution timeout of 30 ms")
    );
    let id = lab
        .run(
            "echo",
            &json!({ "input": { "a": 1 }, "policy": { "ttl": 30, "lowPriority": true } }),
        )
        .await;
    tokio::time::sleep(Duration::from_millis(40)).await;
    let (status, body) = lab.get(&format!("/v2/echo/status/{id}")).await;
    assert_eq!(status, 404);
    assert!(body["error"].as_str().unwrap().contains(&id));
    let id = lab.run("echo", &json!({ "input": { "a": 1 } })).await;
    assert_eq!(lab.get(&format!("/v2/echo/status/{id}?ttl=0")).await.0, 200);
    assert_eq!(lab.get(&format!("/v2/echo/status/{id}")).await.0, 404);
    lab.end().await;
}

#[tokio::test]
async fn policies_below_the_documented_range_are_raised() {
    let lab = Lab::start(EmulatorSettings {
        shortest_execution_timeout: Duration::from_secs(5),
        ..quick()
    });
    lab.behave("echo", &json!({ "runMs": 400 })).await;
    let id = lab
        .run(
            "echo",
            &json!({ "input": { "a": 1 }, "policy": { "executionTimeout": 1 } }),
        )
        .await;
    lab.until("echo", &id, "COMPLETED").await;
    lab.end().await;
}

#[tokio::test]
async fn requests_that_cannot_be_are_refused() {
    let lab = Lab::quick();
    for (body, why) in [
        ("{}", "no input"),
        (r#"{"input": null}"#, "null for an input"),
        ("[]", "no object"),
        ("{", "no JSON"),
        ("", "no body"),
        (
            r#"{"input": {"a": 1}, "webhook": "ftp://h"}"#,
            "no web address",
        ),
        (
            r#"{"input": {"a": 1}, "policy": {"ttl": "long"}}"#,
            "no number",
        ),
    ] {
        let answer = lab
            .request(Method::POST, "/v2/echo/run")
            .body(body)
            .send()
            .await
            .unwrap();
        let (status, body) = crate::support::read(answer).await;
        assert_eq!(status, 400, "{why}");
        assert!(body["error"].is_string(), "{why}: {body}");
    }
    for (method, path, status) in [
        (Method::GET, "/v2/echo/status/nobody", 404),
        (Method::GET, "/v2/echo/stream/nobody", 404),
        (Method::POST, "/v2/echo/cancel/nobody", 404),
        (Method::POST, "/v2/echo/retry/nobody", 404),
        (Method::GET, "/v2/echo/nothing", 404),
        (Method::GET, "/v2/no%20endpoint/health", 400),
    ] {
        let answer = lab.request(method, path).send().await.unwrap();
        let (seen, body) = crate::support::read(answer).await;
        assert_eq!(seen, status, "{path}");
        assert!(body["error"].is_string(), "{path}: {body}");
    }
    lab.end().await;
}

#[tokio::test]
async fn an_empty_input_is_accepted_and_found_missing_by_the_worker() {
    let lab = Lab::quick();
    let id = lab.run("demo-tts", &json!({ "input": {} })).await;
    let body = lab.until("demo-tts", &id, "FAILED").await;
    assert_eq!(body["error"], "Job has missing field(s): id or input.");
    lab.end().await;
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let lab = Lab::quick();
    let body =
        |megabytes: usize| json!({ "input": { "text": "x".repeat(megabytes * 1024 * 1024) } });
    assert_eq!(lab.post("/v2/echo/run", &body(9)).await.0, 200);
    assert_eq!(lab.post("/v2/echo/run", &body(10)).await.0, 413);
    assert_eq!(lab.post("/v2/echo/runsync", &body(10)).await.0, 200);
    assert_eq!(lab.post("/v2/echo/runsync", &body(20)).await.0, 413);
    lab.end().await;
}

#[tokio::test]
async fn only_the_right_key_opens() {
    let lab = Lab::start(EmulatorSettings {
        api_key: Some("rpa_one".to_owned()),
        ..quick()
    });
    for (key, expected) in [
        (None, 401),
        (Some("Bearer rpa_two"), 401),
        (Some("rpa_one"), 401),
        (Some("Bearer rpa_one"), 200),
    ] {
        for path in ["/v2/echo/health", "/emulator/endpoints/echo"] {
            let request = lab.request(Method::GET, path);
            let request = match key {
                Some(key) => request.header("authorization", key),
                None => request,
            };
            assert_eq!(
                request.send().await.unwrap().status(),
                expected,
                "{key:?} {path}"
            );
        }
    }
    let bare = lab
        .request(Method::GET, "/v2/own/ping/w")
        .header("authorization", "rpa_one");
    assert_eq!(bare.send().await.unwrap().status(), 200);
    lab.end().await;
}

#[tokio::test]
async fn an_earlier_attempt_does_not_end_a_retried_job() {
    let lab = Lab::quick();
    lab.behave("echo", &json!({ "runMs": 400 })).await;
    let body = json!({ "input": { "a": 1 }, "policy": { "executionTimeout": 150 } });
    let id = lab.run("echo", &body).await;
    lab.until("echo", &id, "TIMED_OUT").await;
    lab.behave("echo", &json!({ "queueMs": 60_000 })).await;
    assert_eq!(
        lab.post(&format!("/v2/echo/retry/{id}"), &json!({}))
            .await
            .0,
        200
    );
    // The work of the first attempt is done by then.
    tokio::time::sleep(Duration::from_millis(500)).await;
    lab.until("echo", &id, "IN_QUEUE").await;
    lab.end().await;
}
