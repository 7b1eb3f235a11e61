//! PostgreSQL itself is killed under load, and started anew by whoever owns it.

use std::fs;

use serde_json::json;

use crate::support::{Answer, Place, Server, get, post, until};

#[tokio::test]
async fn postgresql_killed_under_load_loses_no_accepted_run() {
    let place = Place::empty().with("TARSIFY__EXECUTIONS__LOST_ANSWER_GRACE_SECONDS", "1");
    let demo = Server::ready(place.start(&["demo", "--port", "0"])).await;
    let consumer = place.token("consumer", "consumer@example.com").await;
    let click = post("/api/marketplace/models/fridge-chef/run")
        .by(&consumer)
        .json(json!({"inputs": {"prompt": "spinach, two eggs"}}));
    let mut accepted_runs = Vec::new();
    let mut refusals = 0;
    for round in 1..=3 {
        // Connections that died with the server are found out one by one.
        until("ten more are accepted", async || {
            match accepted(&demo.send(click.clone()).await) {
                Some(run) => accepted_runs.push(run),
                None => refusals += 1,
            }
            accepted_runs.len() >= round * 10
        })
        .await;
        kill_postgresql(&place);
    }
    assert!(refusals > 0, "nobody noticed");
    for run in accepted_runs {
        // It may not have noticed the last of them yet, so it can be ready now and away in a moment.
        let status = get(format!("/api/marketplace/runs/{run}/status?waitMs=30000")).by(&consumer);
        until("it is there again, and the run has ended", async || {
            let answer = demo.send(status.clone()).await;
            if answer.status == 503 {
                return false;
            }
            let ended = answer.assert_ok(200);
            assert_eq!(ended.data()["status"], "COMPLETED", "{}", ended.body);
            true
        })
        .await;
    }
    until("it is ready again", async || {
        demo.send(get("/readyz")).await.status == 200
    })
    .await;
    // It complains of the provider: the demo's lives and dies with the demo.
    let doctor = place.run(&["doctor"]).await;
    assert!(doctor.out.contains("ok     invariants"), "{}", doctor.out);
    demo.stop("TERM").await.assert_code(0);
}

/// The run, unless the database was away.
fn accepted(answer: &Answer) -> Option<String> {
    if answer.status == 503 {
        assert_eq!(answer.code(), Some("ERR_1005"), "{answer:#?}");
        return None;
    }
    assert_eq!(answer.status, 202, "{answer:#?}");
    Some(answer.data()["executionId"].as_str().unwrap().to_owned())
}

/// The postmaster only, and so that it can tidy nothing up.
fn kill_postgresql(place: &Place) {
    let file = place.path().join(".tarsify/postgres/postmaster.pid");
    let said = fs::read_to_string(file).unwrap();
    let pid = said.lines().next().unwrap();
    let killed = place.command("kill").args(["-9", pid]).status();
    assert!(killed.unwrap().success());
}
