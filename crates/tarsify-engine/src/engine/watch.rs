//! Those who wait for the end of an execution. A wake says only that it is worth a look: the
//! store tells the truth.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tarsify_domain::id::ExecutionId;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

#[derive(Default)]
pub(super) struct Watch {
    watched: Arc<Mutex<HashMap<ExecutionId, Watched>>>,
}

struct Watched {
    ended: Arc<Notify>,
    watchers: usize,
}

/// One who waits; he is forgotten when this is dropped.
pub(super) struct Watcher {
    id: ExecutionId,
    ended: Arc<Notify>,
    watched: Arc<Mutex<HashMap<ExecutionId, Watched>>>,
}

impl Watch {
    pub(super) fn register(&self, id: ExecutionId) -> Watcher {
        let mut watched = lock(&self.watched);
        let entry = watched.entry(id).or_insert_with(|| Watched {
            ended: Arc::default(),
            watchers: 0,
        });
        entry.watchers += 1;
        Watcher {
            id,
            ended: Arc::clone(&entry.ended),
            watched: Arc::clone(&self.watched),
        }
    }

    pub(super) fn wake(&self, id: ExecutionId) {
        if let Some(watched) = lock(&self.watched).get(&id) {
            watched.ended.notify_waiters();
        }
    }

    /// Wakes everybody who waits.
    pub(super) fn wake_all(&self) {
        for watched in lock(&self.watched).values() {
            watched.ended.notify_waiters();
        }
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.watched).is_empty()
    }
}

impl Watcher {
    /// Ends at the first wake after this call, even when it is not polled before.
    pub(super) fn woken(&self) -> Notified<'_> {
        self.ended.notified()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut watched = lock(&self.watched);
        if let Some(entry) = watched.get_mut(&self.id) {
            entry.watchers -= 1;
            if entry.watchers == 0 {
                watched.remove(&self.id);
            }
        }
    }
}

fn lock(
    watched: &Mutex<HashMap<ExecutionId, Watched>>,
) -> MutexGuard<'_, HashMap<ExecutionId, Watched>> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}
