//! What must hold when everything goes wrong for a long time: random crashes under load, races
//! for the end of a run, a cold endpoint with a long queue, a storm of refusals. Each stands
//! here twice: short, always; and as long as it takes, by `scripts/endurance`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::{Answer, Ask, Server, Workshop, accepted, get, post, until_within};

/// Longer than any of these needs after its worst is over.
const RECOVERY: Duration = Duration::from_secs(240);

/// Settings by which what a dead process held is taken over soon, and nothing waits for long.
pub(crate) const IMPATIENCE: [(&str, &str); 3] = [
    ("TARSIFY__EXECUTIONS__LEASE_SECONDS", "2"),
    ("TARSIFY__EXECUTIONS__LOST_ANSWER_GRACE_SECONDS", "1"),
    ("TARSIFY__EXECUTIONS__QUEUE_ALLOWANCE_SECONDS", "60"),
];

/// Numbers that look random enough for who is hit when.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        Self(u64::from(std::process::id()).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// From 0 to below `sides`.
    pub(crate) fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

#[tokio::test]
async fn a_few_crashes_under_load_lose_nothing() {
    crash(4).await;
}

#[tokio::test]
#[ignore = "minutes: scripts/endurance runs it"]
async fn many_crashes_under_load_lose_nothing() {
    crash(60).await;
}

/// Kills one of three processes again and again while runs come in, as a client sends them who
/// repeats what was not answered.
async fn crash(crashes: usize) {
    let mut workshop = Workshop::with(&IMPATIENCE).await;
    workshop.gpus.behave("echo", json!({"runMs": 100})).await;
    let api = workshop.serve_with_callbacks("all").await;
    let url = api.url();
    let port = api.address.port().to_string();
    let mut fleet = vec![
        api,
        workshop.serve("worker").await,
        workshop.serve("worker").await,
    ];
    let over = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for client in 0..4 {
        let (click, over, url) = (workshop.run("echo"), Arc::clone(&over), url.clone());
        clients.spawn(async move {
            let caller = reqwest::Client::builder().no_proxy().build().unwrap();
            let mut accepted = 0;
            while !over.load(Ordering::Relaxed) {
                let key = format!("click-{client}-{accepted}");
                let click = click.clone().header("idempotency-key", &key);
                let answer = click.request(&caller, &url).send().await;
                if answer.is_ok_and(|answer| answer.status() == 202) {
                    accepted += 1;
                }
                sleep(Duration::from_millis(40)).await;
            }
            accepted
        });
    }
    let mut dice = Dice::new();
    for _ in 0..crashes {
        sleep(Duration::from_millis(200 + dice.throw(1_300))).await;
        let victim = usize::try_from(dice.throw(3)).unwrap();
        let dead = fleet.remove(victim);
        dead.process.signal("KILL");
        dead.process.ended().await;
        let arguments = match victim {
            0 => ["serve", "--port", &port, "--role", "all"],
            _ => ["serve", "--port", "0", "--role", "worker"],
        };
        let fresh = Server::ready(workshop.place.start(&arguments)).await;
        fleet.insert(victim, fresh);
    }
    over.store(true, Ordering::Relaxed);
    let accepted: usize = clients.join_all().await.into_iter().sum();
    all_ended(&workshop).await;

    let stored = workshop.executions("true");
    assert!(
        (accepted..=accepted + 4).contains(&stored),
        "{accepted} accepted, {stored} stored"
    );
    let failed = workshop.executions("status = 'FAILED'");
    assert_eq!(failed, 0, "of {stored}");
    // Twice lost, and nobody was there to be called back: only then may its deadline end it.
    let late = workshop.executions("status = 'TIMED_OUT'");
    assert!(
        late <= crashes,
        "{late} of {stored} ended by their deadlines"
    );
    let attempts = number(&workshop, "SELECT count(*) FROM provider_attempts");
    let jobs = usize::try_from(workshop.gpus.count("echo", "run").await).unwrap();
    assert!(
        jobs <= attempts,
        "{jobs} jobs, {attempts} attempts on record"
    );
    let most = number(&workshop, "SELECT max(number) FROM provider_attempts");
    assert!(most <= 1 + crashes, "{most} attempts for one run");
}

#[tokio::test]
async fn of_all_that_race_for_the_end_of_a_run_one_wins() {
    race(120, 40).await;
}

#[tokio::test]
#[ignore = "minutes: scripts/endurance runs it"]
async fn of_all_that_race_for_ten_thousand_ends_one_wins_each() {
    let workshop = race(10_000, 300).await;
    for status in ["COMPLETED", "CANCELLED", "TIMED_OUT"] {
        let seen = workshop.executions(&format!("status = '{status}'"));
        assert!(seen > 0, "nothing was {status}");
    }
}

/// Lets three callbacks each, questions, cancels and deadlines race, so many at the same time.
async fn race(runs: usize, at_once: usize) -> Workshop {
    let mut workshop =
        Workshop::with(&[("TARSIFY__EXECUTIONS__QUEUE_ALLOWANCE_SECONDS", "2")]).await;
    let clerk = workshop.serve("api").await;
    let slow = workshop.add_base_model(&clerk, "demo-vllm", 5).await;
    workshop.add_model(&clerk, &slow, "slow", json!({})).await;
    clerk.stop("INT").await.assert_code(0);
    let thrice = json!([{"when": "webhook", "kind": "duplicate", "copies": 3}]);
    for (endpoint, run_ms) in [("echo", 1_000), ("demo-vllm", 5_500)] {
        let behaviour = json!({"runMs": run_ms, "progressSteps": 3, "faults": thrice});
        workshop.gpus.behave(endpoint, behaviour).await;
    }
    let first = workshop.serve_with_callbacks("all").await;
    let servers = [Arc::new(first), Arc::new(workshop.serve("all").await)];
    let mut dice = Dice::new();
    let mut racing = JoinSet::new();
    for number in 0..runs {
        if racing.len() >= at_once {
            racing.join_next().await.unwrap().unwrap();
        }
        let click = workshop.run(if number % 2 == 0 { "echo" } else { "slow" });
        let racer = Racer {
            server: Arc::clone(&servers[number % 2]),
            consumer: workshop.consumer.clone(),
            key: format!("racer-{number}"),
            cancels: number % 3 == 0,
            after: Duration::from_millis(dice.throw(6_000)),
        };
        racing.spawn(racer.run(click));
    }
    racing.join_all().await;
    all_ended(&workshop).await;
    let count = number(
        &workshop,
        "SELECT count(*) FROM execution_events \
         WHERE kind IN ('completed', 'failed', 'timed_out', 'cancelled')",
    );
    assert_eq!((count, workshop.executions("true")), (runs, runs));
    assert_eq!(workshop.executions("status = 'FAILED'"), 0);
    workshop
}

/// Somebody with a run.
struct Racer {
    server: Arc<Server>,
    consumer: String,
    key: String,
    cancels: bool,
    after: Duration,
}

impl Racer {
    async fn run(self, click: Ask) {
        let run = accepted(self.send(click).await);
        sleep(self.after / 2).await;
        let status = format!("/api/marketplace/runs/{run}/status?sync=true");
        let status = get(status).by(&self.consumer);
        self.send(status).await.assert_ok(200);
        sleep(self.after / 2).await;
        if self.cancels {
            let cancel = format!("/api/marketplace/runs/{run}/cancel");
            let answer = self.send(post(cancel).by(&self.consumer)).await;
            assert!(matches!(answer.status, 200 | 202 | 409), "{answer:#?}");
        }
    }

    /// A machine that does all of this at once may ask somebody to come back.
    async fn send(&self, ask: Ask) -> Answer {
        let ask = ask.header("idempotency-key", &self.key);
        for _ in 0..20 {
            let answer = self.server.send(ask.clone()).await;
            if answer.status != 503 {
                return answer;
            }
            sleep(Duration::from_millis(500)).await;
        }
        self.server.send(ask).await
    }
}

#[tokio::test]
async fn a_queue_on_a_cold_endpoint_is_asked_about_within_bounds() {
    wait_for_a_cold_endpoint(150, Duration::from_secs(4)).await;
}

#[tokio::test]
#[ignore = "minutes: scripts/endurance runs it"]
async fn two_thousand_on_a_cold_endpoint_are_asked_about_within_bounds() {
    wait_for_a_cold_endpoint(2_000, Duration::from_secs(90)).await;
}

/// Two processes together ask no more than one may, and nothing is refused for coming too fast.
async fn wait_for_a_cold_endpoint(runs: usize, cold: Duration) {
    let workshop = Workshop::open().await;
    let server = Arc::new(workshop.serve("all").await);
    let _worker = workshop.serve("worker").await;
    let cold_ms = u64::try_from(cold.as_millis()).unwrap();
    workshop
        .gpus
        .behave("echo", json!({"queueMs": cold_ms}))
        .await;
    let mut clicks = JoinSet::new();
    for _ in 0..runs {
        if clicks.len() >= 20 {
            clicks.join_next().await.unwrap().unwrap();
        }
        let (server, click) = (Arc::clone(&server), workshop.run("echo"));
        clicks.spawn(async move { accepted(server.send(click).await) });
    }
    clicks.join_all().await;
    let began = Instant::now();
    let (mut asked, mut at) = (workshop.gpus.count("echo", "status").await, began);
    while workshop.executions("stage <> 'ended'") > 0 {
        assert!(began.elapsed() < cold + RECOVERY, "they never end");
        sleep(Duration::from_millis(950)).await;
        let now = workshop.gpus.count("echo", "status").await;
        let seconds = at.elapsed().as_secs_f64();
        at = Instant::now();
        // Ten at once and forty a second, and some that were under way at our last look.
        let most = 10.0 + 40.0 * seconds + 5.0;
        let rate = u32::try_from(now - asked).unwrap();
        assert!(f64::from(rate) <= most, "{rate} questions in {seconds} s");
        asked = now;
    }
    assert_eq!(workshop.executions("status = 'COMPLETED'"), runs);
    let counts = workshop.gpus.counts("echo").await;
    assert_eq!(counts["run"], runs, "{counts}");
    assert!(counts.get("rateLimited").is_none(), "{counts}");
    workshop.assert_sound();
}

#[tokio::test]
async fn a_short_storm_of_refusals_fails_no_accepted_run() {
    weather_a_storm(20, Duration::from_secs(3)).await;
}

#[tokio::test]
#[ignore = "minutes: scripts/endurance runs it"]
async fn a_minute_of_refusals_fails_no_accepted_run() {
    weather_a_storm(300, Duration::from_secs(60)).await;
}

/// 429 and 503 for everything, then fair weather.
async fn weather_a_storm(runs: usize, storm: Duration) {
    let workshop = Workshop::open().await;
    let server = workshop.serve("all").await;
    let refusals: Vec<_> = ["run", "status", "cancel"]
        .into_iter()
        .flat_map(|when| {
            [
                json!({"when": when, "kind": "rate_limited", "probability": 0.5}),
                json!({"when": when, "kind": "unavailable"}),
            ]
        })
        .collect();
    let began = Instant::now();
    let (before, during) = (runs / 2, runs - runs / 2);
    workshop.gpus.behave("echo", json!({"queueMs": 500})).await;
    for _ in 0..before {
        workshop.submit(&server, "echo").await;
    }
    workshop
        .gpus
        .behave("echo", json!({"faults": refusals}))
        .await;
    for _ in 0..during {
        workshop.submit(&server, "echo").await;
    }
    sleep(storm.saturating_sub(began.elapsed())).await;
    let lost = workshop.executions("status NOT IN ('PENDING', 'QUEUED', 'RUNNING', 'COMPLETED')");
    assert_eq!(lost, 0);
    let calls = workshop.gpus.count("echo", "faults").await;
    let most = 60 + 15 * storm.as_secs();
    assert!((1..=most).contains(&calls), "{calls} calls into the storm");
    workshop.gpus.behave("echo", json!({})).await;
    all_ended(&workshop).await;
    assert_eq!(workshop.executions("status = 'COMPLETED'"), runs);
}

pub(crate) async fn all_ended(workshop: &Workshop) {
    until_within(RECOVERY, "every execution ends", async || {
        sleep(Duration::from_millis(200)).await;
        workshop.executions("stage <> 'ended'") == 0
    })
    .await;
    workshop.assert_sound();
}

pub(crate) fn number(workshop: &Workshop, sql: &str) -> usize {
    workshop.store.sql(sql).parse().unwrap()
}
