//! The gates of all endpoints. Those that nobody came to for an hour are forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tarsify_domain::execution::Operation;
use tarsify_domain::id::EndpointId;
use tokio::time::Instant;

use super::breaker::{Change, Circuit};
use super::budget::Budgets;
use super::gate::{Denied, Entry, Gate, Outcome};
use super::{Circuits, SILENCE};

/// How soon it is likely to be known again who shares the budgets.
const UNKNOWN: Duration = Duration::from_secs(1);
const MEMORY: Duration = Duration::from_secs(60 * 60);

type Key = (EndpointId, Operation);

/// The gates of all endpoints. Clones are the same gates.
#[derive(Debug, Clone)]
pub(super) struct Gates {
    budgets: Budgets,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    gates: HashMap<Key, Gate>,
    /// How many processes share the budgets.
    among: u32,
    /// Since when it is so many, if it was ever another number. Whatever came in before then may
    /// have been taken by somebody else, so a gate that is opened later begins with what has come
    /// in since.
    since: Option<Instant>,
    /// When that was said last; never, where nobody shares anything.
    said_at: Option<Instant>,
}

impl State {
    /// Whether the others may take us for gone, and have our part.
    fn may_be_gone(&self, now: Instant) -> bool {
        let silence = |moment| now.saturating_duration_since(moment);
        self.said_at.is_some_and(|moment| silence(moment) > SILENCE)
    }
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
            state: Arc::new(Mutex::new(State {
                gates: HashMap::new(),
                among: 1,
                since: None,
                said_at: None,
            })),
        }
    }

    /// From now on one of so many equal parts of every budget is ours, and nothing of it before
    /// `rest` is over. Unless that is said again, nothing is ours after [`SILENCE`].
    pub(super) fn share(&self, among: u32, rest: Duration) {
        self.share_at(Instant::now(), among, rest);
    }

    fn share_at(&self, now: Instant, among: u32, rest: Duration) {
        // Nobody has to be waited for who is not there.
        let empty_at = (among > 1 && !rest.is_zero()).then(|| now + rest);
        let mut state = self.lock();
        state.said_at = Some(now);
        if state.among == among && empty_at.is_none() {
            return;
        }
        (state.among, state.since) = (among, Some(empty_at.unwrap_or(now)));
        for ((_, operation), gate) in &mut state.gates {
            let part = self.budgets.of(*operation).divided(among);
            gate.change(part, empty_at, now);
        }
    }

    pub(super) fn enter(
        &self,
        endpoint: EndpointId,
        operation: Operation,
        first_pause: Duration,
    ) -> Result<Permit, Denied> {
        self.enter_at(Instant::now(), (endpoint, operation), first_pause)
    }

    fn enter_at(&self, now: Instant, key: Key, first_pause: Duration) -> Result<Permit, Denied> {
        let (_, operation) = key;
        let mut state = self.lock();
        if state.may_be_gone(now) {
            return Err(Denied::Budget(UNKNOWN));
        }
        let State {
            gates,
            among,
            since,
            said_at: _,
        } = &mut *state;
        if !gates.contains_key(&key) {
            gates.retain(|_, gate| !gate.is_idle_for(MEMORY, now));
        }
        let gate = gates.entry(key).or_insert_with(|| {
            let part = self.budgets.of(operation).divided(*among);
            Gate::new(part, *since, now)
        });
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
        let state = self.lock();
        let gate = state.gates.get(&(endpoint, operation))?;
        gate.closed(Instant::now())
    }

    pub(super) fn allowances(&self, operation: Operation) -> Vec<(EndpointId, u32)> {
        self.allowances_at(Instant::now(), operation)
    }

    fn allowances_at(&self, now: Instant, operation: Operation) -> Vec<(EndpointId, u32)> {
        let state = self.lock();
        let may_be_gone = state.may_be_gone(now);
        let asked = state
            .gates
            .iter()
            .filter(|((_, other), _)| *other == operation);
        let allowance = |gate: &Gate| if may_be_gone { 0 } else { gate.allowance(now) };
        asked
            .map(|((endpoint, _), gate)| (*endpoint, allowance(gate)))
            .collect()
    }

    /// How many endpoints are left alone. One whose operations stand differently counts as the worst
    /// of them.
    pub(super) fn circuits(&self) -> Circuits {
        self.circuits_at(Instant::now())
    }

    fn circuits_at(&self, now: Instant) -> Circuits {
        let state = self.lock();
        let mut endpoints = HashMap::new();
        for ((endpoint, _), gate) in &state.gates {
            let (circuit, is_resting) = endpoints
                .entry(*endpoint)
                .or_insert((Circuit::Closed, false));
            *circuit = gate.circuit(now).max(*circuit);
            *is_resting |= gate.is_resting(now);
        }
        let count = |wanted| {
            let circuits = endpoints.values();
            circuits.filter(|(circuit, _)| *circuit == wanted).count()
        };
        Circuits {
            open: count(Circuit::Open),
            half_open: count(Circuit::HalfOpen),
            resting: endpoints
                .values()
                .filter(|(_, is_resting)| *is_resting)
                .count(),
        }
    }

    /// What an endpoint that has no gate yet may be asked at once.
    pub(super) fn burst(&self, operation: Operation) -> u32 {
        self.burst_at(Instant::now(), operation)
    }

    fn burst_at(&self, now: Instant, operation: Operation) -> u32 {
        let state = self.lock();
        if state.may_be_gone(now) {
            return 0;
        }
        let part = self.budgets.of(operation).divided(state.among);
        Gate::new(part, state.since, now).allowance(now)
    }

    /// Nothing that is done under the lock can stop half-way.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut state = self.gates.lock();
        let Some(gate) = state.gates.get_mut(&self.key) else {
            return;
        };
        let change = gate.leave(self.entry, self.outcome, Instant::now());
        drop(state);
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
