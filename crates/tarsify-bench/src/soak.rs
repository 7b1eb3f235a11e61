//! Everything at once for many minutes, to see whether the server's memory grows.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use serde_json::{Value, json};

use crate::client::{Ask, Line};
use crate::cluster::ask;
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
/// How long whoever changes his mind thinks about the next run.
const PAUSE: Duration = Duration::from_millis(250);
/// The model whose GPUs fail, and the one whose GPUs take their time. They are numbered alike, and both have neighbours
/// on the same ones.
const FAILING: usize = 2;
const SLOW: usize = 3;

/// What was seen.
pub(crate) struct Soaked {
    minutes: u64,
    idle: f64,
    /// Medians of the quarters.
    quarters: [f64; 4],
    most: f64,
    runs: usize,
    failed: String,
    reads: usize,
    refusals: usize,
    watched: u64,
    cancelled: u64,
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
            failed,
            reads,
            refusals,
            watched,
            cancelled,
        } = self;
        let quarters = quarters
            .map(|megabytes| format!("{megabytes:.1}"))
            .join(", ");
        writeln!(
            formatter,
            "{minutes} minutes: {runs} runs ({failed} failed), {watched} of others watched to their ends and {cancelled} \
             cancelled, {reads} reads, {refusals} refusals"
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
    spoil(&market)?;
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
    let (seen, pressed, (watched, cancelled)) = thread::scope(|scope| {
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
        let last = token(CONSUMERS - 1);
        let watching = scope.spawn(|| again(&is_over, || watch(address, last)));
        let cancelling = scope.spawn(|| {
            again(&is_over, || {
                thread::sleep(PAUSE);
                change_mind(address, token(CONSUMERS - 2))
            })
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
        let cancelled = cancelling.join().map_err(ended)??;
        anyhow::Ok((seen, pressed, (watched, cancelled)))
    })?;
    let [runs, reads, refusals] = pressed.map(|pressed| count(pressed?));
    let most = most_resident_mb(server.id())?;
    drop(server);
    let failed = ask(
        &market.url,
        "SELECT count(*) FROM executions WHERE status = 'FAILED'",
    )?;
    ensure!(failed != "0", "nothing failed");
    market.cluster.stop()?;
    Ok(Soaked {
        minutes,
        idle,
        quarters: quarters(&seen)?,
        most,
        runs: runs?,
        failed,
        reads: reads?,
        refusals: refusals?,
        watched,
        cancelled,
    })
}

/// Not everything succeeds, and not at once.
fn spoil(market: &Market) -> anyhow::Result<()> {
    let fails = json!({"faults": [{"when": "output", "kind": "traceback"}]});
    market.behave(FAILING, &fails)?;
    market.behave(SLOW, &json!({"runMs": 20_000, "progressSteps": 20}))
}

/// Does it until everything is over; answers how often.
fn again(is_over: &AtomicBool, mut it: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let mut times = 0;
    while !is_over.load(Ordering::Relaxed) {
        it()?;
        times += 1;
    }
    Ok(times)
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

/// Where that is found which goes with a run that was accepted.
fn link<'a>(accepted: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    let link = accepted.pointer(&format!("/links/{name}"));
    let link = link.and_then(Value::as_str);
    link.with_context(|| format!("the run has no {name}: {accepted}"))
}

/// Runs a model and thinks better of it.
fn change_mind(address: SocketAddr, token: &str) -> anyhow::Result<()> {
    let mut line = Line::open(address)?;
    let accepted = line.send(&run(token, SLOW - 1))?.data(202)?;
    let cancel = Ask::post(
        link(&accepted, "cancel")?,
        &Ask::bearer(token),
        &Value::Null,
    );
    line.send(&cancel)?.data(200)?;
    Ok(())
}

/// Runs a model and follows it to its end.
fn watch(address: SocketAddr, token: &str) -> anyhow::Result<()> {
    let accepted = Line::open(address)?.send(&run(token, 0))?.data(202)?;
    let events = link(&accepted, "events")?;
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
    let mut quarters = [0.0; 4];
    for (number, middle) in quarters.iter_mut().enumerate() {
        let ends = number * seen.len() / 4..(number + 1) * seen.len() / 4;
        let mut quarter = seen.get(ends).unwrap_or_default().to_vec();
        quarter.sort_unstable_by(f64::total_cmp);
        let found = quarter.get(quarter.len() / 2).copied();
        *middle = found.context("memory was looked at too seldom")?;
    }
    Ok(quarters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soaked(quarters: [f64; 4]) -> Soaked {
        Soaked {
            minutes: 1,
            idle: 50.0,
            quarters,
            most: 70.0,
            runs: 1,
            failed: "1".to_owned(),
            reads: 1,
            refusals: 1,
            watched: 1,
            cancelled: 1,
        }
    }

    #[test]
    fn the_last_quarter_is_held_to_the_second() {
        assert!(soaked([10.0, 60.0, 61.0, 62.9]).is_steady());
        assert!(!soaked([10.0, 60.0, 60.0, 63.1]).is_steady());
        // What was more in between was given back.
        assert!(soaked([90.0, 60.0, 90.0, 60.0]).is_steady());
    }

    #[test]
    fn each_quarter_is_told_by_its_middle() {
        let seen = [9.0, 1.0, 2.0, 3.0, 3.0, 99.0, 5.0, 4.0, 4.0, 7.0, 7.0, 0.0];
        assert_eq!(quarters(&seen).unwrap(), [2.0, 3.0, 4.0, 7.0]);
        // However many there are, each belongs to one quarter.
        assert_eq!(
            quarters(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap(),
            [1.0, 2.0, 3.0, 5.0]
        );
        quarters(&[1.0, 2.0, 3.0]).unwrap_err();
    }
}
