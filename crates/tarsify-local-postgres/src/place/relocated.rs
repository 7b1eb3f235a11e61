//! A home for the cluster outside the data folder, for a data folder that the server's user cannot reach.
//! The data folder records it in `postgres.location`; homes whose data folder forgot them are removed.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::hash;
use crate::error::LocalPostgresError;
use crate::postmaster;

const HOMES: &str = "/var/lib/tarsify";
const RECORD: &str = "postgres.location";
/// In the home: the data folder it belongs to.
const BELONGS_TO: &str = "data-folder";

/// The home recorded in the data folder, when it is still there and root's own.
pub(super) fn recorded(data_dir: &Path) -> Option<PathBuf> {
    let home = read_path(&data_dir.join(RECORD))?;
    let metadata = fs::symlink_metadata(&home).ok()?;
    (metadata.is_dir() && metadata.uid() == 0).then_some(home)
}

/// Makes a new home and records it.
pub(super) fn create(data_dir: &Path) -> Result<PathBuf, LocalPostgresError> {
    let usable = DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(HOMES)
        .is_ok();
    let name = format!("{:016x}", hash(data_dir));
    if usable {
        remove_forgotten(Path::new(HOMES));
    }
    let (parent, name) = if usable {
        (Path::new(HOMES), name)
    } else {
        (Path::new("/tmp"), format!("tarsify-0-{name}"))
    };
    let mut attempt = 1_u32;
    let home = loop {
        let home = parent.join(format!("{name}-{attempt}"));
        match DirBuilder::new().mode(0o711).create(&home) {
            Ok(()) => break home,
            // A home of an earlier data folder with this path: not ours, its server may even run.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 10_000 => {
                attempt += 1
            }
            Err(error) => return Err(LocalPostgresError::data_folder(home, error)),
        }
    };
    let record = data_dir.join(RECORD);
    fs::write(&record, home.as_os_str().as_bytes())
        .map_err(|error| LocalPostgresError::data_folder(record, error))?;
    let belongs_to = home.join(BELONGS_TO);
    fs::write(&belongs_to, data_dir.as_os_str().as_bytes())
        .map_err(|error| LocalPostgresError::data_folder(belongs_to, error))?;
    Ok(home)
}

/// Removes homes whose data folder is gone or names another home, and on which no server runs.
fn remove_forgotten(homes: &Path) {
    for home in fs::read_dir(homes)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
    {
        let Some(data_dir) = read_path(&home.join(BELONGS_TO)) else {
            continue;
        };
        let forgotten = read_path(&data_dir.join(RECORD)).is_none_or(|recorded| recorded != home);
        if forgotten && postmaster::find(&home.join("postgres")).is_none() {
            tracing::info!(home = %home.display(), "removing a cluster whose data folder is gone");
            // The next one that is made tries again.
            let _ = fs::remove_dir_all(&home);
        }
    }
}

fn read_path(file: &Path) -> Option<PathBuf> {
    let bytes = fs::read(file).ok()?;
    let path = PathBuf::from(OsStr::from_bytes(&bytes));
    path.is_absolute().then_some(path)
}
