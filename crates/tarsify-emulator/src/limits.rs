//! How often an operation may be called at an endpoint: so many in ten seconds, so many at once.
//! What is over is refused with the time to wait.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const WINDOW: Duration = Duration::from_secs(10);

/// What a client can ask of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Run,
    Runsync,
    Status,
    Stream,
    Cancel,
    Retry,
    PurgeQueue,
    Health,
}

struct Limit {
    in_window: usize,
    at_once: usize,
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Runsync => "runsync",
            Self::Status => "status",
            Self::Stream => "stream",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::PurgeQueue => "purgeQueue",
            Self::Health => "health",
        }
    }

    /// The documented limit; nothing is documented for the rest.
    fn limit(self) -> Option<Limit> {
        let (in_window, at_once) = match self {
            Self::Run => (1_000, 200),
            Self::Runsync | Self::Status | Self::Stream => (2_000, 400),
            Self::Cancel => (100, 20),
            Self::PurgeQueue => (2, usize::MAX),
            Self::Retry | Self::Health => return None,
        };
        Some(Limit { in_window, at_once })
    }
}

#[derive(Default)]
struct Usage {
    recent: VecDeque<Instant>,
    open: usize,
}

/// The calls of an endpoint's last ten seconds.
#[derive(Clone, Default)]
pub(crate) struct Limits {
    usage: Arc<Mutex<HashMap<Operation, Usage>>>,
}

/// Leave for one call; it counts as open until this is dropped.
pub(crate) struct Permit {
    limits: Limits,
    operation: Operation,
}

impl Limits {
    /// Leave for one call, or how long to wait.
    pub(crate) fn enter(
        &self,
        operation: Operation,
        now: Instant,
    ) -> Result<Option<Permit>, Duration> {
        let Some(limit) = operation.limit() else {
            return Ok(None);
        };
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let usage = usage.entry(operation).or_default();
        let age = |call: &Instant| now.saturating_duration_since(*call);
        while usage.recent.front().is_some_and(|call| age(call) >= WINDOW) {
            usage.recent.pop_front();
        }
        if usage.recent.len() >= limit.in_window {
            let oldest = usage.recent.front().map_or(WINDOW, age);
            return Err(WINDOW.saturating_sub(oldest));
        }
        if usage.open >= limit.at_once {
            return Err(Duration::from_secs(1));
        }
        usage.recent.push_back(now);
        usage.open += 1;
        Ok(Some(Permit {
            limits: self.clone(),
            operation,
        }))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut usage = self
            .limits
            .usage
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(usage) = usage.get_mut(&self.operation) {
            usage.open = usage.open.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests;
