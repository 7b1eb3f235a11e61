//! Load on the server by requests that each are another one: as much as it takes, or at a pace.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};

use crate::client::{Ask, Line};

/// How hard it is pressed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pressure {
    pub(crate) connections: u32,
    pub(crate) lasts: Duration,
    /// So many a second; as many as it takes when there is no pace.
    pub(crate) pace: Option<f64>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Pressed {
    /// In order.
    pub(crate) latencies: Vec<Duration>,
    pub(crate) took: Duration,
}

impl Pressed {
    pub(crate) fn count(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).unwrap_or(u32::MAX))
    }

    pub(crate) fn rate(&self) -> f64 {
        self.count() / self.took.as_secs_f64()
    }

    /// What so many of a hundred are not above.
    pub(crate) fn percentile(&self, hundredths: usize) -> Duration {
        let place = (self.latencies.len() * hundredths)
            .div_ceil(100)
            .saturating_sub(1);
        self.latencies.get(place).copied().unwrap_or_default()
    }
}

/// Sends what `make` makes of each number, from `first` on, and wants this status of every answer.
/// With a pace, the time of an answer counts from when its request was due: one that waited in vain
/// for a free connection has waited too.
pub(crate) fn press(
    address: SocketAddr,
    pressure: Pressure,
    (first, wanted): (u64, u16),
    make: impl Fn(u64) -> Ask + Sync,
) -> anyhow::Result<Pressed> {
    let next = AtomicU64::new(0);
    let began = Instant::now();
    let each = || -> anyhow::Result<Vec<Duration>> {
        let mut line = Line::open(address)?;
        let mut latencies = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let ask = make(first + number);
            let due = match pressure.pace {
                Some(pace) => {
                    let turn = u32::try_from(number).map_or(f64::MAX, f64::from) / pace;
                    let due = began + Duration::try_from_secs_f64(turn)?;
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    due
                }
                None => Instant::now(),
            };
            if due.saturating_duration_since(began) >= pressure.lasts {
                return Ok(latencies);
            }
            let answer = line.send(&ask)?;
            latencies.push(due.elapsed());
            let text = || String::from_utf8_lossy(&answer.body).into_owned();
            ensure!(
                answer.status == wanted,
                "answered {} instead of {wanted}: {}",
                answer.status,
                text()
            );
        }
    };
    let mut latencies = thread::scope(|scope| {
        let threads: Vec<_> = (0..pressure.connections)
            .map(|_| scope.spawn(each))
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(
                thread
                    .join()
                    .map_err(|_panic| anyhow!("a client ended early"))??,
            );
        }
        anyhow::Ok(all)
    })?;
    let took = began.elapsed();
    latencies.sort_unstable();
    Ok(Pressed { latencies, took })
}
