//! Locks that the kernel gives back when their process dies, taken without blocking the runtime.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::error::LocalPostgresError;

const POLL: Duration = Duration::from_millis(15);

/// Opens a lock file, making it when absent. Two opens lock against each other even within one process.
pub(crate) fn open(path: &Path) -> Result<File, LocalPostgresError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| LocalPostgresError::data_folder(path, source))
}

/// Waits for the lock alone.
pub(crate) async fn exclusive(path: &Path) -> Result<File, LocalPostgresError> {
    wait(path, File::try_lock).await
}

/// Waits for the lock together with others.
pub(crate) async fn shared(path: &Path) -> Result<File, LocalPostgresError> {
    wait(path, File::try_lock_shared).await
}

/// Whether the lock was taken just now.
pub(crate) fn try_exclusive(file: &File) -> io::Result<bool> {
    taken(file.try_lock())
}

async fn wait(
    path: &Path,
    take: fn(&File) -> Result<(), TryLockError>,
) -> Result<File, LocalPostgresError> {
    let file = open(path)?;
    while !taken(take(&file)).map_err(|source| LocalPostgresError::data_folder(path, source))? {
        tokio::time::sleep(POLL).await;
    }
    Ok(file)
}

fn taken(attempt: Result<(), TryLockError>) -> io::Result<bool> {
    match attempt {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
