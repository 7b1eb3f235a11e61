//! Finds PostgreSQL on this machine. Refuses versions before 13, which lack what the tests need.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{output, plain};
use crate::error::LocalPostgresError;
use crate::settings::LocalPostgresSettings;

const OLDEST: u32 = 13;

/// One installed PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    pub(crate) directory: PathBuf,
    pub(crate) psql: PathBuf,
    pub(crate) major: u32,
}

impl Binaries {
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// Finds the binaries: those of the wanted major version when there are any, else the first found.
pub(crate) async fn find(
    settings: &LocalPostgresSettings,
    wanted: Option<u32>,
) -> Result<Binaries, LocalPostgresError> {
    let search_path = settings.search_path.as_deref();
    let mut first = None;
    for directory in candidates(settings) {
        let Some(found) = inspect(&directory, search_path).await else {
            continue;
        };
        if wanted.is_none_or(|wanted| wanted == found.major) {
            return Ok(found);
        }
        first = first.or(Some(found));
    }
    first.ok_or_else(|| match &settings.binaries {
        Some(path) => LocalPostgresError::BadBinaries { path: path.clone() },
        None => LocalPostgresError::NoBinaries {
            install: install_command(search_path),
        },
    })
}

/// Where to look, in order.
fn candidates(settings: &LocalPostgresSettings) -> Vec<PathBuf> {
    if let Some(given) = &settings.binaries {
        return vec![given.clone(), given.join("bin")];
    }
    let mut folders: Vec<PathBuf> = settings
        .search_path
        .iter()
        .flat_map(env::split_paths)
        .collect();
    folders.extend(versions("/usr/lib/postgresql", "", "bin"));
    folders.extend(versions("/usr/libexec", "postgresql", ""));
    folders.extend(versions("/usr", "pgsql-", "bin"));
    folders.extend(versions("/opt/homebrew/opt", "postgresql@", "bin"));
    folders.extend(versions("/usr/local/opt", "postgresql@", "bin"));
    folders.push("/opt/homebrew/bin".into());
    folders.extend(versions(
        "/Applications/Postgres.app/Contents/Versions",
        "",
        "bin",
    ));
    folders
}

/// The folders `<parent>/<prefix><number>/<child>`, newest version first.
fn versions(parent: &str, prefix: &str, child: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let number = entry
                .file_name()
                .to_str()?
                .strip_prefix(prefix)?
                .parse()
                .ok()?;
            Some((
                number,
                if child.is_empty() {
                    entry.path()
                } else {
                    entry.path().join(child)
                },
            ))
        })
        .collect();
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The PostgreSQL in a folder, when it is whole and new enough.
async fn inspect(directory: &Path, search_path: Option<&OsStr>) -> Option<Binaries> {
    if !directory.is_absolute() {
        return None;
    }
    // A link leads to the real folder, where initdb finds its own files.
    let server = fs::canonicalize(directory.join("postgres")).ok()?;
    let directory = [server.parent()?, directory]
        .into_iter()
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())?
        .to_path_buf();
    let psql = [directory.join("psql")]
        .into_iter()
        .chain(
            search_path
                .into_iter()
                .flat_map(env::split_paths)
                .map(|folder| folder.join("psql")),
        )
        .find(|program| program.is_file())?;
    let mut command = plain(&server, search_path);
    command.arg("--version");
    let said = output(command).await.ok()?;
    let major = parse_version(&String::from_utf8_lossy(&said.stdout))?;
    (major >= OLDEST).then_some(Binaries {
        directory,
        psql,
        major,
    })
}

/// The major version in `postgres (PostgreSQL) 15.14 (Debian ..)` or `.. 19devel`.
fn parse_version(text: &str) -> Option<u32> {
    let version = text.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits = version
        .split(|character: char| !character.is_ascii_digit())
        .next()?;
    digits.parse().ok()
}

/// What installs PostgreSQL here.
fn install_command(search_path: Option<&OsStr>) -> String {
    const COMMANDS: [(&str, &str); 4] = [
        ("apt-get", "apt-get install postgresql"),
        ("dnf", "dnf install postgresql-server"),
        ("apk", "apk add postgresql"),
        ("brew", "brew install postgresql@17"),
    ];
    let standard = ["/usr/bin", "/sbin", "/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from);
    let folders: Vec<PathBuf> = search_path
        .into_iter()
        .flat_map(env::split_paths)
        .chain(standard)
        .collect();
    COMMANDS
        .iter()
        .find(|(program, _)| folders.iter().any(|folder| folder.join(program).is_file()))
        .map_or("your package manager", |(_, command)| command)
        .to_owned()
}

#[cfg(test)]
mod tests;
