//! Measures Tarsify beside what the same machine can do at all, in one run: the release binary over a
//! real socket and a real PostgreSQL that waits for its disk. `scripts/bench` builds and calls it.

mod ceiling;
mod client;
mod cluster;
mod filling;
mod load;
mod meter;
mod plan;
mod process;
mod report;
mod wrk;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::plan::{Bench, Tools};

const USAGE: &str =
    "usage: tarsify-bench <tarsify> <pgbench> <seconds for each measurement> <file for the report>";

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [tarsify, pgbench, seconds, file] = arguments.as_slice() else {
        bail!(USAGE);
    };
    let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0);
    let seconds =
        seconds.with_context(|| format!("the seconds have to be a number from 1\n{USAGE}"))?;
    let file = PathBuf::from(file);
    let tools = Tools {
        tarsify: tarsify.into(),
        pgbench: pgbench.into(),
        each: Duration::from_secs(seconds),
    };
    let report = Bench::prepare(tools)?.measure()?;
    report.write_into(&file)?;
    let mut output = std::io::stdout();
    writeln!(output, "{report}")?;
    Ok(if report.is_reached() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Tells whoever waits what is being done.
fn say(what: &str) {
    let mut output = std::io::stderr();
    // Whoever has closed it does not want to know.
    let _told = writeln!(output, "bench: {what}");
}
