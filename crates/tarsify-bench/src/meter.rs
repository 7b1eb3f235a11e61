//! What processes have used, as Linux tells it; nothing here is known elsewhere.

use std::fs;

use anyhow::Context;

/// Processor time of a process so far in milliseconds, with that of its children that have ended.
pub(crate) fn processor_ms(id: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))
        .with_context(|| format!("/proc does not tell what the process {id} has used"))?;
    // The name in parentheses may hold anything. Behind it: user, system, and both of the children,
    // in hundredths of a second.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let times = fields
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<f64>().ok());
    Ok(times.sum::<f64>() * 10.0)
}

/// The same of a process and of all its children.
pub(crate) fn family_ms(id: u32) -> anyhow::Result<f64> {
    let children = fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = children.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let children = children.filter(|child| parent_of(*child) == Some(id));
    // One that ends at this moment is counted with its parent from now on.
    let children = children.filter_map(|child| processor_ms(child).ok());
    Ok(processor_ms(id)? + children.sum::<f64>())
}

fn parent_of(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
}

/// Megabytes of a process that are in memory now.
pub(crate) fn resident_mb(id: u32) -> anyhow::Result<f64> {
    memory_mb(id, "VmRSS:")
}

/// The most of it that there ever was.
pub(crate) fn most_resident_mb(id: u32) -> anyhow::Result<f64> {
    memory_mb(id, "VmHWM:")
}

fn memory_mb(id: u32, name: &str) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    let kilobytes = kilobytes.with_context(|| format!("/proc does not tell {name} of {id}"))?;
    Ok(kilobytes / 1024.0)
}
