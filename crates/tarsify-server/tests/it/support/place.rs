//! A folder of its own and a clean environment: where the binary runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::{Firebase, Process, Said, Server, Store};

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_tarsify");

/// Where the binary runs. Nothing of the test's own environment is seen there but `PATH`.
pub(crate) struct Place {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    /// An empty folder, in development and without a database.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // As root, the private server runs as somebody else and has to get through.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            folder,
            variables: Vec::new(),
        }
        .with("TARSIFY__LOG__FORMAT", "json")
        // Tests ask far more often than anybody may; those about limits switch them on.
        .with("RATE_LIMITS", "off")
    }

    /// Development with this database.
    pub(crate) fn on(store: &Store) -> Self {
        Self::empty().with("DATABASE_URL", store.url())
    }

    /// Production with this database, and with the pretended Firebase.
    pub(crate) fn in_production(store: &Store, firebase: &Firebase) -> Self {
        Self::in_bare_production()
            .with("DATABASE_URL", store.url())
            .with("FIREBASE_USERS_PROJECT_ID", Firebase::USERS)
            .with("FIREBASE_DEVS_PROJECT_ID", Firebase::DEVELOPERS)
            .with("FIREBASE_JWKS_URL", &firebase.url)
            .with("RUNPOD_API_KEY", "rpa_OFTHETESTS")
    }

    /// Production with nothing that it needs.
    pub(crate) fn in_bare_production() -> Self {
        let mut place = Self::empty();
        place.variables.clear();
        place
            .with("TARSIFY_ENV", "production")
            .with("RATE_LIMITS", "off")
            .with("TARSIFY__SERVER__HOST", "127.0.0.1")
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    /// Any program, here.
    pub(crate) fn command(&self, program: &str) -> Command {
        let path = std::env::vars_os().find(|(name, _)| name == "PATH");
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(path)
            .envs(self.variables.iter().cloned())
            .current_dir(self.path());
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Process {
        Process::start(self.command(BINARY).args(arguments))
    }

    /// Runs a command of the binary to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Said {
        self.start(arguments).ended().await
    }

    /// Serves on a free port.
    pub(crate) async fn serve(&self) -> Server {
        Server::ready(self.start(&["serve", "--port", "0"])).await
    }

    /// A token of a local identity.
    pub(crate) async fn token(&self, kind: &str, email: &str) -> String {
        let said = self.run(&["token", kind, "--email", email]).await;
        said.assert_code(0).out.trim().to_owned()
    }
}

/// What a log line in JSON says, if it is one.
pub(crate) fn log_line(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok()
}
