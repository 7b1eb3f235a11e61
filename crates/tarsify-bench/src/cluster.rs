//! A PostgreSQL server of our own that waits for its disk, and what is asked of it beside the server
//! under test.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use tarsify_local_postgres::{Durability, LocalPostgres, LocalPostgresSettings};
use tokio::runtime::Runtime;

/// The server, for as long as this is kept.
pub(crate) struct Cluster {
    runtime: Runtime,
    server: LocalPostgres,
    /// The process that all of the server's others belong to.
    pub(crate) id: u32,
}

impl Cluster {
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let path = std::env::vars_os().find(|(name, _)| name == "PATH");
        let settings = LocalPostgresSettings {
            data_dir: folder.to_owned(),
            binaries: None,
            search_path: path.map(|(_, value)| value),
            durability: Durability::Durable,
        };
        let server = runtime
            .block_on(LocalPostgres::start(settings))
            .context("there is no PostgreSQL of our own")?;
        let asked = ask(&server.url("postgres"), "SHOW data_directory")?;
        let lock = fs::read_to_string(Path::new(&asked).join("postmaster.pid"))?;
        let id = lock.lines().next().and_then(|line| line.parse().ok());
        let id = id.context("the server's process is not known")?;
        Ok(Self {
            runtime,
            server,
            id,
        })
    }

    /// A new database; answers its address.
    pub(crate) fn make(&self, name: &str) -> anyhow::Result<String> {
        self.runtime
            .block_on(self.server.create_database_if_absent(name))?;
        Ok(self.server.url(name))
    }

    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.runtime.block_on(self.server.stop())?;
        Ok(())
    }
}

/// What the database answers, without headings.
pub(crate) fn ask(url: &str, sql: &str) -> anyhow::Result<String> {
    let mut psql = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
        .args(["--set", "ON_ERROR_STOP=1", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("psql cannot be started")?;
    if let Some(mut input) = psql.stdin.take() {
        input.write_all(sql.as_bytes())?;
    }
    let output = psql.wait_with_output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the database refused: {errors}");
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
