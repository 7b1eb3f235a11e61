//! Whether a server runs on a cluster, whether it is ready, and how to signal it. Trusts `postmaster.pid` only when
//! the process it names really is a server on that cluster.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use crate::command::{output, plain};

/// What the process named in `postmaster.pid` is.
enum Process {
    /// A server on the cluster.
    Server,
    /// Gone.
    None,
    /// Some other program: the id was given to it after our server died.
    Other,
}

/// The process id of the server that runs on the cluster.
pub(crate) fn find(cluster: &Path) -> Option<u32> {
    let (id, _) = read(cluster)?;
    matches!(identify(id, cluster), Process::Server).then_some(id)
}

/// Whether a server runs on the cluster and takes connections.
pub(crate) fn ready(cluster: &Path) -> bool {
    read(cluster).is_some_and(|(id, status)| {
        status == "ready" && matches!(identify(id, cluster), Process::Server)
    })
}

/// Removes a `postmaster.pid` whose process id belongs to another program by now: PostgreSQL would refuse to start.
/// A dead process it handles itself, and checks for leftover backends besides, so that file stays.
pub(crate) fn remove_misleading(cluster: &Path) {
    if let Some((id, _)) = read(cluster)
        && matches!(identify(id, cluster), Process::Other)
    {
        tracing::warn!(
            process = id,
            "postmaster.pid names a process that is no server of ours; removing it"
        );
        let _ = fs::remove_file(cluster.join("postmaster.pid"));
    }
}

/// Sends a signal, for example `INT`. A process that is already gone is no failure.
pub(crate) async fn signal(process: u32, signal: &str) {
    let mut command = plain(Path::new("/bin/sh"), None);
    command.args(["-c", "kill -s \"$0\" \"$1\"", signal, &process.to_string()]);
    let _ = output(command).await;
}

/// Whether a process lives. One that is dead but not yet collected does not count.
pub(crate) fn process_exists(id: u32) -> bool {
    if Path::new("/proc/self/stat").exists() {
        let command_line = Path::new("/proc").join(id.to_string()).join("cmdline");
        return fs::read(command_line).is_ok_and(|text| !text.is_empty());
    }
    // Where nothing can be found out, it is taken to live: nothing is dropped on a guess.
    Command::new("ps")
        .args(["-p", &id.to_string()])
        .output()
        .map_or(true, |said| said.status.success())
}

/// Process id and status word of `postmaster.pid`.
fn read(cluster: &Path) -> Option<(u32, String)> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let mut lines = text.lines();
    let id = lines.next()?.trim().parse().ok()?;
    let status = lines.nth(6).unwrap_or_default().trim().to_owned();
    Some((id, status))
}

fn identify(id: u32, cluster: &Path) -> Process {
    if Path::new("/proc/self/stat").exists() {
        identify_in_proc(id, cluster)
    } else {
        identify_by_ps(id, cluster)
    }
}

fn identify_in_proc(id: u32, cluster: &Path) -> Process {
    let process = Path::new("/proc").join(id.to_string());
    // Empty for a dead process that nobody has collected yet.
    let command_line = fs::read(process.join("cmdline")).unwrap_or_default();
    let mut arguments = command_line.split(|byte| *byte == 0);
    let Some(program) = arguments.next().filter(|program| !program.is_empty()) else {
        return Process::None;
    };
    if arguments.any(|argument| argument == cluster.as_os_str().as_bytes()) {
        return Process::Server;
    }
    // The server works inside its cluster: this holds even after the folder was moved.
    match (fs::metadata(process.join("cwd")), fs::metadata(cluster)) {
        (Ok(folder), Ok(cluster))
            if (folder.dev(), folder.ino()) == (cluster.dev(), cluster.ino()) =>
        {
            Process::Server
        }
        (Ok(_), Ok(_)) => Process::Other,
        // Not allowed to look: a server, but not known to be ours. PostgreSQL's own check decides at the start.
        _ if program.ends_with(b"postgres") => Process::None,
        _ => Process::Other,
    }
}

fn identify_by_ps(id: u32, cluster: &Path) -> Process {
    let Ok(said) = Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &id.to_string()])
        .output()
    else {
        return Process::None;
    };
    let line = String::from_utf8_lossy(&said.stdout);
    match line.trim() {
        "" => Process::None,
        line if line.contains(&*cluster.to_string_lossy()) => Process::Server,
        line if line.contains("postgres") => Process::None,
        _ => Process::Other,
    }
}
