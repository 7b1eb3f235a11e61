//! The gates of all endpoints. Those that nobody came to for an hour are forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tarsify_domain::execution::Operation;
use tarsify_domain::id::EndpointId;
use tokio::time::Instant;

use super::breaker::Change;
use super::budget::Budgets;
use super::gate::{Denied, Entry, Gate, Outcome};

const MEMORY: Duration = Duration::from_secs(60 * 60);

type Key = (EndpointId, Operation);

/// The gates of all endpoints. Clones are the same gates.
#[derive(Debug, Clone)]
pub(super) struct Gates {
    budgets: Budgets,
    gates: Arc<Mutex<HashMap<Key, Gate>>>,
}

/// Leave for one call. Dropping it tells the gate that the call is over.
#[derive(Debug)]
pub(super) struct Permit {
    gates: Gates,
    key: Key,
    entry: Entry,
    outcome: Option<Outcome>,
}

impl Gates {
    pub(super) fn new(budgets: Budgets) -> Self {
        Self {
            budgets,
            gates: Arc::default(),
        }
    }

    pub(super) fn enter(
        &self,
        endpoint: EndpointId,
        operation: Operation,
        first_pause: Duration,
    ) -> Result<Permit, Denied> {
        let now = Instant::now();
        let key = (endpoint, operation);
        let mut gates = self.lock();
        if !gates.contains_key(&key) {
            gates.retain(|_, gate| !gate.is_idle_for(MEMORY, now));
        }
        let gate = gates.entry(key);
        let gate = gate.or_insert_with(|| Gate::new(self.budgets.of(operation), now));
        gate.begin_pauses_with(first_pause);
        let entry = gate.enter(now)?;
        Ok(Permit {
            gates: self.clone(),
            key,
            entry,
            outcome: None,
        })
    }

    /// Why the gate is closed, budget aside.
    pub(super) fn closed(&self, endpoint: EndpointId, operation: Operation) -> Option<Denied> {
        let gates = self.lock();
        gates.get(&(endpoint, operation))?.closed(Instant::now())
    }

    pub(super) fn allowances(&self, operation: Operation) -> Vec<(EndpointId, u32)> {
        let now = Instant::now();
        let gates = self.lock();
        let asked = gates.iter().filter(|((_, other), _)| *other == operation);
        asked
            .map(|((endpoint, _), gate)| (*endpoint, gate.allowance(now)))
            .collect()
    }

    pub(super) fn burst(&self, operation: Operation) -> u32 {
        self.budgets.of(operation).most_at_once()
    }

    /// Nothing that is done under the lock can stop half-way.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Says what the call came to.
    pub(super) fn report(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut gates = self.gates.lock();
        let Some(gate) = gates.get_mut(&self.key) else {
            return;
        };
        let change = gate.leave(self.entry, self.outcome, Instant::now());
        drop(gates);
        let (endpoint, operation) = self.key;
        match change {
            Change::None => {}
            Change::Opened(rest) => tracing::warn!(
                %endpoint,
                operation = operation.as_str(),
                outcome = ?self.outcome,
                seconds = rest.as_secs(),
                "the endpoint is left alone: its circuit is open"
            ),
            Change::Closed => tracing::info!(
                %endpoint,
                operation = operation.as_str(),
                "the endpoint is well again: its circuit is closed"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
