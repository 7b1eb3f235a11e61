//! The executions whose output is asked for because somebody follows them here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tarsify_domain::id::ExecutionId;

type Many = HashMap<ExecutionId, usize>;

/// How many follow each.
#[derive(Default)]
pub(in crate::engine) struct Watched(Arc<Mutex<Many>>);

/// One who follows; he is forgotten when this is dropped.
pub(super) struct Watching {
    id: ExecutionId,
    watched: Arc<Mutex<Many>>,
}

impl Watched {
    /// Adds one, and answers whether he is the first.
    pub(super) fn enter(&self, id: ExecutionId) -> (Watching, bool) {
        let mut watched = lock(&self.0);
        let many = watched.entry(id).or_default();
        *many += 1;
        let watching = Watching {
            id,
            watched: Arc::clone(&self.0),
        };
        (watching, *many == 1)
    }

    pub(super) fn ids(&self) -> Vec<ExecutionId> {
        lock(&self.0).keys().copied().collect()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut watched = lock(&self.watched);
        if let Some(many) = watched.get_mut(&self.id) {
            *many -= 1;
            if *many == 0 {
                watched.remove(&self.id);
            }
        }
    }
}

fn lock(watched: &Mutex<Many>) -> MutexGuard<'_, Many> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}
