//! What a run costs each part, for whoever plans how many of them he needs. The figures are in
//! docs/scaling.md.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tarsify_testing::RedisServer;
use tokio::task::JoinSet;

use crate::limits::decide;
use crate::support::{Server, Workshop};

const RUNS: u32 = 2_000;
const AT_ONCE: u32 = 16;

/// Processor time of a process so far, in milliseconds; with that of those it has waited for.
fn processor_time(id: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything.
    let fields: Vec<f64> = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    // Hundredths of a second: user, system, and both of those waited for.
    fields.iter().skip(11).take(4).sum::<f64>() * 10.0
}

/// All processes of the PostgreSQL server.
fn database_time(workshop: &Workshop) -> f64 {
    let folder = workshop.store.sql("SHOW data_directory");
    let lock = fs::read_to_string(format!("{folder}/postmaster.pid")).unwrap();
    let postmaster: u32 = lock.lines().next().unwrap().parse().unwrap();
    let children = Command::new("pgrep")
        .args(["-P", &postmaster.to_string()])
        .output()
        .unwrap();
    let children = String::from_utf8_lossy(&children.stdout).into_owned();
    let children = children
        .lines()
        .map(|id| processor_time(id.parse().unwrap()));
    processor_time(postmaster) + children.sum::<f64>()
}

/// What has been used so far.
struct Used {
    api: f64,
    worker: f64,
    database: f64,
    transactions: f64,
    log_bytes: f64,
    stored_bytes: f64,
    redis_commands: f64,
}

impl Used {
    fn so_far(workshop: &Workshop, api: &Server, worker: &Server, redis: &RedisServer) -> Self {
        let number = |sql: &str| workshop.store.sql(sql).parse::<f64>().unwrap();
        let told = redis.ask("EVAL \"local sum = 0 for calls in string.gmatch(redis.call('INFO','commandstats'), 'calls=(%d+)') do sum = sum + calls end return sum\" 0");
        Self {
            api: processor_time(api.process.id()),
            worker: processor_time(worker.process.id()),
            database: database_time(workshop),
            transactions: number(
                "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()",
            ),
            log_bytes: number("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"),
            stored_bytes: number(
                "SELECT sum(pg_total_relation_size(oid)) FROM pg_class \
                 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
            ),
            redis_commands: told.trim_start_matches(':').parse().unwrap(),
        }
    }
}

#[tokio::test]
#[ignore = "only measures, and needs the machine for itself: scripts/measure-costs runs it"]
#[expect(clippy::print_stdout, reason = "the figures are for who runs it")]
async fn what_a_run_costs() {
    let redis = RedisServer::start();
    let workshop = Workshop::with(&[("RATE_LIMITS", "on"), ("REDIS_URL", &redis.url())]).await;
    let (api, worker) = tokio::join!(workshop.serve("api"), workshop.serve("worker"));
    let api = Arc::new(api);
    let plenty = json!({"max": 1_000_000});
    let limits = json!({
        "limits": {"userApi": plenty, "globalApi": plenty, "taskCreation": plenty},
        "maxConcurrentRuns": 10_000,
    });
    decide(&workshop, &api, limits).await;
    run(&workshop, &api, 200).await;
    workshop.all_ended().await;
    let before = Used::so_far(&workshop, &api, &worker, &redis);
    let began = Instant::now();
    run(&workshop, &api, RUNS).await;
    workshop.all_ended().await;
    let took = began.elapsed();
    let after = Used::so_far(&workshop, &api, &worker, &redis);
    let each = |part: fn(&Used) -> f64| (part(&after) - part(&before)) / f64::from(RUNS);
    println!("{RUNS} paid runs with small inputs and outputs in {took:.1?}; each cost");
    for (what, cost) in [
        (
            "ms of processor time of the API process",
            each(|used| used.api),
        ),
        ("ms of the worker process", each(|used| used.worker)),
        ("ms of PostgreSQL", each(|used| used.database)),
        ("transactions", each(|used| used.transactions)),
        ("bytes of write-ahead log", each(|used| used.log_bytes)),
        (
            "bytes stored, indexes included",
            each(|used| used.stored_bytes),
        ),
        ("Redis commands", each(|used| used.redis_commands)),
    ] {
        println!("{cost:10.2} {what}");
    }
}

async fn run(workshop: &Workshop, api: &Arc<Server>, many: u32) {
    let mut crowd = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (api, ask) = (Arc::clone(api), workshop.run("echo"));
        crowd.spawn(async move {
            for _ in 0..many / AT_ONCE {
                api.send(ask.clone()).await.assert_ok(202);
            }
        });
    }
    crowd.join_all().await;
}
