//! When webhooks come, how often, and with what.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Lab, Mailbox};

async fn submit(lab: &Lab, mailbox: &Mailbox, faults: &str) -> String {
    let request = lab
        .request(Method::POST, "/v2/echo/run")
        .header("X-Emulator-Fault", faults);
    let body = json!({ "input": { "a": 1 }, "webhook": mailbox.address });
    let answer = request.json(&body).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_webhook_carries_the_status_the_input_and_its_address() {
    let (lab, mut mailbox) = (Lab::quick(), Mailbox::open(&[]).await);
    for (faults, status) in [("", "COMPLETED"), ("output=failed", "FAILED")] {
        let id = submit(&lab, &mailbox, faults).await;
        let (path, body) = mailbox.next().await;
        assert_eq!(path, "/hooks/one/t0ken");
        assert_eq!((&body["id"], &body["status"]), (&json!(id), &json!(status)));
        assert_eq!(
            (&body["input"], &body["webhook"]),
            (&json!({ "a": 1 }), &json!(mailbox.address))
        );
        let seen = lab.get(&format!("/v2/echo/status/{id}")).await.1;
        for (key, value) in seen.as_object().unwrap() {
            assert_eq!(&body[key], value, "{key}");
        }
    }
    lab.until_counted("echo", "webhooksDelivered", 2).await;
    assert_eq!(lab.emulator.counts("echo").of("webhookTries"), 2);
    lab.end().await;
}

#[tokio::test]
async fn a_webhook_is_tried_three_times() {
    let (lab, mut mailbox) = (
        Lab::quick(),
        Mailbox::open(&[500, 202, 404, 301, 500]).await,
    );
    submit(&lab, &mailbox, "").await;
    lab.until_counted("echo", "webhooksAbandoned", 1).await;
    assert_eq!(lab.emulator.counts("echo").of("webhookTries"), 3);
    submit(&lab, &mailbox, "").await;
    lab.until_counted("echo", "webhooksDelivered", 1).await;
    assert_eq!(lab.emulator.counts("echo").of("webhookTries"), 6);
    for _ in 0..6 {
        mailbox.next().await;
    }
    assert!(mailbox.is_empty());
    lab.end().await;
}

#[tokio::test]
async fn cancelled_and_timed_out_jobs_send_none() {
    let (lab, mut mailbox) = (Lab::quick(), Mailbox::open(&[]).await);
    let id = submit(&lab, &mailbox, "run=stuck").await;
    lab.post(&format!("/v2/echo/cancel/{id}"), &json!({})).await;
    let id = submit(&lab, &mailbox, "output=timed_out").await;
    lab.until("echo", &id, "TIMED_OUT").await;
    let id = submit(&lab, &mailbox, "webhook=none").await;
    lab.until("echo", &id, "COMPLETED").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(mailbox.is_empty());
    assert_eq!(lab.emulator.counts("echo").of("webhookTries"), 0);
    lab.end().await;
}

#[tokio::test]
async fn webhooks_can_be_duplicated_and_late() {
    let (lab, mut mailbox) = (Lab::quick(), Mailbox::open(&[]).await);
    submit(&lab, &mailbox, "webhook=duplicate:3").await;
    let first = mailbox.next().await;
    assert_eq!(
        (mailbox.next().await, mailbox.next().await),
        (first.clone(), first)
    );
    let started = Instant::now();
    submit(&lab, &mailbox, "webhook=late:200").await;
    mailbox.next().await;
    assert!(started.elapsed() >= Duration::from_millis(200));
    lab.end().await;
}

#[tokio::test]
async fn a_webhook_can_come_before_the_answer() {
    let (lab, mut mailbox) = (Lab::quick(), Mailbox::open(&[]).await);
    lab.behave("echo", &json!({ "runMs": 100 })).await;
    let id = submit(&lab, &mailbox, "webhook=reordered").await;
    // It is here already: nothing needs to be waited for.
    let (_, body) = tokio::time::timeout(Duration::from_millis(1), mailbox.next())
        .await
        .unwrap();
    assert_eq!(body["id"], id.as_str());
    lab.end().await;
}

#[tokio::test]
async fn webhooks_can_be_forged() {
    let (lab, mut mailbox) = (Lab::quick(), Mailbox::open(&[]).await);
    submit(&lab, &mailbox, "webhook=forged_path").await;
    let paths = [mailbox.next().await.0, mailbox.next().await.0];
    assert_eq!(paths, ["/hooks/one/nek0t", "/hooks/one/t0ken"]);
    lab.behave("echo", &json!({ "runMs": 60_000 })).await;
    let id = submit(&lab, &mailbox, "webhook=forged_body").await;
    let (path, body) = mailbox.next().await;
    assert_eq!(
        (path.as_str(), &body["id"], &body["status"]),
        ("/hooks/one/t0ken", &json!(id), &json!("COMPLETED"))
    );
    lab.until("echo", &id, "IN_PROGRESS").await;
    lab.end().await;
}

#[tokio::test]
async fn a_retried_job_sends_another() {
    let (lab, mut mailbox) = (Lab::quick(), Mailbox::open(&[]).await);
    lab.behave(
        "echo",
        &json!({ "faults": [{ "when": "output", "kind": "failed", "times": 1 }] }),
    )
    .await;
    let id = submit(&lab, &mailbox, "").await;
    assert_eq!(mailbox.next().await.1["status"], "FAILED");
    lab.post(&format!("/v2/echo/retry/{id}"), &json!({})).await;
    assert_eq!(mailbox.next().await.1["status"], "COMPLETED");
    lab.end().await;
}
