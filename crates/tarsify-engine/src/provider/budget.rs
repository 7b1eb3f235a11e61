//! How often an endpoint may be asked: so many calls a second, so many at once, so many without an
//! answer yet; and which part of that is this process's.

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
    /// For questions what a job has said.
    pub stream: Budget,
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
            stream: budget(160, 40, 64),
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
            Operation::Stream => self.stream,
        }
    }
}

/// One of so many equal parts of a budget. The rate is divided exactly; a part of what may happen
/// at once is at least 1, or its process could do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    for_one: Duration,
    burst: u32,
    at_once: u32,
}

/// More processes than there are: a part so small that nobody could tell it from nothing.
const MOST_PARTS: u32 = 10_000;

impl Budget {
    pub(super) fn divided(self, among: u32) -> Part {
        let among = among.clamp(1, MOST_PARTS);
        let part = |all: u32| (all / among).max(1);
        Part {
            for_one: (Duration::from_secs(1) / self.per_second.max(1)).saturating_mul(among),
            burst: part(self.burst),
            at_once: part(self.at_once),
        }
    }
}

impl Part {
    /// Calls that wait for their answers at the same time.
    pub(super) const fn at_once(self) -> u32 {
        self.at_once
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
    /// One that is full, unless it was empty at a moment: then what has come in since.
    pub(super) fn new(part: Part, empty_at: Option<Instant>, now: Instant) -> Self {
        let full_at = empty_at.map_or(now, |moment| moment + part.for_one * part.burst);
        Self {
            for_one: part.for_one,
            size: part.burst,
            full_at,
        }
    }

    /// The bucket of another part of the same budget. It keeps what is in this one, as far as that
    /// fits.
    pub(super) fn changed(&self, part: Part, now: Instant) -> Self {
        let missing = part.burst.saturating_sub(self.tokens(now));
        Self {
            for_one: part.for_one,
            size: part.burst,
            full_at: now + part.for_one * missing,
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
