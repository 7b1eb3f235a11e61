//! How consumers stood a moment ago, for requests that want to know no more than who sent them: most
//! people send several in a row, and what decides whether they may act changes once in a year.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::id::ConsumerId;
use crate::people::identity::{IdentityKey, PersonStatus};

/// For how long it is believed that somebody stands as he stood. Who is locked out is out within a
/// second, with whatever he had under way.
const BELIEVED: Duration = Duration::milliseconds(500);

/// How many are remembered at most.
const MOST: usize = 10_000;

/// What decides whether a consumer may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) id: ConsumerId,
    pub(super) status: PersonStatus,
    pub(super) tokens_valid_after: Option<Timestamp>,
}

/// How consumers stood a moment ago.
pub struct Standings {
    clock: Arc<dyn Clock>,
    seen: Mutex<HashMap<IdentityKey, (Timestamp, Standing)>>,
}

impl Standings {
    /// Remembers nobody yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            seen: Mutex::default(),
        }
    }

    /// What time it is, to be handed back with what is then read: it may be as old as that.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn find(&self, key: &IdentityKey) -> Option<Standing> {
        let now = self.clock.now();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, standing) = seen.get(key)?;
        is_believed(*since, now).then_some(*standing)
    }

    pub(super) fn remember(&self, key: &IdentityKey, since: Timestamp, standing: Standing) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.retain(|_, (then, _)| is_believed(*then, since));
        }
        // More of them within so short a time are asked for anew each time.
        if seen.len() < MOST {
            seen.insert(key.clone(), (since, standing));
        }
    }
}

/// A clock that was set back makes nothing good for longer.
fn is_believed(since: Timestamp, now: Timestamp) -> bool {
    (Duration::ZERO..BELIEVED).contains(&(now - since))
}

#[cfg(test)]
mod tests;
