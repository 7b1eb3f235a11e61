//! Makes the cluster once, whole or not at all, and checks that the binaries fit it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::binaries::{self, Binaries};
use crate::command::{last_lines, output, plain, run_as};
use crate::error::LocalPostgresError;
use crate::place::{Place, private_folder};
use crate::settings::{Durability, LocalPostgresSettings};

/// Finds the binaries for the cluster, and makes the cluster when it is absent. The caller holds the setup lock.
pub(crate) async fn prepare(
    settings: &LocalPostgresSettings,
    place: &Place,
) -> Result<Binaries, LocalPostgresError> {
    let cluster = place.cluster();
    let Some(version) = version(&cluster)? else {
        let binaries = binaries::find(settings, None).await?;
        create(settings, place, &binaries).await?;
        return Ok(binaries);
    };
    let binaries = binaries::find(settings, version.parse().ok()).await?;
    if version != binaries.major.to_string() {
        let Binaries {
            directory, major, ..
        } = binaries;
        return Err(LocalPostgresError::Version {
            path: cluster,
            cluster: version,
            binaries: major,
            directory,
        });
    }
    Ok(binaries)
}

/// The cluster's major version; nothing when there is no cluster yet.
fn version(cluster: &Path) -> Result<Option<String>, LocalPostgresError> {
    let wrong = |source| LocalPostgresError::data_folder(cluster, source);
    match fs::read_to_string(cluster.join("PG_VERSION")) {
        Ok(version) => Ok(Some(version.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_dir(cluster) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(wrong(error)),
            // Only an empty folder can be removed this way.
            Ok(_) => match fs::remove_dir(cluster) {
                Ok(()) => Ok(None),
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                    Err(LocalPostgresError::NotACluster {
                        path: cluster.to_path_buf(),
                    })
                }
                Err(error) => Err(wrong(error)),
            },
        },
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(LocalPostgresError::NotACluster {
                path: cluster.to_path_buf(),
            })
        }
        Err(error) => Err(wrong(error)),
    }
}

/// Runs `initdb` beside the cluster's place and moves the whole result there, so a killed run leaves no half one.
async fn create(
    settings: &LocalPostgresSettings,
    place: &Place,
    binaries: &Binaries,
) -> Result<(), LocalPostgresError> {
    let cluster = place.cluster();
    let wrong = |source| LocalPostgresError::data_folder(&cluster, source);
    remove_leftovers(&place.base);
    let fresh = place
        .base
        .join(format!("postgres.new-{}", std::process::id()));
    let owner = fs::metadata(&place.socket_dir).map_err(wrong)?;
    private_folder(
        &fresh,
        std::os::unix::fs::MetadataExt::uid(&owner),
        place.server_user,
    )?;
    let mut said = initdb(settings, place, binaries, (&fresh, "C.UTF-8")).await?;
    if !said.status.success() && String::from_utf8_lossy(&said.stderr).contains("invalid locale") {
        said = initdb(settings, place, binaries, (&fresh, "C")).await?;
    }
    if !said.status.success() {
        let _ = fs::remove_dir_all(&fresh);
        let said = [said.stdout, said.stderr].concat();
        return Err(LocalPostgresError::Initdb {
            path: cluster,
            output: last_lines(&said, 10),
        });
    }
    fs::rename(&fresh, &cluster).map_err(wrong)?;
    File::open(&place.base)
        .and_then(|folder| folder.sync_all())
        .map_err(wrong)
}

async fn initdb(
    settings: &LocalPostgresSettings,
    place: &Place,
    binaries: &Binaries,
    (folder, locale): (&Path, &str),
) -> Result<Output, LocalPostgresError> {
    let mut command = plain(&binaries.program("initdb"), settings.search_path.as_deref());
    command.args(["--username=tarsify", "--auth=trust", "--encoding=UTF8"]);
    command
        .arg(format!("--locale={locale}"))
        .arg("-D")
        .arg(folder);
    if settings.durability == Durability::Volatile {
        command.arg("--no-sync");
    }
    run_as(&mut command, place.server_user);
    output(command).await
}

/// Removes what killed runs left; a failure shows when the new one is made.
fn remove_leftovers(base: &Path) {
    let leftovers: Vec<PathBuf> = fs::read_dir(base)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| OsStr::to_string_lossy(&entry.file_name()).starts_with("postgres.new-"))
        .map(|entry| entry.path())
        .collect();
    for leftover in leftovers {
        let _ = fs::remove_dir_all(leftover);
    }
}
