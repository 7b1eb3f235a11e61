//! What processes have used, as the system tells it.

use std::fs;

/// Processor time of a process so far in milliseconds, with that of its children that have ended.
/// Nothing of one that is gone.
pub(crate) fn processor_ms(id: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything. Behind it: user, system, and both of the children,
    // in hundredths of a second.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let times = fields
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<f64>().ok());
    times.sum::<f64>() * 10.0
}

/// The same of a process and of all its children.
pub(crate) fn family_ms(id: u32) -> f64 {
    let children = fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = children.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let children = children.filter(|child| parent_of(*child) == Some(id));
    processor_ms(id) + children.map(processor_ms).sum::<f64>()
}

fn parent_of(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
}

/// Megabytes of a process that are in memory now.
pub(crate) fn resident_mb(id: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}
