//! Who uses the market meanwhile: readers, people who run models and go, people who wait for the
//! end, and people who follow all of it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Balancer;
use crate::live::Stream;
use crate::support::{Answer, Ask, Workshop, get, until};

const READERS: usize = 6;
/// How often a reader runs a model instead.
const A_RUN_IN: usize = 24;
const WAITERS: usize = 2;

/// What they say of it.
#[derive(Default)]
struct Count {
    is_over: AtomicBool,
    answered: AtomicUsize,
    accepted: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

impl Count {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Sends a request; anything but one of these statuses is a failure.
    async fn send(&self, balancer: &Balancer, (what, ask): (&str, &Ask), fine: &[u16]) -> Value {
        let failed = match balancer.send(ask).await {
            Ok(Answer { status, body, .. }) if fine.contains(&status) => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                return body;
            }
            Ok(answer) => format!("{what}: {answer:?}"),
            Err(error) => format!("{what}: {error}"),
        };
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.failures.lock().unwrap().push(failed);
        // Whatever it was, a thousand more of the same say nothing new.
        sleep(Duration::from_millis(100)).await;
        Value::Null
    }
}

/// Who uses the market meanwhile.
pub(super) struct Crowd {
    people: JoinSet<()>,
    count: Arc<Count>,
}

impl Crowd {
    /// Readers rest for so long between two requests.
    pub(super) fn gather(workshop: &Workshop, balancer: &Arc<Balancer>, rest: Duration) -> Self {
        let mut crowd = Self {
            people: JoinSet::new(),
            count: Arc::default(),
        };
        for reader in 0..READERS {
            let (count, balancer) = (Arc::clone(&crowd.count), Arc::clone(balancer));
            let (run, consumer) = (workshop.run("echo"), workshop.consumer.clone());
            crowd.people.spawn(async move {
                let mut turn = reader * 3;
                let mut last = None;
                while !count.is_over() {
                    turn += 1;
                    if turn % A_RUN_IN == 0 {
                        let body = count.send(&balancer, ("run", &run), &[202]).await;
                        last = note(&count, &body).or(last);
                    } else {
                        let (what, ask) = reading(turn, last.as_deref(), &consumer);
                        count.send(&balancer, (what, &ask), &[200]).await;
                    }
                    sleep(rest).await;
                }
            });
        }
        for _ in 0..WAITERS {
            let (count, balancer) = (Arc::clone(&crowd.count), Arc::clone(balancer));
            let run = workshop.run("echo").header("prefer", "wait=20");
            crowd.people.spawn(async move {
                while !count.is_over() {
                    let body = count.send(&balancer, ("wait", &run), &[200, 202]).await;
                    note(&count, &body);
                }
            });
        }
        crowd
    }

    /// How many requests have been answered, or failed.
    pub(super) fn answered(&self) -> usize {
        self.count.answered.load(Ordering::Relaxed)
    }

    /// Sends everybody home; how many requests and runs it was, and what failed.
    pub(super) async fn disperse(self) -> (usize, usize, Vec<String>) {
        self.count.is_over.store(true, Ordering::Relaxed);
        self.people.join_all().await;
        let failures = self.count.failures.lock().unwrap().clone();
        let accepted = self.count.accepted.load(Ordering::Relaxed);
        (
            self.count.answered.load(Ordering::Relaxed),
            accepted,
            failures,
        )
    }
}

/// The id of the run that was accepted, if one was.
fn note(count: &Count, body: &Value) -> Option<String> {
    let data = &body["data"];
    let run = data["executionId"].as_str().or(data["id"].as_str())?;
    count.accepted.fetch_add(1, Ordering::Relaxed);
    Some(run.to_owned())
}

fn reading(turn: usize, last: Option<&str>, consumer: &str) -> (&'static str, Ask) {
    match (turn % 5, last) {
        (0, Some(run)) => {
            let status = format!("/api/marketplace/runs/{run}/status");
            ("status", get(status).by(consumer))
        }
        (1, _) => ("history", get("/api/marketplace/runs").by(consumer)),
        (2, _) => ("model", get("/api/marketplace/models/echo")),
        _ => ("list", get("/api/marketplace/models")),
    }
}

/// Somebody who follows all runs, wherever he has to.
pub(super) struct Follower {
    seen: Arc<Mutex<Vec<String>>>,
    cuts: Arc<AtomicUsize>,
    following: JoinSet<()>,
}

impl Follower {
    /// He follows when this returns.
    pub(super) async fn begin(workshop: &Workshop, balancer: &Arc<Balancer>) -> Self {
        let mut follower = Self {
            seen: Arc::default(),
            cuts: Arc::default(),
            following: JoinSet::new(),
        };
        let consumer = workshop.consumer.clone();
        let mut stream = open(balancer, &consumer, "").await;
        let (seen, cuts) = (Arc::clone(&follower.seen), Arc::clone(&follower.cuts));
        let balancer = Arc::clone(balancer);
        follower.following.spawn(async move {
            let mut last = String::new();
            loop {
                while let Some(told) = stream.next().await {
                    let (run, seq) = (&told.data["executionId"], &told.data["seq"]);
                    let event = format!("{} {seq} {}", run.as_str().unwrap(), told.event);
                    seen.lock().unwrap().push(event);
                    last = told.id;
                }
                cuts.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(stream.retry())).await;
                stream = open(&balancer, &consumer, &last).await;
            }
        });
        follower
    }

    /// He has seen the end of each run, and everything once; how often he had to come back for it.
    pub(super) async fn saw_each_once(self, workshop: &Workshop, runs: usize) -> usize {
        until("he has seen every end", async || {
            let seen = self.seen.lock().unwrap();
            let ends = seen.iter().filter(|event| event.ends_with(" completed"));
            ends.count() >= runs
        })
        .await;
        let mut seen = self.seen.lock().unwrap().clone();
        seen.sort_unstable();
        let stored = workshop.store.sql(
            "SELECT execution_id || ' ' || seq || ' ' || kind FROM execution_events \
             ORDER BY (execution_id || ' ' || seq || ' ' || kind) COLLATE \"C\"",
        );
        let stored: Vec<_> = stored.lines().collect();
        let differs = stored
            .iter()
            .zip(&seen)
            .find(|(stored, seen)| **stored != seen.as_str());
        assert_eq!((differs, seen.len()), (None, stored.len()));
        self.cuts.load(Ordering::Relaxed)
    }
}

async fn open(balancer: &Balancer, consumer: &str, last: &str) -> Stream {
    let address = balancer.choose().await;
    Stream::at(address, "/api/marketplace/events", consumer, last).await
}
