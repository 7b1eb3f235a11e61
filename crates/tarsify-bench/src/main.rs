//! Measures Tarsify beside what the same machine can do at all, in one run: the release binary over a
//! real socket and a real PostgreSQL that waits for its disk. `scripts/bench` builds and calls it.

mod ceiling;
mod client;
mod cluster;
mod filling;
mod load;
mod market;
mod meter;
mod plan;
mod process;
mod report;
mod soak;
mod wrk;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::plan::{Bench, Tools};

const USAGE: &str =
    "usage: tarsify-bench <tarsify> <pgbench> <seconds for each measurement> <file for the report>
       tarsify-bench soak <tarsify> <minutes>";

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (told, is_good) = match arguments.as_slice() {
        ["soak", tarsify, minutes] => {
            let soaked = soak::soak(tarsify.into(), number("minutes", minutes)?)?;
            (soaked.to_string(), soaked.is_steady())
        }
        [tarsify, pgbench, seconds, file] => {
            let tools = Tools {
                tarsify: tarsify.into(),
                pgbench: pgbench.into(),
                each: Duration::from_secs(number("seconds", seconds)?),
            };
            let report = Bench::prepare(tools)?.measure()?;
            report.write_into(Path::new(file))?;
            (report.to_string(), report.is_reached())
        }
        _ => bail!(USAGE),
    };
    let mut output = std::io::stdout();
    writeln!(output, "{told}")?;
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn number(what: &str, argument: &str) -> anyhow::Result<u64> {
    let number = argument.parse().ok().filter(|number| *number > 0);
    number.with_context(|| format!("the {what} have to be a number from 1\n{USAGE}"))
}

/// Tells whoever waits what is being done.
fn say(what: &str) {
    let mut output = std::io::stderr();
    // Whoever has closed it does not want to know.
    let _told = writeln!(output, "bench: {what}");
}
