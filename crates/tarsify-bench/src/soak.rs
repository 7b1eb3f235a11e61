//! Everything at once for many minutes, to see whether the server's memory grows.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use serde_json::Value;

use crate::client::{Ask, Line};
use crate::filling::{CONSUMERS, MODELS, Whose, remember, run};
use crate::load::{Pressed, Pressure, press};
use crate::market::Market;
use crate::meter::{most_resident_mb, resident_mb};
use crate::say;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How much more there may be in the last quarter of the time than in the second; the first is for
/// what is kept on purpose.
const MOST_GROWTH: f64 = 1.05;
/// A second.
const RUNS: f64 = 30.0;
const READS: f64 = 300.0;
const REFUSALS: f64 = 20.0;

/// What was seen.
pub(crate) struct Soaked {
    minutes: u64,
    idle: f64,
    /// Medians of the quarters.
    quarters: [f64; 4],
    most: f64,
    runs: usize,
    reads: usize,
    refusals: usize,
    watched: u64,
}

impl Soaked {
    fn growth(&self) -> f64 {
        let [_, second, _, last] = self.quarters;
        last / second
    }

    pub(crate) fn is_steady(&self) -> bool {
        self.growth() <= MOST_GROWTH
    }
}

impl fmt::Display for Soaked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            minutes,
            idle,
            quarters,
            most,
            runs,
            reads,
            refusals,
            watched,
        } = self;
        let quarters = quarters
            .map(|megabytes| format!("{megabytes:.1}"))
            .join(", ");
        writeln!(
            formatter,
            "{minutes} minutes: {runs} runs, {watched} of others watched to their ends, {reads} reads, {refusals} refusals"
        )?;
        writeln!(
            formatter,
            "resident: idle {idle:.1} MB; medians of the quarters {quarters} MB; at the most {most:.1} MB"
        )?;
        writeln!(
            formatter,
            "the last quarter by the second: {:.3}, at most {MOST_GROWTH}",
            self.growth()
        )
    }
}

/// Lets everybody do everything at a moderate pace.
pub(crate) fn soak(tarsify: PathBuf, minutes: u64) -> anyhow::Result<Soaked> {
    let market = Market::open(tarsify)?;
    remember(&market.url, 10_000, Whose::First)?;
    let server = market.binary.serve("all")?;
    thread::sleep(Duration::from_secs(3));
    let idle = resident_mb(server.id())?;
    say("everything at once");
    let lasts = Duration::from_secs(minutes * 60);
    let statuses = market.ended_runs()?;
    let consumers = &market.people.consumers;
    let token = |number: usize| consumers.get(number % CONSUMERS).map_or("", String::as_str);
    let at = |pace| Pressure {
        connections: 8,
        lasts,
        pace: Some(pace),
    };
    let is_over = AtomicBool::new(false);
    let address = server.address;
    let (seen, pressed, watched) = thread::scope(|scope| {
        let runs = scope.spawn(|| {
            press(address, at(RUNS), (0, 202), |number| {
                let number = usize::try_from(number).unwrap_or_default();
                run(token(number), number)
            })
        });
        let reads = scope.spawn(|| {
            press(address, at(READS), (0, 200), |number| {
                let number = usize::try_from(number).unwrap_or_default();
                read(number, token(number / 6), (token(0), &statuses))
            })
        });
        let refusals = scope.spawn(|| {
            press(address, at(REFUSALS), (0, 404), |number| {
                Ask::get(&format!("/api/marketplace/models/no-such-{number}"))
            })
        });
        let watching = scope.spawn(|| {
            let mut watched = 0;
            while !is_over.load(Ordering::Relaxed) {
                watch(address, token(CONSUMERS - 1))?;
                watched += 1;
            }
            anyhow::Ok(watched)
        });
        let mut seen = Vec::new();
        let began = Instant::now();
        while began.elapsed() < lasts {
            thread::sleep(LOOK);
            seen.push(resident_mb(server.id())?);
        }
        is_over.store(true, Ordering::Relaxed);
        let ended = |_panic| anyhow!("a client ended early");
        let pressed = [runs, reads, refusals].map(|thread| thread.join().map_err(ended));
        let watched = watching.join().map_err(ended)??;
        anyhow::Ok((seen, pressed, watched))
    })?;
    let [runs, reads, refusals] = pressed.map(|pressed| count(pressed?));
    let most = most_resident_mb(server.id())?;
    drop(server);
    market.cluster.stop()?;
    Ok(Soaked {
        minutes,
        idle,
        quarters: quarters(&seen)?,
        most,
        runs: runs?,
        reads: reads?,
        refusals: refusals?,
        watched,
    })
}

fn count(pressed: anyhow::Result<Pressed>) -> anyhow::Result<usize> {
    Ok(pressed?.latencies.len())
}

/// What people look at, each of them at something else.
fn read(number: usize, token: &str, (first, statuses): (&str, &[String])) -> Ask {
    let mine = |token, path: &str| Ask::write("GET", path, &Ask::bearer(token));
    let turn = number / 6;
    match number % 6 {
        0 => Ask::get("/api/marketplace/models?limit=20"),
        1 => Ask::get(&format!(
            "/api/marketplace/models/model-{}",
            turn % MODELS + 1
        )),
        2 => Ask::get(&format!("/api/marketplace/models?search=night+{turn}")),
        3 => mine(token, "/api/marketplace/runs?limit=20"),
        4 => mine(token, "/api/marketplace/credits"),
        _ => mine(
            first,
            statuses
                .get(turn % statuses.len().max(1))
                .map_or("", String::as_str),
        ),
    }
}

/// Runs a model and follows it to its end.
fn watch(address: SocketAddr, token: &str) -> anyhow::Result<()> {
    let accepted = Line::open(address)?.send(&run(token, 0))?.data(202)?;
    let events = accepted.pointer("/links/events").and_then(Value::as_str);
    let events = events.with_context(|| format!("the run has no events: {accepted}"))?;
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let bearer = Ask::bearer(token);
    let head = format!("GET {events} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n{bearer}\r\n");
    stream.write_all(head.as_bytes())?;
    let mut seen = String::new();
    stream.read_to_string(&mut seen)?;
    ensure!(
        seen.contains("event: completed"),
        "its end was not seen: {seen}"
    );
    Ok(())
}

fn quarters(seen: &[f64]) -> anyhow::Result<[f64; 4]> {
    let each = seen.len().div_ceil(4).max(1);
    let medians: Vec<f64> = seen
        .chunks(each)
        .map(|quarter| {
            let mut quarter = quarter.to_vec();
            quarter.sort_unstable_by(f64::total_cmp);
            quarter.get(quarter.len() / 2).copied().unwrap_or_default()
        })
        .collect();
    let quarters = medians.try_into();
    quarters.map_err(|_few| anyhow!("memory was looked at too seldom"))
}
