//! How a process knows that what it remembers of the catalogue is out of date.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counts the changes of the catalogue that this process has learnt of. Whatever was read
/// under one revision may be shown again only while the revision stays the same.
#[derive(Debug)]
pub struct CatalogChanges {
    revision: AtomicU64,
    stored: AtomicI64,
}

impl CatalogChanges {
    /// Starts counting; the store's version is not known yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            revision: AtomicU64::new(0),
            stored: AtomicI64::new(i64::MIN),
        }
    }

    /// The current revision. Take it **before** reading what is to be remembered: a change in
    /// between then makes the memory useless instead of wrong.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::SeqCst)
    }

    /// This process has committed a change.
    pub fn changed_here(&self) {
        self.revision.fetch_add(1, Ordering::SeqCst);
    }

    /// The store says that its catalogue is at `version`; anything new is somebody's change.
    pub fn observe(&self, version: i64) {
        if self.stored.swap(version, Ordering::SeqCst) != version {
            self.changed_here();
        }
    }
}

impl Default for CatalogChanges {
    fn default() -> Self {
        Self::new()
    }
}
