//! Starts, watches and restarts the server. One process of a data folder does this, the holder of `owner.lock`;
//! the others stand by to take over.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::binaries::Binaries;
use crate::error::LocalPostgresError;
use crate::guard::{self, Presence};
use crate::place::Place;
use crate::settings::Durability;
use crate::{lock, log, postmaster};

/// How often a standby tries to take over.
const STANDBY: Duration = Duration::from_millis(400);
/// How often a server that is not our child is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How often the log is kept below its bound and the guard is asked whether it lives.
const CHECK: Duration = Duration::from_secs(60);
/// How long a living guard may take to answer; a wrong guess restarts a good server, so this is generous.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a fast shutdown may take before a hard one.
const SHUTDOWN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(15);
/// A server that ran this long did not fail to start.
const HEALTHY: Duration = Duration::from_secs(2);

/// What the supervising task needs; it shares nothing with the rest of the process but this.
pub(crate) struct Supervisor {
    pub(crate) place: Place,
    pub(crate) binaries: Binaries,
    pub(crate) durability: Durability,
    pub(crate) presence: Arc<Presence>,
    /// How many starts in a row failed.
    pub(crate) failures: watch::Sender<u32>,
}

impl Supervisor {
    /// Stands by, then supervises until it is dropped.
    pub(crate) async fn run(self) {
        let Some(_owner) = self.become_owner().await else {
            return;
        };
        loop {
            if let Some(process) = postmaster::find(&self.place.cluster()) {
                self.take_over(process).await;
            } else {
                self.start_and_watch().await;
            }
        }
    }

    async fn become_owner(&self) -> Option<File> {
        let path = self.place.owner_lock();
        let file = lock::open(&path)
            .inspect_err(|error| tracing::error!(%error, "cannot stand by for the private PostgreSQL server"))
            .ok()?;
        loop {
            match lock::try_exclusive(&file) {
                Ok(true) => return Some(file),
                Ok(false) => sleep(STANDBY).await,
                Err(error) => {
                    tracing::error!(%error, path = %path.display(), "this file system has no locks");
                    return None;
                }
            }
        }
    }

    /// Watches a server that somebody else started; ends it when its guard is gone or has given it up.
    async fn take_over(&self, process: u32) {
        while self.guarded().await {
            self.bound_log();
            if self.gone_within(CHECK, LOOK).await {
                tracing::warn!(process, "the private PostgreSQL server died; restarting it");
                return;
            }
        }
        for signal in ["INT", "QUIT"] {
            if !self.runs() {
                return;
            }
            postmaster::signal(process, signal).await;
            if self.gone_within(SHUTDOWN, POLL).await {
                return;
            }
            tracing::warn!(
                process,
                signal,
                "an unguarded PostgreSQL server does not stop"
            );
        }
    }

    /// Whether a guard answers for the running server.
    async fn guarded(&self) -> bool {
        let Ok(greeting) = self.presence.greet(&self.place.socket_dir) else {
            return false;
        };
        let answer = async {
            while !greeting.answered() && self.runs() {
                sleep(POLL).await;
            }
        };
        timeout(ANSWER, answer).await.is_ok() && greeting.answered()
    }

    async fn gone_within(&self, patience: Duration, look: Duration) -> bool {
        let gone = async {
            while self.runs() {
                sleep(look).await;
            }
        };
        timeout(patience, gone).await.is_ok()
    }

    /// Starts the server and waits until it ends.
    async fn start_and_watch(&self) {
        postmaster::remove_misleading(&self.place.cluster());
        let started = Instant::now();
        let outcome =
            match guard::start(&self.presence, &self.place, &self.binaries, self.durability) {
                Ok(child) => self.watch(child).await,
                Err(error) => describe(&error),
            };
        // A guard that was killed may leave a running server: then there is something to take over.
        if started.elapsed() > HEALTHY || self.runs() {
            self.failures.send_replace(0);
            tracing::warn!(outcome, log = %self.place.log().display(), "the private PostgreSQL server ended; restarting it");
            return;
        }
        self.failures
            .send_modify(|failures| *failures = failures.saturating_add(1));
        let failures = *self.failures.borrow();
        tracing::warn!(outcome, failures, log = %self.place.log().display(), "the private PostgreSQL server did not start");
        sleep(
            Duration::from_millis(200)
                .saturating_mul(failures)
                .min(Duration::from_secs(2)),
        )
        .await;
    }

    async fn watch(&self, mut guard: Child) -> String {
        loop {
            match timeout(CHECK, guard.wait()).await {
                Ok(Ok(status)) => return status.to_string(),
                Ok(Err(error)) => return error.to_string(),
                // Somebody may have killed the half of the guard that watches for the last user.
                Err(_) if self.runs() && !self.guarded().await => {
                    return "its guard is gone".to_owned();
                }
                Err(_) => self.bound_log(),
            }
        }
    }

    fn runs(&self) -> bool {
        postmaster::find(&self.place.cluster()).is_some()
    }

    fn bound_log(&self) {
        if let Err(error) = log::bound(&self.place.log()) {
            tracing::warn!(%error, "cannot shorten the PostgreSQL log");
        }
    }
}

fn describe(error: &LocalPostgresError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
