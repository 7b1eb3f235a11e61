//! The guard: a small shell script that runs the server outside our process group and stops it after its last user,
//! however that user ended. This side starts it and greets it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::process::Child;

use crate::binaries::Binaries;
use crate::command::{output, plain, run_as};
use crate::error::LocalPostgresError;
use crate::log;
use crate::place::Place;
use crate::settings::Durability;

const SCRIPT: &str = include_str!("guard.sh");

/// This process's mark as a user of the server: while it is held, the guard keeps the server.
#[derive(Debug)]
pub(crate) struct Presence {
    fifo: File,
    path: PathBuf,
}

impl Presence {
    /// Opens the FIFO of a data folder, making it when absent.
    pub(crate) async fn enter(data_dir: &Path) -> Result<Self, LocalPostgresError> {
        let path = data_dir.join("users.fifo");
        let wrong = |source| LocalPostgresError::data_folder(&path, source);
        if !is_fifo(&path) {
            let mut command = plain(Path::new("mkfifo"), None);
            command.args(["-m", "600"]).arg(&path);
            let said = output(command).await?;
            // Another process may have been quicker; that is as good.
            if !is_fifo(&path) {
                let problem = String::from_utf8_lossy(&said.stderr).trim().to_owned();
                return Err(LocalPostgresError::DataFolder {
                    path,
                    problem,
                    source: None,
                });
            }
        }
        // Reading as well, because opening for writing alone would wait for a guard.
        let fifo = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(wrong)?;
        Ok(Self { fifo, path })
    }

    /// Greets whichever guard reads next.
    pub(crate) fn greet(&self, socket_dir: &Path) -> io::Result<Greeting> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let id = format!(
            "{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        // A leftover of an earlier process with our id would be taken for an answer.
        let answer = socket_dir.join(format!("hello.{id}"));
        let _ = fs::remove_file(&answer);
        (&self.fifo).write_all(format!("{id}\n").as_bytes())?;
        Ok(Greeting { answer })
    }

    /// The end of the FIFO for a guard. Does not wait, since we hold the other end.
    fn reader(&self) -> io::Result<File> {
        File::open(&self.path)
    }
}

/// A greeting on its way to a guard.
#[derive(Debug)]
pub(crate) struct Greeting {
    answer: PathBuf,
}

impl Greeting {
    /// Whether a guard that will keep the server as long as we stay has answered.
    pub(crate) fn answered(&self) -> bool {
        self.answer.exists()
    }
}

impl Drop for Greeting {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.answer);
    }
}

/// The process id of the guard, or of one that was killed and left its mark.
pub(crate) fn process(socket_dir: &Path) -> Option<u32> {
    fs::read_to_string(socket_dir.join("guard"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Starts a guard and the server under it.
pub(crate) fn start(
    presence: &Presence,
    place: &Place,
    binaries: &Binaries,
    durability: Durability,
) -> Result<Child, LocalPostgresError> {
    let log_path = place.log();
    let wrong = |source| LocalPostgresError::data_folder(&log_path, source);
    let log = log::open(&log_path).map_err(wrong)?;
    let mut command = plain(Path::new("/bin/sh"), None);
    command
        .arg("-c")
        .arg(SCRIPT)
        .arg("tarsify-postgres-guard")
        .arg(&place.socket_dir);
    command
        .arg(binaries.program("postgres"))
        .arg("-D")
        .arg(place.cluster());
    for setting in server_settings(&place.socket_dir, durability) {
        command.arg("-c").arg(setting);
    }
    run_as(&mut command, place.server_user);
    command
        .process_group(0)
        .stdin(presence.reader().map_err(wrong)?)
        .stdout(log.try_clone().map_err(wrong)?)
        .stderr(Stdio::from(log))
        .spawn()
        .map_err(|source| LocalPostgresError::Command {
            program: "/bin/sh".into(),
            source,
        })
}

fn server_settings(socket_dir: &Path, durability: Durability) -> Vec<OsString> {
    const ALWAYS: [&str; 8] = [
        "listen_addresses=",
        "port=5432",
        "max_connections=200",
        "shared_buffers=128MB",
        "timezone=UTC",
        "log_timezone=UTC",
        "jit=off",
        "logging_collector=off",
    ];
    const VOLATILE: [&str; 3] = [
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
    ];
    let mut settings: Vec<OsString> = ALWAYS.map(OsString::from).to_vec();
    if durability == Durability::Volatile {
        settings.extend(VOLATILE.map(OsString::from));
    }
    // A list of folders: quoted, so that a comma in ours does not end it.
    let mut socket = b"unix_socket_directories=\"".to_vec();
    for &byte in socket_dir.as_os_str().as_bytes() {
        if byte == b'"' {
            socket.push(byte);
        }
        socket.push(byte);
    }
    socket.push(b'"');
    settings.push(std::ffi::OsStr::from_bytes(&socket).to_os_string());
    settings
}

fn is_fifo(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}
