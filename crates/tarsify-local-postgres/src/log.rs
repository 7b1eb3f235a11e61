//! The server's log file, kept below a bound.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::command::last_lines;

/// A log longer than this is started anew.
const MOST_BYTES: u64 = 10 * 1024 * 1024;
/// How much of its end is read for a message.
const TAIL_BYTES: u64 = 16 * 1024;

/// Opens the log for appending, which also makes it safe to empty it while the server writes.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    bound(path)?;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// Empties the log when it has grown too long.
pub(crate) fn bound(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > MOST_BYTES => {
            OpenOptions::new().write(true).open(path)?.set_len(0)
        }
        _ => Ok(()),
    }
}

/// The log's last lines, for a message.
pub(crate) fn tail(path: &Path) -> String {
    read_tail(path).map_or_else(
        |error| format!("(unreadable: {error})"),
        |bytes| last_lines(&bytes, 15),
    )
}

fn read_tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
