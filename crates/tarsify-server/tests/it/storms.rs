//! Storms at the provider, met by two workers that share what it allows: how often it is asked in
//! them, how soon it is left alone, and how soon everything goes on when they are over. Each stands
//! here twice: short, always; and for a minute, by `scripts/endurance`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::endurance::all_ended;
use crate::support::{Server, Workshop, until, until_within};

/// What a storm does to every call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Storm {
    TooMany,
    Unavailable,
}

/// What all processes together may call in a second, and at once.
const BUDGETS: [(&str, u64, u64); 3] = [("run", 80, 150), ("status", 40, 10), ("cancel", 8, 15)];

/// How soon a circuit has to be open, and how soon after the end closed again.
const OPENED_WITHIN: Duration = Duration::from_secs(5);
const RECOVERED_WITHIN: Duration = Duration::from_secs(30);

#[tokio::test]
async fn in_some_seconds_of_429_two_workers_ask_no_more_than_they_may() {
    weather(Storm::TooMany, Duration::from_secs(4)).await;
}

#[tokio::test]
async fn some_seconds_of_503_open_the_circuits_of_two_workers() {
    weather(Storm::Unavailable, Duration::from_secs(7)).await;
}

#[tokio::test]
#[ignore = "minutes: scripts/endurance runs it"]
async fn in_a_minute_of_429_two_workers_ask_no_more_than_they_may() {
    weather(Storm::TooMany, Duration::from_secs(60)).await;
}

#[tokio::test]
#[ignore = "minutes: scripts/endurance runs it"]
async fn a_minute_of_503_opens_the_circuits_of_two_workers() {
    weather(Storm::Unavailable, Duration::from_secs(60)).await;
}

async fn weather(storm: Storm, lasts: Duration) {
    const RUNS: usize = 40;
    let workshop = Workshop::open().await;
    let api = workshop.serve("api").await;
    let workers = [
        workshop.serve("worker").await,
        workshop.serve("worker").await,
    ];
    // Half of them wait at the provider when it comes, and are asked about in it.
    workshop
        .gpus
        .behave("echo", json!({"queueMs": 8_000}))
        .await;
    for _ in 0..RUNS / 2 {
        workshop.submit(&api, "echo").await;
    }
    until("they are at the provider", async || {
        workshop.executions("stage = 'queued'") == RUNS / 2
    })
    .await;
    let before = workshop.gpus.counts("echo").await;
    workshop.gpus.behave("echo", storm.behaviour()).await;
    let began = Instant::now();
    for _ in 0..RUNS / 2 {
        workshop.submit(&api, "echo").await;
    }
    if storm == Storm::Unavailable {
        opens(&workers, began).await;
        let opened = workshop.gpus.counts("echo").await;
        let opened_at = Instant::now();
        sleep(lasts.saturating_sub(began.elapsed())).await;
        let [runs, looks, stops] = calls(&workshop, &opened).await;
        // Of each worker a probe now and then; and for the operation whose circuit was not the first
        // of his, as many as it takes to open it.
        let most = 2 * (5 + 2 + opened_at.elapsed().as_secs().div_ceil(10));
        assert!(looks <= most && stops == 0, "{looks} looks, {stops} stops");
        // Only one may have had runs to submit by then. Those that it puts back are then due
        // together for the other, who learns it from all of them at once.
        let most = most + u64::try_from(RUNS / 2).unwrap_or(0);
        assert!(runs <= most, "{runs} submissions");
    } else {
        sleep(lasts.saturating_sub(began.elapsed())).await;
    }
    let seconds = began.elapsed().as_secs() + 1;
    for (calls, (operation, a_second, at_once)) in
        calls(&workshop, &before).await.iter().zip(BUDGETS)
    {
        let budget = a_second * seconds + at_once;
        assert!(*calls * 10 <= budget * 12, "{calls} {operation}");
    }
    let lost = workshop.executions("status NOT IN ('PENDING', 'QUEUED', 'RUNNING', 'COMPLETED')");
    assert_eq!(lost, 0, "a storm is nobody's fault");
    workshop.gpus.behave("echo", json!({})).await;
    let run = workshop.submit(&api, "echo").await;
    let completed = format!("id = '{run}' AND status = 'COMPLETED'");
    until_within(RECOVERED_WITHIN, "a run goes through again", async || {
        workshop.executions(&completed) == 1
    })
    .await;
    all_ended(&workshop).await;
    assert_eq!(workshop.executions("status = 'COMPLETED'"), RUNS + 1);
}

impl Storm {
    fn behaviour(self) -> Value {
        let kind = match self {
            Self::TooMany => "rate_limited",
            Self::Unavailable => "unavailable",
        };
        let faults = BUDGETS.map(|(when, ..)| json!({"when": when, "kind": kind}));
        json!({"faults": faults})
    }
}

/// Waits until both workers leave the endpoint alone.
async fn opens(workers: &[Server], began: Instant) {
    for worker in workers {
        let process = &worker.process;
        let said = |text: &str| text.contains("its circuit is open").then_some(());
        process.wait_for_err(said).await;
    }
    let took = began.elapsed();
    assert!(took <= OPENED_WITHIN, "open after {took:?}");
}

/// How often the endpoint was called since, for each operation.
async fn calls(workshop: &Workshop, since: &Value) -> [u64; 3] {
    let now = workshop.gpus.counts("echo").await;
    let count = |counts: &Value, what: &str| counts[what].as_u64().unwrap_or(0);
    BUDGETS.map(|(what, ..)| count(&now, what) - count(since, what))
}
