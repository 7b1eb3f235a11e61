//! Which faults strike now: counts occasions and draws probabilities. One that has struck as often
//! as it may never strikes again.

use serde::Serialize;

use super::{Fault, FaultKind, When};
use crate::randomness::Draws;

/// A fault and how often it had the occasion and struck.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlannedFault {
    #[serde(flatten)]
    fault: Fault,
    occasions: u32,
    struck: u32,
}

/// The faults of an endpoint, with their draws.
#[derive(Clone, Debug)]
pub(crate) struct FaultPlan {
    planned: Vec<PlannedFault>,
    draws: Draws,
}

/// The faults that a header asked for, for one job.
pub(crate) type JobPlan = FaultPlan;

impl FaultPlan {
    pub(crate) fn new(faults: Vec<Fault>, seed: u64) -> Self {
        let planned = faults
            .into_iter()
            .map(|fault| PlannedFault {
                fault,
                occasions: 0,
                struck: 0,
            })
            .collect();
        Self {
            planned,
            draws: Draws::new(seed),
        }
    }

    pub(crate) fn planned(&self) -> &[PlannedFault] {
        &self.planned
    }

    /// The faults that strike at this moment, of the kinds that can now.
    pub(crate) fn fire(&mut self, when: When, possible: impl Fn(FaultKind) -> bool) -> Fired {
        let mut fired = Vec::new();
        for planned in &mut self.planned {
            if planned.fault.when != when || !possible(planned.fault.kind) {
                continue;
            }
            planned.occasions = planned.occasions.saturating_add(1);
            let late_enough = planned.occasions > planned.fault.after.unwrap_or(0);
            let some_left = planned
                .fault
                .times
                .is_none_or(|times| planned.struck < times);
            if !late_enough || !some_left {
                continue;
            }
            let probability = planned.fault.probability;
            if probability.is_some_and(|probability| !self.draws.chance(probability)) {
                continue;
            }
            planned.struck = planned.struck.saturating_add(1);
            fired.push(planned.fault.clone());
        }
        Fired(fired)
    }
}

/// The faults that struck at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fired(Vec<Fault>);

impl Fired {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(crate) fn find(&self, kind: FaultKind) -> Option<&Fault> {
        self.first(|other| other == kind)
    }

    pub(crate) fn has(&self, kind: FaultKind) -> bool {
        self.find(kind).is_some()
    }

    pub(crate) fn first(&self, wanted: impl Fn(FaultKind) -> bool) -> Option<&Fault> {
        self.0.iter().find(|fault| wanted(fault.kind))
    }
}
