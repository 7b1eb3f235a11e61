//! The pulse of the installation, which processes that work take again and again: whoever asks is
//! told the last one, and none that is old.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tarsify_db::{PgPulse, Pulse};
use tarsify_domain::RepoError;

use crate::config::Role;
use crate::store::Databases;

/// A pulse that is older says nothing about the present any more.
const OLD: Duration = Duration::from_secs(120);

/// The last pulse that was taken.
pub(crate) struct LastPulse {
    known: Mutex<Known>,
    /// What all accounts together held when that was last looked at.
    imbalance: AtomicI64,
}

enum Known {
    /// This process takes none.
    Never,
    /// It is about to take the first.
    NotYet,
    /// It was this then.
    Taken(Instant, Pulse),
}

impl LastPulse {
    /// Whether there will be any is up to what the process does.
    fn new(is_taken: bool) -> Self {
        let known = if is_taken {
            Known::NotYet
        } else {
            Known::Never
        };
        Self {
            known: Mutex::new(known),
            imbalance: AtomicI64::new(0),
        }
    }

    /// What is told of it: nothing, where it is not taken or could not be for a while.
    pub(super) fn last(&self) -> Option<Pulse> {
        let known = self.known.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Known::Never => None,
            Known::NotYet => Some(Pulse::default()),
            Known::Taken(when, _) if when.elapsed() > OLD => None,
            Known::Taken(_, pulse) => Some(pulse.clone()),
        }
    }

    /// What all accounts together hold; nothing, where that is not looked at.
    pub(super) fn imbalance(&self) -> i64 {
        self.imbalance.load(Ordering::Relaxed)
    }

    fn keep(&self, pulse: Pulse) {
        let known = self.known.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        *known = Known::Taken(Instant::now(), pulse);
    }
}

/// What takes the pulse.
pub(crate) struct PulseWatch {
    port: PgPulse,
    /// For what takes its time.
    patient: PgPulse,
    last: Arc<LastPulse>,
}

impl PulseWatch {
    /// Takes it in the database of these pools, if this process takes it at all.
    pub(crate) fn new(databases: &Databases, role: Role) -> Self {
        let is_taken = role.works();
        Self {
            port: PgPulse::new(databases.requests.apart()),
            patient: PgPulse::new(databases.checks.clone()),
            last: Arc::new(LastPulse::new(is_taken)),
        }
    }

    /// Where the last one can be read.
    pub(crate) fn last(&self) -> Arc<LastPulse> {
        Arc::clone(&self.last)
    }

    /// Takes it once.
    ///
    /// # Errors
    /// When the database cannot be asked; the last one stays until it is old.
    pub(crate) async fn take(&self) -> Result<(), RepoError> {
        self.last.keep(self.port.take().await?);
        Ok(())
    }

    /// Looks whether all accounts together hold nothing, as they should.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub(crate) async fn weigh(&self) -> Result<(), RepoError> {
        let imbalance = self.patient.imbalance().await?;
        if imbalance != 0 {
            tracing::error!(
                imbalance,
                "the accounts together do not hold 0: run `tarsify ledger verify`"
            );
        }
        self.last.imbalance.store(imbalance, Ordering::Relaxed);
        Ok(())
    }
}
