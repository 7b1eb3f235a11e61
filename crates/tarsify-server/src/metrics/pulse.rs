//! The pulse of the installation, which processes that work take again and again: whoever asks is
//! told the last one, and none that is old.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tarsify_db::{PgPulse, Pulse};
use tarsify_domain::RepoError;

use crate::config::Role;
use crate::store::Databases;

/// A pulse that is older says nothing about the present any more.
const OLD: Duration = Duration::from_secs(120);
/// What all accounts hold is looked at once an hour; one look may fail.
const WEIGHED_LONG_AGO: Duration = Duration::from_secs(150 * 60);

/// The last pulse that was taken.
pub(crate) struct LastPulse {
    known: Mutex<Known>,
    /// What all accounts together held, and when that was looked at.
    weighed: Mutex<Option<(Instant, i64)>>,
}

enum Known {
    /// This process takes none.
    Never,
    /// It has been about to take the first since then.
    NotYet(Instant),
    /// It was this then.
    Taken(Instant, Pulse),
}

impl LastPulse {
    const fn of(known: Known) -> Self {
        Self {
            known: Mutex::new(known),
            weighed: Mutex::new(None),
        }
    }

    /// What is told of it at this moment: nothing, where it is not taken or could not be for a
    /// while.
    pub(super) fn at(&self, now: Instant) -> Option<Pulse> {
        let is_old = |then: &Instant| now.saturating_duration_since(*then) > OLD;
        let known = self.known.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Known::Never => None,
            Known::NotYet(since) => (!is_old(since)).then(Pulse::default),
            Known::Taken(when, pulse) => (!is_old(when)).then(|| pulse.clone()),
        }
    }

    /// What all accounts together hold: nothing is told, where nobody has looked lately.
    pub(super) fn imbalance_at(&self, now: Instant) -> Option<i64> {
        let weighed = self.weighed.lock();
        let weighed = *weighed.unwrap_or_else(PoisonError::into_inner);
        let (when, imbalance) = weighed?;
        let is_old = now.saturating_duration_since(when) > WEIGHED_LONG_AGO;
        (!is_old).then_some(imbalance)
    }

    fn keep(&self, when: Instant, pulse: Pulse) {
        let known = self.known.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        *known = Known::Taken(when, pulse);
    }

    fn keep_imbalance(&self, when: Instant, imbalance: i64) {
        let weighed = self.weighed.lock();
        let mut weighed = weighed.unwrap_or_else(PoisonError::into_inner);
        *weighed = Some((when, imbalance));
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
        let known = if role.works() {
            Known::NotYet(Instant::now())
        } else {
            Known::Never
        };
        Self {
            port: PgPulse::new(databases.requests.apart()),
            patient: PgPulse::new(databases.checks.clone()),
            last: Arc::new(LastPulse::of(known)),
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
        let pulse = self.port.take().await?;
        self.last.keep(Instant::now(), pulse);
        Ok(())
    }

    /// Looks whether all accounts together hold nothing, as they should.
    ///
    /// # Errors
    /// When the database cannot be asked; what was seen last stays until it is old.
    pub(crate) async fn weigh(&self) -> Result<(), RepoError> {
        let imbalance = self.patient.imbalance().await?;
        if imbalance != 0 {
            tracing::error!(
                imbalance,
                "the accounts together do not hold 0: run `tarsify ledger verify`"
            );
        }
        self.last.keep_imbalance(Instant::now(), imbalance);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
