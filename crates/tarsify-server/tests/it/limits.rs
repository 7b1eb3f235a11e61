//! Limits on callers, through the real binary: exactly so many come through a crowd, what an
//! administrator changes is soon in force in every process, and a caller has only so many runs at
//! once.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Ask, Server, Workshop, get, patch, until};

/// Promised.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(5);

const SETTINGS: &str = "/api/admin/settings";

async fn workshop() -> Workshop {
    Workshop::with(&[("RATE_LIMITS", "on")]).await
}

/// Decides what stands in these fields, on this process.
pub(crate) async fn decide(workshop: &Workshop, server: &Server, change: serde_json::Value) {
    let change = patch(SETTINGS).by(&workshop.admin).json(change);
    server.send(change).await.assert_ok(200);
}

/// Sends so many at once and tells how many were answered with each status.
pub(crate) async fn crowd(server: &Arc<Server>, many: usize, ask: &Ask) -> (usize, usize) {
    let mut crowd = JoinSet::new();
    for _ in 0..many {
        let (server, ask) = (Arc::clone(server), ask.clone());
        crowd.spawn(async move { server.send(ask).await });
    }
    let (mut through, mut refused) = (0, 0);
    while let Some(answer) = crowd.join_next().await {
        let answer = answer.unwrap();
        match answer.status {
            200 | 202 => through += 1,
            429 => {
                refused += 1;
                answer.assert_failed(429, "ERR_1004");
            }
            other => panic!("{other}"),
        }
    }
    (through, refused)
}

#[tokio::test]
async fn exactly_so_many_of_a_crowd_come_through() {
    let workshop = workshop().await;
    let server = Arc::new(workshop.serve("api").await);
    let limits = json!({"limits": {"userApi": {"max": 10}, "globalApi": {"max": 100_000}}});
    decide(&workshop, &server, limits).await;
    let ask = get("/api/marketplace/runs")
        .by(&workshop.consumer)
        .header("x-forwarded-for", "192.0.2.1");
    // One more comes back every six seconds, which is longer than the crowd takes.
    assert_eq!(crowd(&server, 200, &ask).await, (10, 190));
}

#[tokio::test]
async fn a_change_is_in_force_in_another_process_within_five_seconds() {
    let workshop = workshop().await;
    let (here, there) = tokio::join!(workshop.serve("api"), workshop.serve("api"));
    let limit = async |server: &Server| {
        let answer = server.send(get("/api/marketplace/models")).await;
        answer.header("x-ratelimit-limit").unwrap().to_owned()
    };
    assert_eq!(limit(&there).await, "200", "the default");
    decide(
        &workshop,
        &here,
        json!({"limits": {"globalApi": {"max": 5_000}}}),
    )
    .await;
    assert_eq!(limit(&here).await, "5000");
    let took = until("the other process knows", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        limit(&there).await == "5000"
    });
    let took = took.await;
    assert!(took <= IN_FORCE_WITHIN, "{took:?}");
    // What nobody can read changes nothing.
    workshop
        .store
        .sql("UPDATE rate_limit_settings SET settings = '{}', version = version + 1");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(limit(&there).await, "5000");
}

#[tokio::test]
async fn a_caller_has_only_so_many_runs_at_once_and_nothing_is_kept_of_the_rest() {
    let workshop = workshop().await;
    let server = Arc::new(workshop.serve("api").await);
    let settings = json!({
        "limits": {
            "userApi": {"max": 100_000}, "globalApi": {"max": 100_000},
            "taskCreation": {"max": 100_000},
        },
        "maxConcurrentRuns": 7,
    });
    decide(&workshop, &server, settings).await;
    let ask = workshop.run("echo");
    assert_eq!(crowd(&server, 64, &ask).await, (7, 57));
    assert_eq!(workshop.executions("stage <> 'ended'"), 7);
    assert_eq!(workshop.executions("true"), 7);
    assert_eq!(workshop.store.sql("SELECT count(*) FROM holds"), "7");
    workshop.assert_sound();
}
