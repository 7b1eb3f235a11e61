//! Runs programs of this machine in a plain environment: no `PG*` variable of the caller's reaches them.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::error::LocalPostgresError;

/// Where programs are looked for when the caller has no `PATH`.
const FALLBACK_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// A user that a program runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: u32,
    pub(crate) group: u32,
}

/// A command without the caller's `PG*` variables, with messages in English and `/` as its folder, because another
/// user may not be allowed into ours.
pub(crate) fn plain(program: &Path, search_path: Option<&OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.as_bytes().starts_with(b"PG") {
            command.env_remove(name);
        }
    }
    command
        .env(
            "PATH",
            search_path.map_or_else(|| OsString::from(FALLBACK_PATH), OsStr::to_os_string),
        )
        .env("LC_ALL", "C")
        .env_remove("TZ")
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

/// Makes a command run as another user, when one is given.
pub(crate) fn run_as(command: &mut Command, user: Option<User>) {
    if let Some(user) = user {
        command.uid(user.id).gid(user.group);
    }
}

/// Runs a command to its end and collects what it said.
pub(crate) async fn output(mut command: Command) -> Result<Output, LocalPostgresError> {
    command.kill_on_drop(true);
    let program = command.as_std().get_program().into();
    command
        .output()
        .await
        .map_err(|source| LocalPostgresError::Command { program, source })
}

/// The last lines of what a program said.
pub(crate) fn last_lines(text: &[u8], count: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines
        .get(lines.len().saturating_sub(count)..)
        .unwrap_or_default()
        .join("\n")
}
