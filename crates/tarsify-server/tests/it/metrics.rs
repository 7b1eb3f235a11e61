//! `/metrics` of the real binary: what is there from the start, that each end of a run is counted
//! once whoever brings it about, that nothing anybody chooses stands there, and who may read it.

mod chosen;
mod expression;
mod observability;
mod open;
mod scrape;

use serde_json::json;

use crate::support::{Firebase, Place, Server, Store, Workshop, accepted, get, patch, post, until};
use scrape::Scrape;

#[tokio::test]
async fn everything_known_stands_at_zero_from_the_start() {
    let store = Store::migrated().await;
    let place = Place::on(&store).with("REDIS_URL", "redis://127.0.0.1:1/0");
    let server = place.serve().await;
    let scrape = Scrape::weighed(&server).await;
    for series in [
        "http_requests_total{method=\"GET\",route=\"/api/marketplace/models\",status=\"200\"}",
        "http_requests_total{method=\"POST\",route=\"/api/marketplace/models/{slug}/run\",status=\"202\"}",
        "executions_total{category=\"VIDEO\",status=\"TIMED_OUT\"}",
        "execution_duration_seconds_count{category=\"IMAGE\"}",
        "execution_queue_wait_seconds_count{category=\"AUDIO\"}",
        "provider_api_duration_seconds_count{provider=\"runpod\",operation=\"run\"}",
        "provider_rate_limit_hits_total{provider=\"runpod\"}",
        "provider_errors_total{provider=\"runpod\",operation=\"status\"}",
        "provider_orphans_total{provider=\"runpod\"}",
        "provider_circuits{provider=\"runpod\",state=\"open\"}",
        "execution_incidents_total{kind=\"lease_lost\"}",
        "queue_waiting",
        "queue_active",
        "queue_failed",
        "queue_oldest_seconds",
        "queue_overdue",
        "ledger_open_holds",
        "ledger_held_credits",
        "ledger_imbalance_millicredits",
        "ledger_outbox_waiting{kind=\"payout\"}",
        "ledger_outbox_oldest_seconds{kind=\"payout\"}",
        "ledger_outbox_failed{kind=\"payout\"}",
        "sse_streams{kind=\"run\"}",
        "sse_events_total",
        "http_waiting_requests",
        "db_pool_waiting{pool=\"workers\"}",
        "redis_up",
        "rate_limited_total{category=\"globalApi\"}",
    ] {
        assert_eq!(scrape.value(series), 0.0, "{series}");
    }
    let version = format!("build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(scrape.value(&version), 1.0);
    let open = scrape.sum("db_pool_connections", &[("pool", "requests")]);
    assert!(open <= 16.0, "{open}");
    if cfg!(target_os = "linux") {
        for name in [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_max_fds",
            "process_start_time_seconds",
            "process_threads",
        ] {
            assert!(scrape.value(name) > 0.0, "{name}");
        }
    }
}

/// Over all of these processes.
async fn sum(servers: &[&Server], name: &str, labels: &[(&str, &str)]) -> f64 {
    let mut sum = 0.0;
    for server in servers {
        sum += Scrape::of(server).await.sum(name, labels);
    }
    sum
}

#[tokio::test]
async fn each_end_is_counted_once_whoever_brings_it_about() {
    let workshop = Workshop::open().await;
    let api = workshop.serve("api").await;
    // Called off before any worker is there.
    let early = workshop.submit(&api, "echo").await;
    cancel(&workshop, &api, &early).await;
    for _ in 0..20 {
        workshop.submit(&api, "echo").await;
    }
    let (one, two) = tokio::join!(workshop.serve("worker"), workshop.serve("worker"));
    workshop.all_ended().await;
    let broken = json!({"faults": [{"when": "output", "kind": "failed"}]});
    workshop.gpus.behave("echo", broken).await;
    for _ in 0..3 {
        workshop.submit(&api, "echo").await;
    }
    workshop.all_ended().await;
    // Called off while it is worked on.
    workshop.gpus.behave("echo", json!({"runMs": 60_000})).await;
    let late = workshop.submit(&api, "echo").await;
    until("it is at the provider", async || {
        workshop.gpus.count("echo", "run").await == 24
    })
    .await;
    cancel(&workshop, &api, &late).await;
    workshop.all_ended().await;

    let servers = [&api, &one, &two];
    until("every end is counted", async || {
        sum(&servers, "executions_total", &[]).await >= 25.0
    })
    .await;
    for (status, count) in [
        ("COMPLETED", 20.0),
        ("FAILED", 3.0),
        ("CANCELLED", 2.0),
        ("TIMED_OUT", 0.0),
    ] {
        let labels = [("category", "TEXT"), ("status", status)];
        let counted = sum(&servers, "executions_total", &labels).await;
        assert_eq!(counted, count, "{status}");
        let stored = workshop.executions(&format!("status = '{status}'"));
        assert_eq!(stored.to_string(), count.to_string(), "{status}");
    }
    let elsewhere = sum(&servers, "executions_total", &[]).await;
    assert_eq!(elsewhere, 25.0, "other categories have none");
    let timed = sum(&servers, "execution_duration_seconds_count", &[]).await;
    assert_eq!(timed, 25.0);
    let waited = sum(&servers, "execution_queue_wait_seconds_count", &[]).await;
    assert!((20.0..=24.0).contains(&waited), "{waited}: one never began");
    for operation in ["run", "status", "cancel"] {
        let labels = [("operation", operation)];
        let asked = sum(&servers, "provider_api_duration_seconds_count", &labels).await;
        let sent = workshop.gpus.count("echo", operation).await;
        assert_eq!(asked.to_string(), sent.to_string(), "{operation}");
    }
    let errors = sum(&servers, "provider_errors_total", &[]).await;
    assert_eq!(errors, 0.0);
    for server in [api, one, two] {
        server.stop("INT").await.assert_code(0);
    }
}

async fn cancel(workshop: &Workshop, server: &Server, run: &str) {
    let cancel = post(format!("/api/marketplace/runs/{run}/cancel")).by(&workshop.consumer);
    server.send(cancel).await.assert_ok(200);
}

#[tokio::test]
async fn what_waits_and_what_works_is_told_of_the_whole_installation() {
    let workshop = Workshop::open().await;
    let first = workshop.serve("all").await;
    let endpoint = workshop.store.sql("SELECT id FROM endpoints");
    let limit = patch(format!("/api/admin/endpoints/{endpoint}"))
        .by(&workshop.admin)
        .json(json!({"limits": {"maxConcurrency": 1}}));
    first.send(limit).await.assert_ok(200);
    workshop
        .gpus
        .behave("echo", json!({"runMs": 600_000}))
        .await;
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push(accepted(first.send(workshop.run("echo")).await));
    }
    until("one of them is at the provider", async || {
        workshop.executions("stage IN ('queued', 'running')") == 1
    })
    .await;
    // Whoever comes later takes the pulse when he comes.
    let second = workshop.serve("worker").await;
    until("the pulse is taken", async || {
        Scrape::of(&second).await.value("queue_waiting") == 3.0
    })
    .await;
    let scrape = Scrape::of(&second).await;
    assert_eq!(scrape.value("queue_active"), 1.0);
    assert_eq!(scrape.value("ledger_open_holds"), 4.0);
    assert_eq!(scrape.value("ledger_held_credits"), 20.0);
    assert!(scrape.value("queue_oldest_seconds") > 0.0);
    assert_eq!(scrape.value("queue_failed"), 0.0);
    // A process that only answers does not know, and says nothing.
    let api = workshop.serve("api").await;
    let scrape = Scrape::of(&api).await;
    assert!(!scrape.has("queue_waiting") && scrape.has("sse_streams"));
    assert!(!scrape.has("ledger_imbalance_millicredits"));
    for run in runs {
        cancel(&workshop, &api, &run).await;
    }
    workshop.all_ended().await;
}

#[tokio::test]
async fn money_from_nowhere_is_told() {
    let workshop = Workshop::open().await;
    workshop.store.sql(
        "SET session_replication_role = replica; \
         UPDATE ledger_accounts SET balance = balance + 7 WHERE kind = 'consumer_available'",
    );
    let server = workshop.serve("worker").await;
    let scrape = Scrape::weighed(&server).await;
    assert_eq!(scrape.value("ledger_imbalance_millicredits"), 7.0);
    let said = server.stop("INT").await.assert_code(0);
    said.assert_complains(&["the accounts together do not hold 0", "\"imbalance\":7"]);
}

#[tokio::test]
async fn who_could_not_look_at_all_accounts_says_nothing_of_them() {
    let workshop = Workshop::open().await;
    let hide = "ALTER VIEW ledger_platform RENAME TO ledger_hidden";
    workshop.store.sql(hide);
    let server = workshop.serve("worker").await;
    let said = |log: &str| {
        let trouble = "it is not known whether the accounts add up";
        log.contains(trouble).then_some(())
    };
    server.process.wait_for_err(said).await;
    let scrape = Scrape::of(&server).await;
    assert!(scrape.has("queue_waiting"));
    assert!(!scrape.has("ledger_imbalance_millicredits"));
}

#[tokio::test]
async fn only_whoever_has_the_operators_token_reads_them() {
    const TOKEN: &str = "scrape-me-0123456789";
    let workshop = Workshop::with(&[("METRICS_AUTH_TOKEN", TOKEN)]).await;
    for role in ["api", "worker"] {
        let server = workshop.serve(role).await;
        let stranger = server.send(get("/metrics")).await;
        stranger.assert_failed(401, "ERR_2000");
        for wrong in [workshop.admin.as_str(), "scrape-me-012345678"] {
            let refused = server.send(get("/metrics").by(wrong)).await;
            refused.assert_failed(401, "ERR_2001");
        }
        let (status, text) = server.text(get("/metrics").by(TOKEN)).await;
        assert_eq!(status, 200, "{role}");
        assert!(text.contains("http_requests_total") && !text.contains(TOKEN));
        let said = server.stop("INT").await.assert_code(0);
        assert!(!said.err.contains(TOKEN), "the token is in the log");
    }
    let shown = workshop.place.run(&["config"]).await.assert_code(0);
    assert!(!shown.out.contains(TOKEN), "{shown:#?}");
    for short in ["short", "0123456789 abcdef"] {
        let place = Place::on(&workshop.store).with("METRICS_AUTH_TOKEN", short);
        let said = place.run(&["serve", "--port", "0"]).await.assert_code(2);
        said.assert_complains(&["metrics.auth_token"]);
    }
}

#[tokio::test]
async fn the_doctor_warns_of_metrics_that_anybody_may_read() {
    let (store, firebase) = (Store::migrated().await, Firebase::start().await);
    let place = Place::in_production(&store, &firebase);
    let said = place.run(&["doctor"]).await;
    let line = said
        .out
        .lines()
        .find(|line| line.contains("METRICS_AUTH_TOKEN"));
    assert!(
        line.is_some_and(|line| line.starts_with("think")),
        "{said:#?}"
    );
    let place = place.with("METRICS_AUTH_TOKEN", "scrape-me-0123456789");
    let said = place.run(&["doctor"]).await;
    let line = said
        .out
        .lines()
        .find(|line| line.contains("METRICS_AUTH_TOKEN"));
    assert!(line.is_some_and(|line| line.starts_with("ok")), "{said:#?}");
}
