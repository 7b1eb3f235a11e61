//! Executions that have ended, for those who ask again how they stand: nothing becomes of them any
//! more. They are kept for a moment only, because their model may get another name, and what went in
//! and came out is removed some day.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tarsify_domain::Scope;
use tarsify_domain::execution::{Execution, Found};
use tarsify_domain::id::ExecutionId;
use tokio::time::Instant;

use super::weight::{members, size};

/// For how long one is told without a look at the store.
const KEPT_FOR: Duration = Duration::from_secs(10);
/// What all of them take at the most, about.
const KEPT_BYTES: u64 = 8 * 1024 * 1024;
/// One that takes more is not worth the room of many others.
const LARGEST: u64 = 64 * 1024;
/// What one takes besides its inputs and its result, about.
const OVERHEAD: usize = 1_024;

/// Those that were asked for last.
pub(super) struct Ended {
    kept: Cache<ExecutionId, Arc<Kept>, ByBytes>,
}

struct Kept {
    execution: Execution,
    bytes: u64,
    until: Instant,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<ExecutionId, Arc<Kept>> for ByBytes {
    fn weight(&self, _id: &ExecutionId, kept: &Arc<Kept>) -> u64 {
        kept.bytes
    }
}

impl Default for Ended {
    fn default() -> Self {
        let many = usize::try_from(KEPT_BYTES).unwrap_or(usize::MAX) / (2 * OVERHEAD);
        Self {
            kept: Cache::with_weighter(many, KEPT_BYTES, ByBytes),
        }
    }
}

impl Ended {
    /// The execution, if it is kept and `scope` may see it. Who may not is told so, as by the store.
    pub(super) fn find(
        &self,
        scope: Scope,
        id: ExecutionId,
        now: Instant,
    ) -> Option<Found<Execution>> {
        let kept = self.kept.get(&id)?;
        if kept.until <= now {
            return None;
        }
        let summary = &kept.execution.summary;
        let is_seen = match scope {
            Scope::Consumer(consumer) => summary.consumer_id == Some(consumer),
            Scope::Developer(developer) => summary.tester_id == Some(developer),
            Scope::System => true,
        };
        Some(if is_seen {
            Found::Here(kept.execution.clone())
        } else {
            Found::Foreign
        })
    }

    /// Keeps the execution if it has ended. It was read not before `now`.
    pub(super) fn keep(&self, execution: &Execution, now: Instant) {
        if !execution.summary.status.is_terminal() {
            return;
        }
        let result = execution.output.as_ref().map_or(0, size);
        let bytes = OVERHEAD + members(&execution.inputs) + result;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if bytes > LARGEST {
            return;
        }
        let kept = Kept {
            execution: execution.clone(),
            bytes,
            until: now + KEPT_FOR,
        };
        self.kept.insert(execution.summary.id, Arc::new(kept));
    }
}

#[cfg(test)]
mod tests;
