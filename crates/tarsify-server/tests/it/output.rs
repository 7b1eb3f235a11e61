//! What a model says while it works, through the real binary: a worker process asks for it because
//! another process has a client who follows the run.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::live::Stream;
use crate::support::{Server, Workshop, patch, until};

const CANARY: &str = "CANARY-1234567";
/// A good deal more than anything takes here.
const PATIENCE: Duration = Duration::from_secs(30);

/// A market with a model whose base model says parts of its output, at an endpoint where the test
/// is the worker.
async fn talkative() -> Workshop {
    let workshop = Workshop::open().await;
    let clerk = workshop.serve("api").await;
    let base = workshop.add_base_model(&clerk, "own", 600).await;
    let change = patch(format!("/api/admin/base-models/{base}"))
        .by(&workshop.admin)
        .json(json!({"streamsOutput": true}));
    let changed = clerk.send(change).await.assert_ok(200);
    assert_eq!(changed.data()["streamsOutput"], true);
    let overrides = json!({"secretInputs": {"recipe": CANARY}});
    workshop.add_model(&clerk, &base, "talker", overrides).await;
    clerk.stop("TERM").await.assert_code(0);
    workshop
}

/// Takes the job as its worker.
async fn taken(workshop: &Workshop) -> String {
    loop {
        if let Some(job) = workshop.gpus.take("own").await {
            return job;
        }
    }
}

async fn watch(workshop: &Workshop, server: &Server, run: &str) -> Stream {
    let path = format!("/api/marketplace/runs/{run}/events");
    Stream::open(server, &path, &workshop.consumer, "").await
}

/// The next part that is told.
async fn delta(stream: &mut Stream) -> serde_json::Value {
    loop {
        let told = timeout(PATIENCE, stream.next())
            .await
            .expect("more is told");
        let told = told.expect("the stream goes on");
        assert_ne!(told.event, "end");
        if told.event == "output_delta" {
            return told.data["data"].clone();
        }
    }
}

#[tokio::test]
async fn who_watches_reads_along_while_another_process_works() {
    let workshop = talkative().await;
    let (api, worker) = tokio::join!(workshop.serve("api"), workshop.serve("worker"));
    let run = workshop.submit(&api, "talker").await;
    let mut stream = watch(&workshop, &api, &run).await;
    let job = taken(&workshop).await;
    let gpus = &workshop.gpus;
    let say = async |words: &str| {
        let part = json!({"choices": [{"tokens": [words]}]});
        gpus.report("own", "job-stream", &job, part).await;
    };
    say("Once upon a time? ").await;
    let first = delta(&mut stream).await;
    assert_eq!(first, json!({"index": 0, "text": "Once upon a time? "}));
    // The middle of a secret, and its end after that was read.
    say("They said CANARY-1234").await;
    let second = delta(&mut stream).await;
    assert_eq!(second, json!({"index": 1, "text": "They said "}));
    say("567!").await;
    let third = delta(&mut stream).await;
    assert_eq!(third, json!({"index": 2, "text": "[hidden]!"}));
    say(" The End").await;
    gpus.report(
        "own",
        "job-done",
        &job,
        json!("Once upon a time? They said so! The End"),
    )
    .await;
    let fourth = delta(&mut stream).await;
    assert_eq!(fourth["text"], " The End");
    let mut kinds = Vec::new();
    while let Some(told) = stream.next().await {
        kinds.push(told.event.clone());
        if told.event == "end" {
            break;
        }
    }
    assert_eq!(kinds.last().map(String::as_str), Some("end"));
    assert!(kinds.contains(&"completed".to_owned()), "{kinds:?}");
    let stored = workshop
        .store
        .sql("SELECT string_agg(data::text, ' ') FROM execution_events");
    assert!(!stored.contains("CANARY"), "{stored}");
    assert_eq!(workshop.store.sql("SELECT count(*) FROM watched_runs"), "0");
    workshop.all_ended().await;
    for server in [api, worker] {
        server.stop("TERM").await.assert_code(0);
    }
}

#[tokio::test]
async fn what_nobody_watches_is_not_asked_for() {
    let workshop = talkative().await;
    let (api, worker) = tokio::join!(workshop.serve("api"), workshop.serve("worker"));
    let run = workshop.submit(&api, "talker").await;
    let all = "/api/marketplace/events";
    let mut everything = Stream::open(&api, all, &workshop.consumer, "").await;
    let job = taken(&workshop).await;
    let gpus = &workshop.gpus;
    gpus.report("own", "job-stream", &job, json!("unheard"))
        .await;
    let looks = gpus.count("own", "status").await;
    let is_looked_at = async || gpus.count("own", "status").await > looks + 1;
    until("the job is looked at", is_looked_at).await;
    gpus.report("own", "job-done", &job, json!("done")).await;
    loop {
        let told = everything.next().await.expect("the stream goes on");
        assert_ne!(told.event, "output_delta");
        if told.event == "completed" {
            break;
        }
    }
    assert_eq!(gpus.count("own", "stream").await, 0);
    assert_eq!(workshop.store.sql("SELECT count(*) FROM watched_runs"), "0");
    assert_eq!(workshop.ended(&api, &run).await["status"], "COMPLETED");
    for server in [api, worker] {
        server.stop("TERM").await.assert_code(0);
    }
}
