//! Several processes on one database: roles, shared work, twins, and processes that die, freeze
//! or leave in the middle of a run.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Answer, Server, Workshop, accepted, get, until};

#[tokio::test]
async fn a_worker_does_what_an_api_process_accepts_and_wakes_who_waits_there() {
    let workshop = Workshop::open().await;
    let api = workshop.serve("api").await;
    let run = workshop.submit(&api, "echo").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(
        workshop.gpus.count("echo", "run").await,
        0,
        "an api process works"
    );

    let worker = workshop.serve("worker").await;
    assert_eq!(workshop.ended(&api, &run).await["status"], "COMPLETED");
    let waiting = workshop.run("echo").header("prefer", "wait=30");
    let answer = api.send(waiting).await.assert_ok(200);
    assert_eq!(answer.data()["status"], "COMPLETED");

    for path in [
        "/health",
        "/health/live",
        "/health/ready",
        "/livez",
        "/readyz",
    ] {
        worker.send(get(path)).await.assert_ok(200);
    }
    for path in [
        "/api/marketplace/models",
        "/openapi.json",
        "/docs/",
        "/local/jwks.json",
    ] {
        worker.send(get(path)).await.assert_failed(404, "ERR_1002");
    }
    let refused = worker.send(workshop.run("echo")).await;
    refused.assert_failed(404, "ERR_1002");
    for server in [api, worker] {
        server.stop("TERM").await.assert_code(0);
    }
    workshop.assert_sound();
}

#[tokio::test]
async fn two_processes_share_the_work() {
    let workshop = Workshop::open().await;
    let api = workshop.serve("api").await;
    for _ in 0..150 {
        workshop.submit(&api, "echo").await;
    }
    let (one, two) = tokio::join!(workshop.serve("all"), workshop.serve("all"));
    workshop.all_ended().await;
    assert_eq!(workshop.executions("status = 'COMPLETED'"), 150);
    assert_eq!(workshop.gpus.count("echo", "run").await, 150);
    let mut ended = 0;
    for server in [one, two] {
        let said = server.stop("INT").await.assert_code(0);
        let here = said.err.matches("run ended").count();
        assert!(here > 0, "one of them did nothing");
        ended += here;
    }
    assert_eq!(ended, 150);
}

#[tokio::test]
async fn a_hundred_twins_with_one_key_at_two_processes_are_one_run() {
    let workshop = Workshop::open().await;
    let (one, two) = tokio::join!(workshop.serve("all"), workshop.serve("all"));
    let servers = [Arc::new(one), Arc::new(two)];
    let mut clicks = JoinSet::new();
    for number in 0..100 {
        let server = Arc::clone(&servers[number % 2]);
        let click = workshop.run("echo").header("idempotency-key", "one-click");
        clicks.spawn(async move { server.send(click).await });
    }
    let answers = clicks.join_all().await;
    let fresh = answers.iter().filter(|answer| !is_replay(answer)).count();
    assert_eq!(fresh, 1, "{answers:#?}");
    let mut runs: Vec<String> = answers.into_iter().map(accepted).collect();
    runs.dedup();
    assert_eq!(runs.len(), 1, "{runs:?}");
    workshop.all_ended().await;
    assert_eq!(workshop.executions("true"), 1);
    assert_eq!(workshop.gpus.count("echo", "run").await, 1);

    let other = workshop.run_with("echo", json!({"prompt": "something else"}));
    let other = other.header("idempotency-key", "one-click");
    servers[0].send(other).await.assert_failed(422, "ERR_1007");
}

fn is_replay(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

#[tokio::test]
async fn another_worker_finishes_what_a_killed_one_had_in_hand() {
    let mut workshop = quick_to_give_up().await;
    let api = workshop.serve_with_callbacks("api").await;
    let worker = workshop.serve("worker").await;
    workshop.gpus.behave("echo", json!({"runMs": 2_000})).await;
    let run = workshop.submit(&api, "echo").await;
    until("it is at the provider", async || {
        workshop.gpus.count("echo", "run").await == 1
    })
    .await;
    worker.process.signal("KILL");
    drop(worker);
    let _fresh = workshop.serve("worker").await;
    assert_eq!(workshop.ended(&api, &run).await["status"], "COMPLETED");
    let jobs = workshop.gpus.count("echo", "run").await;
    assert!(jobs <= 2, "{jobs} jobs for one run and one crash");
    workshop.assert_sound();
}

#[tokio::test]
async fn a_worker_that_was_frozen_past_its_lease_writes_nothing_any_more() {
    let mut workshop = quick_to_give_up().await;
    let api = workshop.serve_with_callbacks("api").await;
    let frozen = workshop.serve("worker").await;
    // The answer to the submission reaches it when it has long lost its lease.
    let slow = json!([{"when": "run", "kind": "delay", "ms": 1_000, "times": 1}]);
    workshop.gpus.behave("echo", json!({"faults": slow})).await;
    let run = workshop.submit(&api, "echo").await;
    until("it is being submitted", async || {
        workshop.gpus.count("echo", "run").await == 1
    })
    .await;
    frozen.process.signal("STOP");
    let _fresh = workshop.serve("worker").await;
    assert_eq!(workshop.ended(&api, &run).await["status"], "COMPLETED");
    let before = rows_of(&workshop, &run);

    // Before it ends it still sees to what it has in hand.
    frozen.process.signal("CONT");
    let said = frozen.stop("INT").await.assert_code(0);
    assert!(said.err.contains("LeaseLost"), "{said:#?}");
    assert!(!said.err.contains("run ended"), "{said:#?}");
    assert_eq!(rows_of(&workshop, &run), before);
    workshop.assert_sound();
}

/// Everything that is stored of a run.
fn rows_of(workshop: &Workshop, run: &str) -> String {
    let tables = [
        ("executions", "id"),
        ("execution_events", "execution_id"),
        ("provider_attempts", "execution_id"),
    ];
    let rows = tables.map(|(table, id)| {
        let sql = format!("SELECT * FROM {table} WHERE {id} = '{run}' ORDER BY 1, 2");
        workshop.store.sql(&sql)
    });
    rows.join("\n")
}

/// Short leases, and no long wait for lost answers.
async fn quick_to_give_up() -> Workshop {
    Workshop::with(&[
        ("TARSIFY__EXECUTIONS__LEASE_SECONDS", "2"),
        ("TARSIFY__EXECUTIONS__LOST_ANSWER_GRACE_SECONDS", "1"),
        ("LOG_LEVEL", "info,tarsify_engine=debug"),
    ])
    .await
}

#[tokio::test]
async fn whoever_is_asked_to_stop_gives_back_what_it_has_in_hand() {
    let workshop = Workshop::open().await;
    let server = workshop.serve("all").await;
    let slow = json!([{"when": "run", "kind": "delay", "ms": 700}]);
    workshop.gpus.behave("echo", json!({"faults": slow})).await;
    for _ in 0..20 {
        workshop.submit(&server, "echo").await;
    }
    let waiting = workshop.run("echo").header("prefer", "wait=60");
    let (answer, ()) = tokio::join!(server.send(waiting), async {
        until("some are being submitted", async || {
            workshop.gpus.count("echo", "run").await >= 21
        })
        .await;
        server.process.signal("TERM");
    });
    assert!(matches!(answer.status, 200 | 202), "{answer:#?}");
    server.process.ended().await.assert_code(0);
    assert_eq!(
        workshop.executions("lease_until > now()"),
        0,
        "leases are left"
    );
    assert_eq!(workshop.executions("stage = 'submitting'"), 0);

    workshop.gpus.behave("echo", json!({})).await;
    let _fresh = workshop.serve("worker").await;
    workshop.all_ended().await;
    assert_eq!(workshop.executions("status = 'COMPLETED'"), 21);
    assert_eq!(workshop.gpus.count("echo", "run").await, 21);
}

#[tokio::test]
async fn an_outage_of_the_database_loses_no_accepted_run() {
    let mut workshop =
        Workshop::with(&[("TARSIFY__EXECUTIONS__LOST_ANSWER_GRACE_SECONDS", "1")]).await;
    let server = workshop.serve_with_callbacks("all").await;
    workshop.gpus.behave("echo", json!({"runMs": 300})).await;
    let mut accepted_runs = Vec::new();
    for round in 0..3 {
        for _ in 0..10 {
            accepted_runs.push(workshop.submit(&server, "echo").await);
        }
        workshop.store.close();
        for _ in 0..5 {
            let key = format!("outage-{round}");
            let click = workshop.run("echo").header("idempotency-key", &key);
            server.send(click).await.assert_failed(503, "ERR_1005");
        }
        workshop.store.open();
        until("it is ready again", async || {
            server.send(get("/readyz")).await.status == 200
        })
        .await;
    }
    for run in &accepted_runs {
        let ended = workshop.ended(&server, run).await;
        assert_eq!(ended["status"], "COMPLETED", "{ended}");
    }
    workshop.all_ended().await;
}

#[tokio::test]
async fn what_the_developer_keeps_to_himself_reaches_no_consumer_and_no_log() {
    let mut workshop = Workshop::open().await;
    let server = workshop.serve_with_callbacks("all").await;
    let worker = workshop.serve("worker").await;
    let base = get("/api/studio/base-models").by(&workshop.developer);
    let base = server.send(base).await.assert_ok(200).data()[0]["id"].clone();
    let secrets = json!({
        "promptPrefix": "canary-prefix ", "promptSuffix": " canary-suffix",
        "lockedInputs": {"style": "canary-locked"}, "hiddenFields": ["style", "recipe", "mood"],
        "secretInputs": {"recipe": "canary-secret"},
    });
    workshop
        .add_model(&server, base.as_str().unwrap(), "secretive", secrets)
        .await;
    let mut seen = String::new();
    for kind in [
        "echo_input",
        "echo_in_error",
        "traceback",
        "error_inside",
        "wrong_types",
    ] {
        let faults = json!([{"when": "output", "kind": kind}]);
        let behaviour = json!({"runMs": 300, "progressSteps": 2, "faults": faults});
        workshop.gpus.behave("echo", behaviour).await;
        let run = workshop.run("secretive").header("prefer", "wait=20");
        let answer = server.send(run).await;
        let id = answer.data()["id"].as_str().unwrap().to_owned();
        seen.push_str(&said(&answer));
        for path in ["", "/status?sync=true", "/status?waitMs=100"] {
            let ask = get(format!("/api/marketplace/runs/{id}{path}")).by(&workshop.consumer);
            seen.push_str(&said(&server.send(ask).await));
        }
    }
    let wrong = workshop.run_with(
        "secretive",
        json!({"prompt": "x".repeat(2_001), "style": 1}),
    );
    seen.push_str(&said(&server.send(wrong).await));
    let list = get("/api/marketplace/runs").by(&workshop.consumer);
    seen.push_str(&said(&server.send(list).await));
    let shown = server.send(get("/api/marketplace/models/secretive")).await;
    seen.push_str(&said(&shown));
    // The test itself would be blind if the GPUs had seen nothing.
    let payloads = workshop.store.sql("SELECT payload FROM executions");
    assert!(payloads.contains("canary-prefix") && payloads.contains("canary-secret"));
    let events = workshop.store.sql("SELECT data FROM execution_events");
    assert!(!events.contains("canary"), "{events}");
    assert!(!seen.contains("canary"), "{seen}");
    for process in [server, worker] {
        let said = process.stop("INT").await.assert_code(0);
        let log = format!("{}{}", said.out, said.err);
        assert!(!log.contains("canary"), "{log}");
        assert!(!log.contains("lighthouse"), "{log}");
    }
}

/// Every byte of an answer that a test can see.
fn said(answer: &Answer) -> String {
    format!("{:?} {}\n", answer.headers, answer.body)
}

#[tokio::test]
async fn production_starts_no_worker_without_a_key() {
    let workshop = Workshop::open().await;
    let firebase = crate::support::Firebase::start().await;
    let place =
        crate::support::Place::in_production(&workshop.store, &firebase).with("RUNPOD_API_KEY", "");
    for role in ["all", "worker"] {
        let said = place.run(&["serve", "--port", "0", "--role", role]).await;
        said.assert_code(2).assert_one_line(&["RUNPOD_API_KEY"]);
    }
    let arguments = ["serve", "--port", "0", "--role", "api"];
    let api = Server::ready(place.start(&arguments)).await;
    api.stop("INT").await.assert_code(0);
    let said = place.run(&["doctor"]).await.assert_code(1);
    assert!(said.out.contains("RUNPOD_API_KEY"), "{said:#?}");
}
