//! What is counted, for whoever watches the engine.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::machine::Counted;

#[derive(Default)]
pub(in crate::engine) struct Tallies(Mutex<BTreeMap<Counted, u64>>);

impl Tallies {
    pub(in crate::engine) fn count(&self, what: Counted) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(what).or_default() += 1;
    }

    pub(in crate::engine) fn read(&self) -> BTreeMap<Counted, u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
