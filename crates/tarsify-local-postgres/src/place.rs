//! Where cluster, socket and locks live, and as which user the server runs. Refuses folders somebody else could
//! have prepared.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

use crate::command::{User, output, plain};
use crate::error::LocalPostgresError;

mod relocated;
mod users;

/// The longest socket folder: the path with `/.s.PGSQL.5432` fits 103 bytes, the smallest limit among systems.
const LONGEST_SOCKET_DIR: usize = 103 - "/.s.PGSQL.5432".len();

/// Everything about one data folder.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The canonical data folder.
    pub(crate) data_dir: PathBuf,
    /// The folder that holds the cluster: the data folder, or one that the server's user can reach.
    pub(crate) base: PathBuf,
    /// The user to run the server as, when we are root.
    pub(crate) server_user: Option<User>,
    /// The private folder of the socket.
    pub(crate) socket_dir: PathBuf,
}

impl Place {
    pub(crate) fn cluster(&self) -> PathBuf {
        self.base.join("postgres")
    }
    pub(crate) fn log(&self) -> PathBuf {
        self.data_dir.join("postgres.log")
    }
    pub(crate) fn owner_lock(&self) -> PathBuf {
        self.data_dir.join("owner.lock")
    }
    pub(crate) fn template_lock(&self) -> PathBuf {
        self.data_dir.join("template.lock")
    }
}

/// Makes the data folder when absent and answers its canonical path.
pub(crate) fn data_folder(path: &Path) -> Result<PathBuf, LocalPostgresError> {
    let wrong = |source| LocalPostgresError::data_folder(path, source);
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => Err(LocalPostgresError::DataFolder {
            path: path.to_path_buf(),
            problem: "it is a file, not a folder".to_owned(),
            source: None,
        }),
        Ok(_) => fs::canonicalize(path).map_err(wrong),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Passable, not listable: as root, the server runs as another user and must get through.
            DirBuilder::new()
                .recursive(true)
                .mode(0o711)
                .create(path)
                .map_err(wrong)?;
            fs::canonicalize(path).map_err(wrong)
        }
        Err(error) => Err(wrong(error)),
    }
}

/// Decides the place and makes its folders. The caller holds the setup lock.
pub(crate) async fn resolve(data_dir: PathBuf) -> Result<Place, LocalPostgresError> {
    let current = current_user().await?;
    let (base, server_user) = if current == 0 {
        base_for_root(&data_dir)?
    } else {
        (data_dir.clone(), None)
    };
    let cluster = base.join("postgres");
    if let Ok(metadata) = fs::metadata(&cluster)
        && current != 0
        && metadata.uid() != current
    {
        return Err(LocalPostgresError::ForeignCluster {
            path: cluster,
            owner: metadata.uid(),
            current,
        });
    }
    let runs_as = server_user.map_or(current, |user| user.id);
    let mut socket_dir = base.join("run");
    if !fits_a_socket(&socket_dir) {
        socket_dir = format!("/tmp/tarsify-{runs_as}-{:016x}", hash(&data_dir)).into();
    }
    private_folder(&socket_dir, runs_as, server_user)?;
    Ok(Place {
        data_dir,
        base,
        server_user,
        socket_dir,
    })
}

/// Whether clients can be told this folder: short enough, and no comma, at which PostgreSQL's own clients split hosts.
fn fits_a_socket(folder: &Path) -> bool {
    folder
        .to_str()
        .is_some_and(|name| name.len() <= LONGEST_SOCKET_DIR && !name.contains(','))
}

/// The folder for the cluster and the user for the server, when we are root.
fn base_for_root(data_dir: &Path) -> Result<(PathBuf, Option<User>), LocalPostgresError> {
    if let Some(base) = relocated::recorded(data_dir) {
        let user = users::owner_of_cluster(&base).or_else(users::server_user);
        return Ok((base, Some(user.ok_or(LocalPostgresError::NoServerUser)?)));
    }
    if let Some(user) = users::owner_of_cluster(data_dir) {
        return match users::closed_to(data_dir, user) {
            None => Ok((data_dir.to_path_buf(), Some(user))),
            Some(closed) => {
                let path = data_dir.join("postgres");
                Err(LocalPostgresError::Unreachable {
                    path,
                    closed,
                    user: user.id,
                })
            }
        };
    }
    let user = users::server_user().ok_or(LocalPostgresError::NoServerUser)?;
    let base = match users::closed_to(data_dir, user) {
        None => data_dir.to_path_buf(),
        Some(closed) => {
            let base = relocated::create(data_dir)?;
            tracing::info!(
                closed = %closed.display(), cluster = %base.display(),
                "the server's user cannot reach the data folder; the cluster lives elsewhere"
            );
            base
        }
    };
    Ok((base, Some(user)))
}

/// Makes a folder only its owner may enter, or checks an existing one.
pub(crate) fn private_folder(
    path: &Path,
    owner: u32,
    user: Option<User>,
) -> Result<(), LocalPostgresError> {
    let wrong = |source| LocalPostgresError::data_folder(path, source);
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            if let Some(user) = user {
                chown(path, Some(user.id), Some(user.group)).map_err(wrong)?;
            }
            return Ok(());
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(wrong(error)),
    }
    let metadata = fs::symlink_metadata(path).map_err(wrong)?;
    let unsafe_because = |problem: String| LocalPostgresError::UnsafeFolder {
        path: path.to_path_buf(),
        problem,
    };
    if !metadata.is_dir() {
        return Err(unsafe_because("it is not a folder".to_owned()));
    }
    if metadata.uid() != owner {
        // Made by root a moment ago, or by a run that was killed before it gave the folder away.
        if let (0, Some(user)) = (metadata.uid(), user) {
            return chown(path, Some(user.id), Some(user.group)).map_err(wrong);
        }
        return Err(unsafe_because(format!(
            "it belongs to the user with id {}, not {owner}",
            metadata.uid()
        )));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(unsafe_because(format!(
            "its mode is {:o}, not 700",
            metadata.mode() & 0o777
        )));
    }
    Ok(())
}

/// The id of the user this process runs as; std does not tell.
async fn current_user() -> Result<u32, LocalPostgresError> {
    let program = Path::new("id");
    let mut command = plain(program, None);
    command.arg("-u");
    let said = output(command).await?;
    String::from_utf8_lossy(&said.stdout)
        .trim()
        .parse()
        .map_err(|error| LocalPostgresError::Command {
            program: program.to_path_buf(),
            source: io::Error::new(io::ErrorKind::InvalidData, error),
        })
}

/// A short name for a path (FNV-1a): the same in every build, unlike std's hasher.
fn hash(path: &Path) -> u64 {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str()
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests;
