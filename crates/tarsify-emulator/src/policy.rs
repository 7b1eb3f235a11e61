//! How long a job may run and live, from the `policy` of its request; milliseconds on the wire.
//! Times outside RunPod's range are moved to its edge.

use std::time::Duration;

use serde::Deserialize;

use crate::EmulatorSettings;

const EXECUTION_TIMEOUT: Duration = Duration::from_secs(10 * 60);
const TTL: Duration = Duration::from_secs(24 * 60 * 60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// `policy` as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PolicyIn {
    execution_timeout: Option<u64>,
    ttl: Option<u64>,
    low_priority: Option<bool>,
}

/// What goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Priority {
    Normal,
    Low,
}

/// How long a job may run and live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) execution_timeout: Duration,
    pub(crate) ttl: Duration,
    pub(crate) priority: Priority,
}

impl PolicyIn {
    pub(crate) fn within(self, settings: &EmulatorSettings) -> Policy {
        let time = |given: Option<u64>, default: Duration, shortest: Duration| {
            let wanted = given.map_or(default, Duration::from_millis);
            wanted.max(shortest).min(WEEK)
        };
        let shortest_run = settings.shortest_execution_timeout;
        Policy {
            execution_timeout: time(self.execution_timeout, EXECUTION_TIMEOUT, shortest_run),
            ttl: time(self.ttl, TTL, settings.shortest_ttl),
            priority: if self.low_priority == Some(true) {
                Priority::Low
            } else {
                Priority::Normal
            },
        }
    }
}
