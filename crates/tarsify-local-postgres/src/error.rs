//! What can go wrong, each with the way to mend it.

use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why the private server could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LocalPostgresError {
    /// The data folder is a file, or cannot be made, read or written.
    #[error("cannot use the data folder {}: {problem}. Choose another one with TARSIFY_DATA_DIR, or make this one a folder that the current user may write to", path.display())]
    DataFolder {
        /// The folder, or the file in it, that failed.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What the system said.
        #[source]
        source: Option<io::Error>,
    },
    /// A folder that should be private belongs to somebody else or is open to others.
    #[error("the folder {} is not safe to use: {problem}. Remove it (rm -r), then try again", path.display())]
    UnsafeFolder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The cluster belongs to another user.
    #[error("the PostgreSQL cluster {} belongs to the user with id {owner}, not to the current one ({current}). Run as that user, or choose another data folder with TARSIFY_DATA_DIR", path.display())]
    ForeignCluster {
        /// The cluster.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who asks.
        current: u32,
    },
    /// The user the server must run as cannot reach the existing cluster.
    #[error("PostgreSQL does not run as root, and the user with id {user} cannot reach the cluster {}, because {} is closed to others. Run `chmod o+x` on that folder, or choose another data folder with TARSIFY_DATA_DIR", path.display(), closed.display())]
    Unreachable {
        /// The cluster.
        path: PathBuf,
        /// The folder on the way that is closed.
        closed: PathBuf,
        /// The server's user.
        user: u32,
    },
    /// The cluster's folder holds something else.
    #[error("{} is not a PostgreSQL cluster (it has no PG_VERSION) and is not empty. Move it away, then try again", path.display())]
    NotACluster {
        /// The folder.
        path: PathBuf,
    },
    /// PostgreSQL refuses root, and no other user is known here.
    #[error(
        "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`. Run Tarsify as an ordinary user, or set DATABASE_URL to a server of your own"
    )]
    NoServerUser,
    /// No usable PostgreSQL on this machine.
    #[error(
        "no PostgreSQL server (13 or newer: postgres, initdb and psql) found on this machine. Install it with `{install}`, set PG_BIN to the folder that holds `postgres` and `initdb`, or set DATABASE_URL to a server of your own"
    )]
    NoBinaries {
        /// The command that installs it here.
        install: String,
    },
    /// `PG_BIN` holds no usable PostgreSQL.
    #[error("PG_BIN is {}, but no PostgreSQL 13 or newer (postgres, initdb and psql) is there. Set it to the folder that holds them, or unset it to have them searched", path.display())]
    BadBinaries {
        /// The value of `PG_BIN`.
        path: PathBuf,
    },
    /// The cluster was made by another major version.
    #[error("the cluster {} was made by PostgreSQL {cluster}, but this machine offers PostgreSQL {binaries} ({}). Install PostgreSQL {cluster} or set PG_BIN to its folder; if the local data may go, remove {} instead", path.display(), directory.display(), path.display())]
    Version {
        /// The cluster.
        path: PathBuf,
        /// The cluster's major version.
        cluster: String,
        /// The major version of the binaries found.
        binaries: u32,
        /// Where those binaries are.
        directory: PathBuf,
    },
    /// `initdb` failed.
    #[error("PostgreSQL could not make its cluster in {} (initdb failed); it said:\n{output}\nMend what it names (often a full disk or a missing permission), then try again", path.display())]
    Initdb {
        /// Where the cluster should have been.
        path: PathBuf,
        /// Its last lines.
        output: String,
    },
    /// The server did not come up.
    #[error("the private PostgreSQL server was not ready after {seconds} s. The last lines of {}:\n{output}\nMend what they name, then try again", log.display())]
    NotReady {
        /// How long it was waited for.
        seconds: u64,
        /// The server's log.
        log: PathBuf,
        /// The log's last lines.
        output: String,
    },
    /// The server did not go away.
    #[error("the private PostgreSQL server on {} did not stop within {seconds} s; it goes on stopping by itself. If it never does, end process {process}", path.display())]
    NotStopped {
        /// The cluster.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
        /// The server's process id.
        process: u32,
    },
    /// A program could not be run.
    #[error("cannot run {}. Check that it is installed and that the current user may run it", program.display())]
    Command {
        /// The program.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// PostgreSQL refused a statement.
    #[error("the private PostgreSQL server refused to {action}; it said:\n{output}")]
    Refused {
        /// What was asked.
        action: String,
        /// What it said.
        output: String,
    },
    /// A database name PostgreSQL cannot hold.
    #[error(
        "{name:?} is no database name: it must have 1 to 63 bytes and no control characters. Choose another name"
    )]
    DatabaseName {
        /// The name.
        name: String,
    },
    /// The caller's function that fills a template failed.
    #[error(
        "the template database {name} could not be filled; it will be made anew on the next try"
    )]
    Template {
        /// The template.
        name: String,
        /// What the caller's function said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl LocalPostgresError {
    pub(crate) fn data_folder(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::DataFolder {
            path: path.into(),
            problem: "it cannot be made, read or written".to_owned(),
            source: Some(source),
        }
    }
}
