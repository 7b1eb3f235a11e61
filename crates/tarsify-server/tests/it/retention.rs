//! What the binary removes of old runs by itself, and what everybody is told of them afterwards.

use reqwest::Client;
use serde_json::{Value, json};

use tarsify_testing::aging::AGE_RUN;

use crate::support::{Ask, Server, Workshop, accepted, get, post, until};

/// The kinds of what comes on a stream that ends.
async fn told(workshop: &Workshop, server: &Server, run: &str, last: &str) -> Vec<String> {
    let events = get(format!("/api/marketplace/runs/{run}/events"))
        .by(&workshop.consumer)
        .header("last-event-id", last);
    let client = Client::builder().no_proxy().build().unwrap();
    let answer = events.request(&client, &server.url()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    let kinds = text.lines().filter_map(|line| line.strip_prefix("event: "));
    kinds.map(str::to_owned).collect()
}

/// What a run of the consumer says of itself.
async fn seen(workshop: &Workshop, server: &Server, path: &str) -> Value {
    let ask = get(format!("/api/marketplace/runs/{path}")).by(&workshop.consumer);
    server.send(ask).await.assert_ok(200).data().clone()
}

fn repeatable(workshop: &Workshop) -> Ask {
    workshop.run("echo").header("idempotency-key", "the-oldest")
}

/// Nothing is left of what went in and came out, and all of what it cost.
async fn assert_without_payloads(workshop: &Workshop, server: &Server, run: &str) {
    let detail = seen(workshop, server, run).await;
    assert_eq!(detail["status"], "COMPLETED", "{detail}");
    assert_eq!(detail["inputPayload"], json!({}), "{detail}");
    assert_eq!(detail["outputPayload"], Value::Null, "{detail}");
    assert!(detail["payloadsRemovedAt"].is_string(), "{detail}");
    assert_eq!(detail["chargedCredits"], 5, "{detail}");
    let status = seen(workshop, server, &format!("{run}/status")).await;
    assert_eq!(status["outputPayload"], Value::Null, "{status}");
    assert!(status["payloadsRemovedAt"].is_string(), "{status}");
    let receipt = seen(workshop, server, &format!("{run}/receipt")).await;
    assert_eq!(receipt["chargedCredits"], 5, "{receipt}");
    let report = get(format!("/api/admin/executions/{run}")).by(&workshop.admin);
    let report = server.send(report).await.assert_ok(200);
    let report = report.data();
    assert!(report["payloadsRemovedAt"].is_string(), "{report}");
    assert_eq!(report["attempts"][0]["exchanges"], json!([]));
}

#[tokio::test]
async fn what_is_old_is_removed_and_what_it_cost_is_not() {
    let workshop = Workshop::open().await;
    let server = workshop.serve("all").await;
    let ancient = accepted(server.send(repeatable(&workshop)).await);
    let old = workshop.submit(&server, "echo").await;
    let young = workshop.submit(&server, "echo").await;
    for run in [&ancient, &old, &young] {
        workshop.ended(&server, run).await;
    }
    server.stop("TERM").await.assert_code(0);
    workshop.store.sql(AGE_RUN);
    let age = |run: &str, days: u32| {
        let aged = format!("SELECT age_run('{run}', {days})");
        workshop.store.sql(&aged)
    };
    let (ancient, old) = (age(&ancient, 91), age(&old, 31));

    // Several processes may begin with it at the same moment.
    let (api, worker, other) = tokio::join!(
        workshop.serve("api"),
        workshop.serve("worker"),
        workshop.serve("worker")
    );
    until("what is old is gone", async || {
        let left = "SELECT (SELECT count(*) FROM executions WHERE payloads_removed_at IS NULL), \
            (SELECT count(DISTINCT execution_id) FROM execution_events)";
        workshop.store.sql(left) == "1|2"
    })
    .await;

    for run in [&ancient, &old] {
        assert_without_payloads(&workshop, &api, run).await;
    }
    let detail = seen(&workshop, &api, &young).await;
    assert_eq!(detail["payloadsRemovedAt"], Value::Null, "{detail}");
    assert_eq!(detail["outputPayload"], detail["inputPayload"], "{detail}");

    assert_eq!(
        told(&workshop, &api, &ancient, "").await,
        ["connected", "end"]
    );
    assert_eq!(
        told(&workshop, &api, &ancient, "1").await,
        ["connected", "end"]
    );
    let kept = told(&workshop, &api, &old, "").await;
    assert_eq!(kept[1], "queued", "{kept:?}");
    assert_eq!(kept[kept.len() - 2..], ["completed", "end"], "{kept:?}");
    let lost = get("/api/marketplace/events")
        .by(&workshop.consumer)
        .header("last-event-id", &format!("1.{ancient}.1"));
    api.send(lost).await.assert_failed(400, "ERR_1001");

    let again = api.send(repeatable(&workshop)).await;
    assert_eq!(accepted(again), ancient);
    let waited = repeatable(&workshop).header("prefer", "wait=5");
    let waited = api.send(waited).await.assert_ok(200);
    assert!(
        waited.data()["payloadsRemovedAt"].is_string(),
        "{waited:#?}"
    );
    let refund = post(format!("/api/admin/executions/{ancient}/refund"))
        .by(&workshop.admin)
        .json(json!({"reason": "it is old, and was paid for"}));
    api.send(refund).await.assert_ok(201);

    let doctor = workshop.place.run(&["doctor"]).await.assert_code(0);
    assert!(doctor.out.contains("ok     invariants"), "{}", doctor.out);
    let verified = workshop.place.run(&["ledger", "verify"]).await;
    verified.assert_code(0);
    workshop.assert_sound();
    for server in [api, worker, other] {
        server.stop("TERM").await.assert_code(0);
    }
}

#[tokio::test]
async fn who_keeps_everything_for_ever_keeps_it() {
    let workshop = Workshop::with(&[
        ("RETENTION_EVENTS_DAYS", "0"),
        ("RETENTION_PAYLOADS_DAYS", "0"),
    ])
    .await;
    let server = workshop.serve("all").await;
    let run = workshop.submit(&server, "echo").await;
    workshop.ended(&server, &run).await;
    server.stop("TERM").await.assert_code(0);
    workshop.store.sql(AGE_RUN);
    let run = workshop
        .store
        .sql(&format!("SELECT age_run('{run}', 3000)"));
    // What is swept up last is gone when everything else would be.
    workshop
        .store
        .sql("INSERT INTO endpoint_calls SELECT id, now() - interval '1 hour', 1 FROM endpoints");
    let server = workshop.serve("all").await;
    until("everything was looked at", async || {
        workshop.store.sql("SELECT count(*) FROM endpoint_calls") == "0"
    })
    .await;
    let detail = seen(&workshop, &server, &run).await;
    assert_eq!(detail["payloadsRemovedAt"], Value::Null, "{detail}");
    assert_eq!(detail["outputPayload"], detail["inputPayload"], "{detail}");
    assert!(told(&workshop, &server, &run, "").await.len() > 3);
    server.stop("TERM").await.assert_code(0);
    workshop.assert_sound();
}
