//! Load on the server by `wrk`: the same few requests again and again, as fast as they are answered.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

/// How many connections ask at once.
const CONNECTIONS: u32 = 32;

/// What is asked, in turns.
#[derive(Debug, Clone)]
pub(crate) struct Gets {
    pub(crate) paths: Vec<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Gets {
    pub(crate) const fn of(paths: Vec<String>) -> Self {
        let headers = Vec::new();
        Self { paths, headers }
    }

    pub(crate) fn by(self, token: &str) -> Self {
        self.with("Authorization", format!("Bearer {token}"))
    }

    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    pub(crate) rate: f64,
    pub(crate) half: Duration,
    pub(crate) most: Duration,
    pub(crate) requests: f64,
}

/// Asks for so long. Every answer has to have this status.
pub(crate) fn ask(
    address: SocketAddr,
    folder: &Path,
    (gets, wanted): (&Gets, u16),
    lasts: Duration,
) -> anyhow::Result<Read> {
    let script = folder.join("requests.lua");
    std::fs::write(&script, script_of(gets, wanted)?)?;
    let output = Command::new("wrk")
        .args(["--threads", "1", "--connections", &CONNECTIONS.to_string()])
        .args(["--duration", &format!("{}s", lasts.as_secs())])
        .arg("--script")
        .arg(&script)
        .arg(format!("http://{address}/"))
        .output()
        .context("wrk cannot be started")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "wrk failed: {said}{errors}");
    let figures = said.lines().find_map(|line| line.strip_prefix("figures "));
    let figures = figures.with_context(|| format!("wrk said no figures: {said}{errors}"))?;
    let figures: Vec<f64> = figures
        .split(' ')
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [requests, micros, half, most, failed] = figures[..] else {
        anyhow::bail!("wrk said other figures: {said}");
    };
    ensure!(
        failed == 0.0,
        "{failed} of {requests} answers were not {wanted}: {said}"
    );
    Ok(Read {
        rate: requests / micros * 1e6,
        half: Duration::try_from_secs_f64(half / 1e6)?,
        most: Duration::try_from_secs_f64(most / 1e6)?,
        requests,
    })
}

/// Threads of wrk share nothing; what one has counted is taken from it at the end.
fn script_of(gets: &Gets, wanted: u16) -> anyhow::Result<String> {
    let mut script = String::new();
    writeln!(script, "local requests, turn = {{}}, 0\nfailed = 0")?;
    writeln!(
        script,
        "function setup(thread) threads = threads or {{}}; table.insert(threads, thread) end"
    )?;
    writeln!(script, "function init(args)\n  local headers = {{}}")?;
    for (name, value) in &gets.headers {
        writeln!(script, "  headers[{name:?}] = {value:?}")?;
    }
    for path in &gets.paths {
        writeln!(
            script,
            "  table.insert(requests, wrk.format('GET', {path:?}, headers))"
        )?;
    }
    writeln!(script, "end")?;
    writeln!(
        script,
        "function request() turn = turn % #requests + 1; return requests[turn] end\n\
         function response(status) if status ~= {wanted} then failed = failed + 1 end end\n\
         function done(summary, latency, requests)\n\
           local failed = 0\n\
           for _, thread in ipairs(threads) do failed = failed + thread:get('failed') end\n\
           local errors = summary.errors\n\
           failed = failed + errors.connect + errors.read + errors.write + errors.timeout\n\
           print(string.format('figures %d %d %d %d %d', summary.requests, summary.duration,\n\
             latency:percentile(50), latency:percentile(99), failed))\n\
         end"
    )?;
    Ok(script)
}
