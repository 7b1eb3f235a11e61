//! Several processes and one Redis: they count together, and whatever becomes of it fails nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tarsify_testing::RedisServer;
use tokio::task::JoinSet;

use super::tells;
use crate::limits::{crowd, decide};
use crate::live::{Stream, events};
use crate::support::{Ask, Server, Workshop, get, until};

/// Waits until all of them count together, with this among what they tell of their limits.
async fn in_force(workshop: &Workshop, servers: &[&Server], policy: &str) {
    let ask = get("/api/admin/settings").by(&workshop.admin);
    for server in servers {
        tells(server, "ok", "ok").await;
        until("the change is in force", async || {
            let answer = server.send(ask.clone()).await;
            answer
                .header("ratelimit-policy")
                .is_some_and(|told| told.contains(policy))
        })
        .await;
    }
}

#[tokio::test]
async fn of_a_crowd_on_two_processes_exactly_so_many_come_through() {
    let redis = RedisServer::start();
    let workshop = Workshop::with(&[
        ("RATE_LIMITS", "on"),
        ("REDIS_URL", &redis.url()),
        // A loaded machine may take its time, and who counts alone would count anew.
        ("TARSIFY__REDIS__PATIENCE_MS", "2000"),
    ])
    .await;
    let (one, two) = tokio::join!(workshop.serve("api"), workshop.serve("api"));
    let limits = json!({"limits": {"userApi": {"max": 10}, "globalApi": {"max": 100_000}}});
    decide(&workshop, &one, limits).await;
    in_force(&workshop, &[&one, &two], "q=10;").await;
    let (one, two) = (Arc::new(one), Arc::new(two));
    let ask = get("/api/marketplace/runs").by(&workshop.consumer);
    let (here, there) = tokio::join!(crowd(&one, 100, &ask), crowd(&two, 100, &ask));
    // One more comes back every six seconds, which is longer than the crowd takes.
    assert_eq!((here.0 + there.0, here.1 + there.1), (10, 190));
}

/// Clients who run a model again and again, on two processes.
struct Load {
    clients: JoinSet<()>,
    accepted: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

impl Load {
    fn begin(servers: &[Arc<Server>; 2], run: &Ask) -> Self {
        let mut load = Self {
            clients: JoinSet::new(),
            accepted: Arc::default(),
            is_over: Arc::default(),
        };
        for server in servers {
            let (server, run) = (Arc::clone(server), run.clone());
            let (accepted, is_over) = (Arc::clone(&load.accepted), Arc::clone(&load.is_over));
            load.clients.spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    server.send(run.clone()).await.assert_ok(202);
                    accepted.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        }
        load
    }

    /// Waits until more were accepted.
    async fn goes_on(&self) {
        let before = self.accepted.load(Ordering::Relaxed);
        until("it goes on", async || {
            self.accepted.load(Ordering::Relaxed) >= before + 10
        })
        .await;
    }

    async fn end(self) -> usize {
        self.is_over.store(true, Ordering::Relaxed);
        self.clients.join_all().await;
        self.accepted.load(Ordering::Relaxed)
    }
}

/// Redis forgets everything, stands still for so long, and dies, while models are run.
async fn storm(frozen: Duration) {
    let mut redis = RedisServer::start();
    let workshop = Workshop::with(&[("RATE_LIMITS", "on"), ("REDIS_URL", &redis.url())]).await;
    let (one, two) = tokio::join!(workshop.serve("api"), workshop.serve("api"));
    let workers = tokio::join!(workshop.serve("worker"), workshop.serve("worker"));
    let plenty = json!({"max": 100_000});
    let limits = json!({
        "limits": {"userApi": plenty, "globalApi": plenty, "taskCreation": plenty},
        "maxConcurrentRuns": 1_000,
    });
    decide(&workshop, &one, limits).await;
    in_force(&workshop, &[&one, &two], "q=100000;").await;
    let servers = [Arc::new(one), Arc::new(two)];
    let load = Load::begin(&servers, &workshop.run("echo"));
    load.goes_on().await;
    let _done = redis.ask("FLUSHALL");
    let _done = redis.ask("SCRIPT FLUSH");
    load.goes_on().await;
    redis.freeze();
    // A run of one process is followed on the other all the same.
    let run = workshop.submit(&servers[0], "echo").await;
    let followed = Stream::open(&servers[1], &events(&run), &workshop.consumer, "").await;
    let kinds = followed.kinds_until_end().await;
    assert_eq!(kinds.last().map(String::as_str), Some("completed"));
    tokio::time::sleep(frozen).await;
    tells(&servers[0], "unreachable", "degraded").await;
    load.goes_on().await;
    redis.thaw();
    for server in &servers {
        tells(server, "ok", "ok").await;
    }
    redis.kill();
    load.goes_on().await;
    redis.begin();
    for server in &servers {
        tells(server, "ok", "ok").await;
    }
    let accepted = load.end().await;
    workshop.all_ended().await;
    // The one that was followed, too.
    let completed = workshop.executions("status = 'COMPLETED'");
    assert_eq!(completed, accepted + 1);
    for worker in [workers.0, workers.1] {
        worker.stop("TERM").await.assert_code(0);
    }
}

#[tokio::test]
async fn a_redis_that_forgets_stands_still_and_dies_under_load_costs_nothing() {
    storm(Duration::ZERO).await;
}

#[tokio::test]
#[ignore = "minutes: scripts/endurance runs it"]
async fn a_redis_that_stands_still_for_a_minute_under_load_costs_nothing() {
    storm(Duration::from_secs(60)).await;
}
