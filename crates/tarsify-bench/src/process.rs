//! Processes of the binary under test. Each logs as it would in earnest, into a file.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::client::{Ask, Line};

/// How long a process may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// The binary, with the settings that all of its processes have.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    pub(crate) path: PathBuf,
    /// Where the logs go.
    pub(crate) folder: PathBuf,
    pub(crate) settings: Vec<(&'static str, String)>,
}

/// A process that runs until this is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From its start until it was ready.
    pub(crate) took: Duration,
}

impl Binary {
    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self
            .command(arguments, None)
            .output()
            .context("tarsify cannot be started")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "tarsify {} failed: {errors}",
            arguments.join(" ")
        );
        Ok(())
    }

    /// Serves, and waits until it is ready.
    pub(crate) fn serve(&self, role: &str) -> anyhow::Result<Running> {
        let address = free_address()?;
        let port = address.port().to_string();
        self.start(
            &["serve", "--port", &port, "--role", role],
            (address, "/readyz", 200),
        )
    }

    /// Starts the emulator of the GPUs.
    pub(crate) fn emulate(&self) -> anyhow::Result<Running> {
        let address = free_address()?;
        let listen = address.to_string();
        self.start(
            &["emulator", "--listen", &listen],
            (address, "/v2/echo/health", 200),
        )
    }

    fn start(
        &self,
        arguments: &[&str],
        (address, path, wanted): (SocketAddr, &str, u16),
    ) -> anyhow::Result<Running> {
        let what = arguments.join(" ");
        let log = self.folder.join(format!("{}.log", address.port()));
        let began = Instant::now();
        let child = self
            .command(arguments, Some(address))
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .context("tarsify cannot be started")?;
        let mut running = Running {
            child,
            address,
            took: Duration::ZERO,
        };
        let answers = || Line::open(address).and_then(|mut line| line.send(&Ask::get(path)));
        while !answers().is_ok_and(|answer| answer.status == wanted) {
            let is_over = running.child.try_wait()?.is_some() || began.elapsed() > PATIENCE;
            if is_over {
                bail!(
                    "tarsify {what} does not answer: {}",
                    fs::read_to_string(&log)?
                );
            }
            thread::sleep(Duration::from_millis(1));
        }
        running.took = began.elapsed();
        Ok(running)
    }

    /// With nothing of our own surroundings but where programs and a home are. Whoever listens is
    /// called back there.
    fn command(&self, arguments: &[&str], address: Option<SocketAddr>) -> Command {
        let kept = ["PATH", "HOME"];
        let surroundings =
            std::env::vars_os().filter(|(name, _)| kept.iter().any(|kept| name == kept));
        let mut command = Command::new(&self.path);
        command
            .args(arguments)
            .env_clear()
            .envs(surroundings)
            .envs(self.settings.iter().map(|(name, value)| (*name, value)))
            .envs(address.map(|address| ("PUBLIC_URL", format!("http://{address}"))))
            .stdin(Stdio::null());
        command
    }
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; the database that it writes to goes, too.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("there is no free port")?;
    Ok(listener.local_addr()?)
}
