//! Statements sent through `psql`, and the quoting of names. Holds no SQL of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;

use crate::command::{last_lines, plain};
use crate::error::LocalPostgresError;

/// How to reach the server with `psql`.
#[derive(Debug)]
pub(crate) struct Psql {
    pub(crate) program: PathBuf,
    pub(crate) search_path: Option<OsString>,
    pub(crate) socket_dir: PathBuf,
}

impl Psql {
    /// Runs a script against the maintenance database; answers its rows. `action` completes "refused to ..".
    pub(crate) async fn run(
        &self,
        action: &str,
        script: &str,
    ) -> Result<Vec<String>, LocalPostgresError> {
        let failed = |source| LocalPostgresError::Command {
            program: self.program.clone(),
            source,
        };
        let mut child = plain(&self.program, self.search_path.as_deref())
            .args([
                "-U", "tarsify", "-d", "postgres", "-p", "5432", "-X", "-q", "-A", "-t",
            ])
            .args(["-v", "ON_ERROR_STOP=1", "-f", "-", "-h"])
            .arg(&self.socket_dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        if let Some(mut input) = child.stdin.take() {
            // A psql that could not connect closes its end first; its own message says more than the broken pipe.
            let _ = input.write_all(script.as_bytes()).await;
        }
        let output = child.wait_with_output().await.map_err(failed)?;
        if !output.status.success() {
            return Err(LocalPostgresError::Refused {
                action: action.to_owned(),
                output: last_lines(&output.stderr, 10),
            });
        }
        Ok(String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(str::to_owned)
            .collect())
    }
}

/// A database name, checked, with its two quoted forms.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseName {
    /// As an identifier.
    pub(crate) identifier: String,
    /// As a text literal.
    pub(crate) literal: String,
}

impl DatabaseName {
    pub(crate) fn parse(name: &str) -> Result<Self, LocalPostgresError> {
        if name.is_empty() || name.len() > 63 || name.chars().any(char::is_control) {
            return Err(LocalPostgresError::DatabaseName {
                name: name.to_owned(),
            });
        }
        Ok(Self {
            identifier: format!("\"{}\"", name.replace('"', "\"\"")),
            literal: literal(name),
        })
    }
}

/// A text literal; the escape form keeps a backslash a backslash whatever the server's settings.
pub(crate) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// The connection URL of a database behind a Unix socket.
pub(crate) fn url(socket_dir: &Path, database: &str) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let host = percent_encode(socket_dir.as_os_str().as_bytes());
    format!(
        "postgresql://tarsify@{host}/{}",
        percent_encode(database.as_bytes())
    )
}

fn percent_encode(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
