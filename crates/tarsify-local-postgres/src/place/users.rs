//! Which user the server runs as when we are root, and whether that user gets through to a folder.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::command::User;

/// The user `postgres`, else `nobody`.
pub(super) fn server_user() -> Option<User> {
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    find_account(&accounts, "postgres").or_else(|| find_account(&accounts, "nobody"))
}

/// Whose the existing cluster is, unless it is root's.
pub(super) fn owner_of_cluster(base: &Path) -> Option<User> {
    let metadata = fs::metadata(base.join("postgres")).ok()?;
    (metadata.uid() != 0).then(|| User {
        id: metadata.uid(),
        group: metadata.gid(),
    })
}

/// The outermost folder on the way (the last included) that the user may not pass through.
pub(super) fn closed_to(folder: &Path, user: User) -> Option<PathBuf> {
    let mut way: Vec<&Path> = folder.ancestors().collect();
    way.reverse();
    way.into_iter()
        .find(|step| !passable(step, user))
        .map(Path::to_path_buf)
}

fn passable(folder: &Path, user: User) -> bool {
    let Ok(metadata) = fs::metadata(folder) else {
        return false;
    };
    let bit = match () {
        () if metadata.uid() == user.id => 0o100,
        () if metadata.gid() == user.group => 0o010,
        () => 0o001,
    };
    metadata.mode() & bit != 0
}

/// One line of `/etc/passwd`.
pub(super) fn find_account(accounts: &str, name: &str) -> Option<User> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let id = fields.nth(1)?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        Some(User { id, group })
    })
}
