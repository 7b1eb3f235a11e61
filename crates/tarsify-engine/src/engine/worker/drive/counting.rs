//! What whoever watches the engine is told of an execution in hand: its end, once it is written
//! down, and what was counted on the way there.

use std::time::Duration;

use tarsify_domain::execution::{Ending, Settlement, Written};

use super::Hand;
use crate::machine::{Counted, Event};
use crate::observer::{Incident, RunEnded, between};

impl Hand<'_> {
    /// Tells of an end that was written down.
    pub(super) fn tell_of_end(&self, settlement: &Settlement) {
        let took = between(self.created_at, self.now());
        let seen = self.started_at;
        let seen = seen.map(|moment| between(self.created_at, moment));
        // Nobody may have looked while it was worked on, or not at once.
        let worked = settlement.run_ms.and_then(|time| u64::try_from(time).ok());
        // A job that failed within nothing may never have begun.
        let has_begun = |time: &u64| *time > 0 || settlement.ending == Ending::Completed;
        let worked = worked.filter(has_begun).map(Duration::from_millis);
        let told = worked.map(|time| took.saturating_sub(time));
        self.engine.shared.observer.run_ended(&RunEnded {
            category: self.category,
            ending: settlement.ending,
            took,
            waited: seen.into_iter().chain(told).min(),
        });
    }

    /// Counts what came with what was done. What a write was to bring about has not come about
    /// where somebody else had decided before.
    pub(super) fn count(&mut self, outcome: Option<&Event>) {
        let is_void = matches!(
            outcome,
            Some(Event::Written(Written::Refused) | Event::WriteLost)
        );
        for what in std::mem::take(&mut self.counted) {
            if is_void && matches!(what, Counted::Orphan | Counted::Quarantined) {
                continue;
            }
            let provider = self.place.provider;
            self.engine
                .shared
                .observer
                .happened(Incident { provider, what });
            tracing::debug!(execution = %self.id, ?what, "counted");
        }
    }
}
