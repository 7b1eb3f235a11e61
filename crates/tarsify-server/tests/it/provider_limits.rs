//! Limits towards the GPUs, kept by several processes together, and what people are told who wait
//! for them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Server, Workshop, get, patch, until};

/// Gives the only endpoint these limits.
async fn limit(workshop: &Workshop, server: &Server, limits: Value) {
    let all = get("/api/admin/endpoints").by(&workshop.admin);
    let all = server.send(all).await.assert_ok(200).data().clone();
    let id = all[0]["id"].as_str().unwrap();
    let change = patch(format!("/api/admin/endpoints/{id}"))
        .by(&workshop.admin)
        .json(json!({"limits": limits}));
    let told = server.send(change).await.assert_ok(200);
    assert_eq!(told.data()["limits"], limits);
}

#[tokio::test]
async fn two_workers_never_have_more_jobs_than_the_endpoint_may() {
    let workshop = Workshop::open().await;
    workshop.gpus.behave("echo", json!({"runMs": 150})).await;
    let api = workshop.serve("api").await;
    limit(&workshop, &api, json!({"maxConcurrency": 2})).await;
    for _ in 0..20 {
        workshop.submit(&api, "echo").await;
    }
    let (one, two) = tokio::join!(workshop.serve("worker"), workshop.serve("worker"));
    let mut most = 0;
    until("every run ends", async || {
        most = most.max(workshop.gpus.jobs("echo").await);
        workshop.executions("stage <> 'ended'") == 0
    })
    .await;
    assert!((1..=2).contains(&most), "{most} at once");
    assert_eq!(workshop.executions("status = 'COMPLETED'"), 20);
    assert_eq!(
        workshop.executions("attempts <> 1"),
        0,
        "to wait is no attempt"
    );
    assert_eq!(workshop.gpus.count("echo", "run").await, 20);
    for server in [api, one, two] {
        server.stop("TERM").await.assert_code(0);
    }
    workshop.assert_sound();
}

#[tokio::test]
async fn two_workers_share_a_minute_and_whoever_waits_is_told() {
    let workshop = Workshop::open().await;
    let api = workshop.serve("api").await;
    limit(&workshop, &api, json!({"maxPerMinute": 4})).await;
    let mut runs = Vec::new();
    for _ in 0..7 {
        runs.push(workshop.submit(&api, "echo").await);
    }
    let first = get(format!("/api/marketplace/runs/{}", runs[0])).by(&workshop.consumer);
    let first = api.send(first).await.assert_ok(200);
    assert_eq!(first.data()["queuePosition"], 1);
    assert_eq!(first.data()["etaSeconds"], 1, "as the operator says");
    let (one, two) = tokio::join!(workshop.serve("worker"), workshop.serve("worker"));
    until("four runs end", async || {
        workshop.executions("status = 'COMPLETED'") == 4
    })
    .await;
    // Each worker looks several times more.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(workshop.gpus.count("echo", "run").await, 4);
    let last = api.send(workshop.status(&runs[6])).await.assert_ok(200);
    assert_eq!(last.data()["status"], "PENDING");
    assert_eq!(last.data()["queuePosition"], 3);
    let done = api.send(workshop.status(&runs[0])).await.assert_ok(200);
    for told in ["queuePosition", "etaSeconds", "etaSecondsP90"] {
        assert_eq!(done.data()[told], Value::Null, "{told}");
    }
    limit(&workshop, &api, json!({})).await;
    workshop.all_ended().await;
    assert_eq!(workshop.gpus.count("echo", "run").await, 7);
    for server in [api, one, two] {
        server.stop("TERM").await.assert_code(0);
    }
}

#[tokio::test]
async fn a_busy_endpoint_is_asked_as_often_as_its_operator_says() {
    let workshop = Workshop::open().await;
    let busy = json!({"faults": [{"when": "run", "kind": "rate_limited", "times": 2}]});
    workshop.gpus.behave("echo", busy).await;
    let server = workshop.serve("all").await;
    let limits = json!({"retryOn429": false, "baseBackoffMs": 100});
    limit(&workshop, &server, limits).await;
    let run = workshop.submit(&server, "echo").await;
    assert_eq!(workshop.ended(&server, &run).await["status"], "COMPLETED");
    assert_eq!(
        workshop.executions("attempts = 3"),
        1,
        "each try is an attempt"
    );
    assert_eq!(workshop.gpus.count("echo", "run").await, 3);
    server.stop("TERM").await.assert_code(0);
    workshop.assert_sound();
}

#[tokio::test]
async fn two_workers_never_have_more_jobs_than_the_provider_may() {
    let workshop = Workshop::open().await;
    let api = workshop.serve("api").await;
    let other = workshop.add_base_model(&api, "demo-vllm", 600).await;
    workshop.add_model(&api, &other, "other", json!({})).await;
    for endpoint in ["echo", "demo-vllm"] {
        workshop.gpus.behave(endpoint, json!({"runMs": 150})).await;
    }
    let limits = json!({"maxConcurrency": 3, "baseBackoffMs": 200});
    let change = patch("/api/admin/settings")
        .by(&workshop.admin)
        .json(json!({"providers": {"runpod": limits}}));
    let told = api.send(change).await.assert_ok(200);
    assert_eq!(told.data()["providers"]["runpod"], limits);
    for _ in 0..10 {
        workshop.submit(&api, "echo").await;
        workshop.submit(&api, "other").await;
    }
    let (one, two) = tokio::join!(workshop.serve("worker"), workshop.serve("worker"));
    let mut most = 0;
    until("every run ends", async || {
        most = most.max(workshop.executions("stage NOT IN ('created', 'ended')"));
        workshop.executions("stage <> 'ended'") == 0
    })
    .await;
    assert!((2..=3).contains(&most), "{most} at once");
    assert_eq!(workshop.executions("status = 'COMPLETED'"), 20);
    for server in [api, one, two] {
        server.stop("TERM").await.assert_code(0);
    }
    workshop.assert_sound();
}

#[tokio::test]
async fn workers_know_how_many_they_are() {
    let workshop = Workshop::open().await;
    let api = workshop.serve("api").await;
    let (one, two) = tokio::join!(workshop.serve("worker"), workshop.serve("all"));
    let present = || workshop.store.sql("SELECT count(*) FROM workers");
    until("both are here, and nobody else", async || present() == "2").await;
    one.stop("TERM").await.assert_code(0);
    assert_eq!(present(), "1", "who goes says so");
    let seen = || {
        let newest = "SELECT extract(epoch FROM max(seen_at)) FROM workers";
        workshop.store.sql(newest)
    };
    let before = seen();
    until("the other stays", async || seen() != before).await;
    two.stop("TERM").await.assert_code(0);
    assert_eq!(present(), "0");
    api.stop("TERM").await.assert_code(0);
}
