//! A job from its submission to its end, without anything going wrong.

use std::time::Duration;

use serde_json::{Value, json};
use tarsify_domain::catalog::Provider;
use tarsify_domain::execution::ProviderJobId;
use tarsify_emulator::Behaviour;
use tarsify_engine::provider::{GpuProvider, JobStatus, LookAnswer, StopAnswer};

use super::support::{Lab, job, payload, seen, submit};

#[tokio::test]
async fn a_job_is_submitted_looked_at_and_brings_its_result() {
    let lab = Lab::quick();
    let client = lab.client();
    assert_eq!(client.kind(), Provider::RunPod);
    let told = submit(&client, &lab.place).await;
    assert_eq!(told.http_status, Some(200));
    assert!(told.said.starts_with("accepted as "), "{}", told.said);
    let job = job(&client, &lab.place).await;
    lab.until_kept_as(&job, "COMPLETED").await;
    let told = client.look(&lab.place, &job).await;
    assert_eq!(
        (told.http_status, told.said.as_str()),
        (Some(200), "COMPLETED")
    );
    let view = seen(told);
    let output = Some(Value::Object(payload()));
    assert_eq!(view.status, JobStatus::Completed { output });
    assert!(view.queue_ms.is_some() && view.run_ms.is_some(), "{view:?}");
    lab.end().await;
}

#[tokio::test]
async fn a_job_is_seen_waiting_working_and_telling_how_far_it_is() {
    let lab = Lab::quick();
    let client = lab.client();
    lab.behave(Behaviour {
        queue_ms: Some(60_000),
        ..Behaviour::default()
    });
    let waiting = job(&client, &lab.place).await;
    let view = seen(client.look(&lab.place, &waiting).await);
    assert_eq!(view.status, JobStatus::InQueue);
    lab.behave(Behaviour {
        run_ms: Some(60_000),
        progress_steps: Some(1_000),
        ..Behaviour::default()
    });
    let working = job(&client, &lab.place).await;
    lab.until_kept_as(&working, "IN_PROGRESS").await;
    let told = async {
        loop {
            let view = seen(client.look(&lab.place, &working).await);
            match view.status {
                JobStatus::InProgress {
                    progress: Some(progress),
                } => return progress,
                JobStatus::InProgress { progress: None } => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                other => panic!("{other:?}"),
            }
        }
    };
    let progress = tokio::time::timeout(Duration::from_secs(10), told).await;
    assert!(!progress.unwrap().is_null());
    lab.end().await;
}

#[tokio::test]
async fn a_job_is_stopped_once() {
    let lab = Lab::quick();
    let client = lab.client();
    lab.behave(Behaviour {
        run_ms: Some(60_000),
        ..Behaviour::default()
    });
    let job = job(&client, &lab.place).await;
    let stopped = client.stop(&lab.place, &job).await;
    assert_eq!(stopped.answer, StopAnswer::Cancelled);
    let view = seen(client.look(&lab.place, &job).await);
    assert_eq!(view.status, JobStatus::Cancelled);
    let unknown = ProviderJobId::parse("never-was-u1").unwrap();
    let stopped = client.stop(&lab.place, &unknown).await;
    assert_eq!(stopped.answer, StopAnswer::NotFound);
    let told = client.look(&lab.place, &unknown).await;
    assert_eq!(
        (told.answer, told.http_status),
        (LookAnswer::NotFound, Some(404))
    );
    lab.end().await;
}

#[tokio::test]
async fn what_has_ended_cannot_be_stopped() {
    let lab = Lab::quick();
    let client = lab.client();
    let job = job(&client, &lab.place).await;
    lab.until_kept_as(&job, "COMPLETED").await;
    let stopped = client.stop(&lab.place, &job).await;
    assert_eq!(stopped.answer, StopAnswer::Ended);
    assert_eq!(stopped.said, "COMPLETED");
    lab.end().await;
}

#[tokio::test]
async fn the_policy_is_sent_in_milliseconds_and_within_the_range() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = super::support::client_at(
        listener.local_addr().unwrap(),
        tarsify_engine::provider::RunPodSettings {
            api_key: Some("rpa_key".to_owned()),
            ..Default::default()
        },
    );
    let mut place = super::support::place();
    place.timeout = Duration::from_secs(1);
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut read, mut part) = (Vec::new(), [0; 4_096]);
        let request = loop {
            let length = stream.read(&mut part).await.unwrap();
            read.extend_from_slice(&part[..length]);
            let text = String::from_utf8_lossy(&read).into_owned();
            if text.ends_with("}}") {
                break text;
            }
        };
        let answer = "HTTP/1.1 200 x\r\ncontent-length: 11\r\n\r\n{\"id\":\"x1\"}";
        stream.write_all(answer.as_bytes()).await.unwrap();
        request
    };
    let callback = Some("http://127.0.0.1:1/hooks/t0ken");
    let submit = super::support::submit_with(&client, &place, callback);
    let (request, told) = tokio::join!(server, submit);
    assert_eq!(told.said, "accepted as x1");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v2/echo/run HTTP/1.1"), "{head}");
    assert!(head.contains("authorization: Bearer rpa_key"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        body,
        json!({
            "input": { "prompt": "a secret wish" },
            "webhook": "http://127.0.0.1:1/hooks/t0ken",
            "policy": { "executionTimeout": 5_000, "ttl": 1_200_000 },
        })
    );
}
