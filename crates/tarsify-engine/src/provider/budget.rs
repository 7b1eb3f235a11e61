//! How often an endpoint may be asked by this process: so many calls a second, so many at once,
//! so many without an answer yet.

use std::time::Duration;

use tarsify_domain::execution::Operation;
use tokio::time::Instant;

/// How often one endpoint may be asked for one operation. A 0 counts as 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Calls a second in the long run.
    pub per_second: u32,
    /// Calls at once after a long silence. In no second are there more than this and
    /// `per_second` together.
    pub burst: u32,
    /// Calls that wait for their answers at the same time.
    pub at_once: u32,
}

/// A budget for each operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// For submissions.
    pub run: Budget,
    /// For questions how a job is.
    pub status: Budget,
    /// For wishes to stop a job.
    pub cancel: Budget,
}

/// Below what RunPod documents for ten seconds and at once: 1,000 and 200 submissions, 2,000
/// and 400 questions, 100 and 20 wishes to stop. Questions stay under 50 in any second.
impl Default for Budgets {
    fn default() -> Self {
        let budget = |per_second, burst, at_once| Budget {
            per_second,
            burst,
            at_once,
        };
        Self {
            run: budget(80, 150, 150),
            status: budget(40, 10, 64),
            cancel: budget(8, 15, 15),
        }
    }
}

impl Budgets {
    /// The budget of an operation.
    #[must_use]
    pub const fn of(&self, operation: Operation) -> Budget {
        match operation {
            Operation::Run => self.run,
            Operation::Status => self.status,
            Operation::Cancel => self.cancel,
        }
    }
}

impl Budget {
    pub(super) fn most_at_once(self) -> u32 {
        self.burst.min(self.at_once).max(1)
    }
}

/// A bucket of tokens that fills by itself. What is kept is only when it will be full again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    for_one: Duration,
    size: u32,
    full_at: Instant,
}

impl Bucket {
    pub(super) fn new(budget: Budget, now: Instant) -> Self {
        Self {
            for_one: Duration::from_secs(1) / budget.per_second.max(1),
            size: budget.burst.max(1),
            full_at: now,
        }
    }

    pub(super) fn tokens(&self, now: Instant) -> u32 {
        let missing = self.full_at.saturating_duration_since(now).as_nanos();
        let missing = missing.div_ceil(self.for_one.as_nanos().max(1));
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        self.size.saturating_sub(missing)
    }

    /// Takes a token out, or answers how long it takes until there is one.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        if self.tokens(now) == 0 {
            let until_full = self.full_at.saturating_duration_since(now);
            return Err(until_full.saturating_sub(self.for_one * (self.size - 1)));
        }
        self.full_at = self.full_at.max(now) + self.for_one;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
