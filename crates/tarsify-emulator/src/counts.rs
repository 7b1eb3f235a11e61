//! How often each call was received and each webhook was tried.

use std::collections::BTreeMap;

use serde::Serialize;

/// How often things happened at an endpoint, by name: `run`, `runsync`, `status`, `stream`,
/// `cancel`, `retry`, `purgeQueue`, `health`, `jobTake`, `jobDone`, `jobStream`, `jobStop`, `ping`,
/// `rateLimited`, `faults`, `repeated` (jobs with the webhook of an earlier one), `webhookTries`, `webhooksDelivered`, `webhooksAbandoned`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CallCounts(BTreeMap<&'static str, u64>);

impl CallCounts {
    /// How often this happened; 0 for what never did.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    pub(crate) fn count(&mut self, name: &'static str) {
        let seen = self.0.entry(name).or_default();
        *seen = seen.saturating_add(1);
    }
}
