//! One process's share in the private server: start or join it, say where it is, leave it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::error::LocalPostgresError;
use crate::guard::{self, Greeting, Presence};
use crate::place::{self, Place};
use crate::psql::{self, DatabaseName, Psql};
use crate::settings::LocalPostgresSettings;
use crate::supervisor::Supervisor;
use crate::{cluster, lock, log, postmaster};

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);
/// So many failed starts in a row will not be followed by a good one.
const HOPELESS: u32 = 8;
/// A lock may be held for a moment by a child between fork and exec; a real user holds it longer.
const LOOKS_AT_OTHERS: u32 = 5;

/// A running private PostgreSQL server, shared with every other process that started one on the same data folder.
///
/// Dropping it leaves the server as well, but without waiting for its end.
#[derive(Debug)]
pub struct LocalPostgres {
    pub(crate) place: Place,
    pub(crate) psql: Psql,
    tasks: JoinSet<()>,
    presence: Arc<Presence>,
    users: std::fs::File,
}

impl LocalPostgres {
    /// Starts the server of a data folder, or joins the one that runs; returns when it takes connections.
    ///
    /// # Errors
    /// When the data folder cannot be used, PostgreSQL is missing or does not fit the cluster, or the server does
    /// not come up within a minute.
    pub async fn start(settings: LocalPostgresSettings) -> Result<Self, LocalPostgresError> {
        let data_dir = place::data_folder(&settings.data_dir)?;
        let users = lock::shared(&data_dir.join("users.lock")).await?;
        let presence = Arc::new(Presence::enter(&data_dir).await?);
        let setup = lock::exclusive(&data_dir.join("setup.lock")).await?;
        let place = place::resolve(data_dir).await?;
        let binaries = cluster::prepare(&settings, &place).await?;
        drop(setup);
        let psql = Psql {
            program: binaries.psql.clone(),
            search_path: settings.search_path,
            socket_dir: place.socket_dir.clone(),
        };
        let greeting = presence
            .greet(&place.socket_dir)
            .map_err(|source| LocalPostgresError::data_folder(&place.data_dir, source))?;
        let (failures, seen) = watch::channel(0);
        let supervisor = Supervisor {
            place: place.clone(),
            binaries,
            durability: settings.durability,
            presence: Arc::clone(&presence),
            failures,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(supervisor.run());
        wait_until_ready(&place, &greeting, &seen).await?;
        Ok(Self {
            place,
            psql,
            tasks,
            presence,
            users,
        })
    }

    /// The connection URL of a database: a Unix socket, the superuser `tarsify`, no password.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        psql::url(&self.place.socket_dir, database)
    }

    /// The private folder of the socket.
    #[must_use]
    pub fn socket_dir(&self) -> &Path {
        &self.place.socket_dir
    }

    /// Makes a database unless it is there.
    ///
    /// # Errors
    /// When the name is impossible or the server refuses.
    pub async fn create_database_if_absent(&self, name: &str) -> Result<(), LocalPostgresError> {
        let DatabaseName { literal, .. } = DatabaseName::parse(name)?;
        let script = format!(
            "SELECT format('CREATE DATABASE %I', {literal}) \
             WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {literal}) \\gexec\n"
        );
        match self
            .psql
            .run(&format!("create the database {name}"), &script)
            .await
        {
            // Another process was quicker between the look and the making.
            Err(LocalPostgresError::Refused { output, .. })
                if output.contains("already exists")
                    || output.contains("pg_database_datname_index") =>
            {
                Ok(())
            }
            other => other.map(drop),
        }
    }

    /// Leaves the server. The last user waits until it is gone; while others use it, it goes on.
    ///
    /// # Errors
    /// When the server is still there after ten seconds.
    pub async fn stop(self) -> Result<(), LocalPostgresError> {
        let Self {
            place,
            mut tasks,
            presence,
            users,
            ..
        } = self;
        let mut guard = guard::process(&place.socket_dir);
        tasks.shutdown().await;
        drop(presence);
        drop(users);
        let users = lock::open(&place.data_dir.join("users.lock"))?;
        let started = Instant::now();
        let mut others = 0;
        while others < LOOKS_AT_OTHERS {
            let alone = lock::try_exclusive(&users)
                .map_err(|error| LocalPostgresError::data_folder(&place.data_dir, error))?;
            others = if alone { 0 } else { others.saturating_add(1) };
            // The mark goes a moment before the process does.
            guard = guard::process(&place.socket_dir).or(guard);
            let running = postmaster::find(&place.cluster());
            let late = started.elapsed() > STOPPED_WITHIN;
            match running {
                None if alone && (late || !guard.is_some_and(postmaster::process_exists)) => {
                    tidy_socket_folder(&place);
                    return Ok(());
                }
                Some(process) if late => {
                    let (path, seconds) = (place.cluster(), STOPPED_WITHIN.as_secs());
                    return Err(LocalPostgresError::NotStopped {
                        path,
                        seconds,
                        process,
                    });
                }
                _ => {}
            }
            if alone {
                users
                    .unlock()
                    .map_err(|error| LocalPostgresError::data_folder(&place.data_dir, error))?;
            }
            sleep(POLL).await;
        }
        Ok(())
    }
}

/// Removes answers that nobody waited for any more, and a socket folder outside the data folder: nobody else would.
fn tidy_socket_folder(place: &Place) {
    for entry in std::fs::read_dir(&place.socket_dir)
        .into_iter()
        .flatten()
        .flatten()
    {
        if entry.file_name().to_string_lossy().starts_with("hello.") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    if !place.socket_dir.starts_with(&place.base) {
        let _ = std::fs::remove_dir(&place.socket_dir);
    }
}

/// Waits for the answer of a guard that stays with us and for a server that takes connections.
async fn wait_until_ready(
    place: &Place,
    greeting: &Greeting,
    failures: &watch::Receiver<u32>,
) -> Result<(), LocalPostgresError> {
    let started = Instant::now();
    let cluster = place.cluster();
    while !(greeting.answered() && postmaster::ready(&cluster)) {
        if started.elapsed() > READY_WITHIN || *failures.borrow() >= HOPELESS {
            let log = place.log();
            let output = log::tail(&log);
            return Err(LocalPostgresError::NotReady {
                seconds: started.elapsed().as_secs(),
                log,
                output,
            });
        }
        sleep(POLL).await;
    }
    Ok(())
}
