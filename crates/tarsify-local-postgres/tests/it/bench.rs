//! What the tests stand on: a data folder, a server on it, a helper process, questions, bounded waiting.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tarsify_local_postgres::{Durability, LocalPostgres, LocalPostgresSettings};

/// Long enough for two cores under load; only a failure waits so long.
const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) fn settings(data_dir: &Path) -> LocalPostgresSettings {
    let search_path = env::vars_os()
        .find(|(name, _)| name == "PATH")
        .map(|(_, value)| value);
    LocalPostgresSettings {
        data_dir: data_dir.into(),
        binaries: None,
        search_path,
        durability: Durability::Volatile,
    }
}

pub(crate) async fn start(data_dir: &Path) -> LocalPostgres {
    LocalPostgres::start(settings(data_dir)).await.unwrap()
}

/// Asks through psql, as a stranger to the crate would.
pub(crate) fn try_ask(url: &str, sql: &str) -> Result<String, String> {
    let said = Command::new("psql")
        .args([url, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if said.status.success() {
        Ok(text(&said.stdout))
    } else {
        Err(text(&said.stderr))
    }
}

pub(crate) fn ask(url: &str, sql: &str) -> String {
    try_ask(url, sql).unwrap()
}

/// Asks until there is an answer.
pub(crate) fn ask_until_answered(url: &str, sql: &str) -> String {
    let mut answer = None;
    wait_until("the server answers", || {
        answer = try_ask(url, sql).ok();
        answer.is_some()
    });
    answer.unwrap()
}

pub(crate) fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A folder that every user may pass through, whatever the umask.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The folder that holds the cluster.
pub(crate) fn base(data_dir: &Path) -> PathBuf {
    let location = fs::read_to_string(data_dir.join("postgres.location"));
    location.map_or_else(|_| data_dir.to_path_buf(), PathBuf::from)
}

/// The processes whose command line names the data folder or its cluster, this one aside.
pub(crate) fn processes(data_dir: &Path) -> Vec<String> {
    let mut needles = vec![
        fs::canonicalize(data_dir)
            .unwrap()
            .to_string_lossy()
            .into_owned(),
    ];
    needles.extend(fs::read_to_string(data_dir.join("postgres.location")));
    let said = Command::new("ps")
        .args(["-ww", "-A", "-o", "pid=,command="])
        .output()
        .unwrap();
    let lines = String::from_utf8_lossy(&said.stdout).into_owned();
    lines
        .lines()
        .filter(|line| needles.iter().any(|needle| line.contains(needle)))
        .map(str::to_owned)
        .collect()
}

/// The process id of the server itself; nothing for a moment while it starts.
pub(crate) fn find_postmaster(data_dir: &Path) -> Option<u32> {
    let text = fs::read_to_string(base(data_dir).join("postgres/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

pub(crate) fn postmaster(data_dir: &Path) -> u32 {
    find_postmaster(data_dir).unwrap()
}

/// Waits until a server with another process id runs.
pub(crate) fn wait_for_another(data_dir: &Path, first: u32) {
    wait_until("another server runs", || {
        find_postmaster(data_dir).is_some_and(|found| found != first)
    });
}

pub(crate) fn kill(process: u32) {
    assert!(
        Command::new("kill")
            .args(["-9", &process.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

/// Another process that uses the server.
pub(crate) struct Holder {
    child: Child,
    pub(crate) url: String,
}

impl Holder {
    pub(crate) fn start(data_dir: &Path) -> Self {
        let program = env::current_exe()
            .unwrap()
            .parent()
            .unwrap()
            .parent()
            .unwrap()
            .join("examples/hold");
        let mut child = Command::new(program)
            .arg(data_dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        assert!(!url.is_empty(), "the helper process failed");
        Self {
            child,
            url: url.trim().to_owned(),
        }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn end(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
