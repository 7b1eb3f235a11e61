//! The numbers of this process under the names that everybody's have, read from `/proc`. Where
//! there is none, or it says something else, they are absent.

use std::fmt;
use std::fs;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use super::collected::Page;

/// How many milliseconds a tick of the kernel's reports has; Linux tells all programs the same.
const TICK: u64 = 10;

/// Reads the numbers of this process when somebody asks.
#[derive(Debug)]
pub(super) struct ThisProcess;

impl Collector for ThisProcess {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stat = read("/proc/self/stat");
        let stat = stat.as_deref().and_then(Stat::parse);
        if let Some(stat) = &stat {
            let help = "Processor time that was used, of the system's for it included.";
            let family = encoder.encode_descriptor(
                "process_cpu_seconds",
                help,
                None,
                MetricType::Counter,
            )?;
            ConstCounter::new(stat.cpu.as_secs_f64()).encode(family)?;
        }
        let mut page = Page(encoder);
        if let Some(stat) = &stat {
            page.gauge("process_threads", "Threads.", stat.threads)?;
        }
        let booted = read("/proc/stat").and_then(|text| number_after(&text, "btime "));
        if let (Some(stat), Some(booted)) = (&stat, booted) {
            let started = Duration::from_secs(booted).saturating_add(stat.since_boot);
            page.gauge(
                "process_start_time_seconds",
                "When the process began, in seconds since 1970.",
                started.as_secs_f64(),
            )?;
        }
        let status = read("/proc/self/status");
        if let Some(kilobytes) = status.and_then(|text| number_after(&text, "VmRSS:")) {
            page.gauge(
                "process_resident_memory_bytes",
                "Memory that is in use and not swapped out.",
                kilobytes.saturating_mul(1_024),
            )?;
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            // The folder itself is open while it is read.
            let open = files.count().saturating_sub(1);
            page.gauge("process_open_fds", "Open files and connections.", open)?;
        }
        let limits = read("/proc/self/limits");
        match limits.and_then(|text| number_after(&text, "Max open files")) {
            Some(most) => page.gauge("process_max_fds", "How many may be open.", most),
            None => Ok(()),
        }
    }
}

/// What stands in `/proc/self/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu: Duration,
    threads: u64,
    since_boot: Duration,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The name comes before, and may hold anything.
        let (_, fields) = text.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // As the manual counts them, of which the first two are before the bracket.
        let field = |number: usize| fields.get(number.checked_sub(3)?)?.parse::<u64>().ok();
        let ticks = |count: u64| Duration::from_millis(count.saturating_mul(TICK));
        Some(Self {
            cpu: ticks(field(14)?).saturating_add(ticks(field(15)?)),
            threads: field(20)?,
            since_boot: ticks(field(22)?),
        })
    }
}

/// The first whole number behind what a line begins with.
fn number_after(text: &str, beginning: &str) -> Option<u64> {
    let mut lines = text.lines();
    let rest = lines.find_map(|line| line.strip_prefix(beginning))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests;
