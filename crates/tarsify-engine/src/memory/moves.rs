//! What workers write, and what callbacks tell them. A write by a void lease changes nothing;
//! one that no worker should ever make is refused aloud.

use tarsify_domain::execution::{
    Advance, Attempt, Known, ProviderJobId, Settlement, Stage, Then, TokenHash, Written,
};
use tarsify_domain::id::ExecutionId;
use tarsify_domain::{RepoError, Timestamp};

use super::later;
use super::row::{End, Row};
use super::table::Table;

impl Table {
    pub(super) fn advance(
        &mut self,
        now: Timestamp,
        advance: &Advance,
    ) -> Result<Written, RepoError> {
        let Advance {
            lease,
            from,
            to,
            attempts,
            looks,
            progress,
            events,
            exchanges,
            told,
            then,
        } = advance;
        if from != to && (*to == Stage::Ended || !from.may_become(*to)) {
            return Err(never(format!(
                "no worker moves an execution from {} to {}",
                from.as_str(),
                to.as_str()
            )));
        }
        let id = lease.id;
        if !self
            .row(id)
            .is_some_and(|row| row.is_held(lease.epoch, *from))
        {
            return Ok(Written::Refused);
        }
        self.take_jobs(id, attempts)?;
        let written = self.change(id, |row| {
            row.stage = *to;
            if let Some(status) = to.status() {
                row.status = status;
            }
            if *to == Stage::Running {
                row.started_at.get_or_insert(now);
            }
            row.looks = *looks;
            if progress.is_some() {
                row.progress.clone_from(progress);
            }
            row.store_attempts(attempts);
            row.store_exchanges(now, exchanges);
            for event in events {
                row.tell(now, event.clone());
            }
            if told.is_some() && row.watched_until.is_some() {
                row.told.clone_from(told);
            }
            let is_due = row.rest(now, *then);
            Written::Applied { is_due }
        });
        Ok(written.unwrap_or(Written::Refused))
    }

    pub(super) fn settle(
        &mut self,
        now: Timestamp,
        settlement: &Settlement,
    ) -> Result<Written, RepoError> {
        let Settlement {
            lease,
            from,
            ending,
            reason,
            message,
            output,
            queue_ms,
            run_ms,
            attempts,
            exchanges,
            deltas,
            has_orphans,
        } = settlement;
        let id = lease.id;
        let row = self.row(id).filter(|_| *from != Stage::Ended);
        if !row.is_some_and(|row| row.is_held(lease.epoch, *from)) {
            return Ok(Written::Refused);
        }
        self.take_jobs(id, attempts)?;
        let written = self.change(id, |row| {
            row.store_attempts(attempts);
            row.store_exchanges(now, exchanges);
            let end = End {
                completed_at: Some(now),
                reason: *reason,
                message: message.clone(),
                output: output.clone(),
                queue_ms: *queue_ms,
                run_ms: *run_ms,
            };
            for delta in deltas.iter().flatten() {
                row.tell(now, delta.clone());
            }
            row.close(now, *ending, end);
            if *has_orphans {
                row.next_action_at = Some(now);
            }
            Written::Applied {
                is_due: row.next_action_at.is_some(),
            }
        });
        Ok(written.unwrap_or(Written::Refused))
    }

    pub(super) fn find_callback(&self, id: ExecutionId, token: &TokenHash) -> Option<Known> {
        let mut attempts = self.row(id)?.attempts.iter();
        let known = attempts.find(|tried| tried.token == *token)?;
        Some(Known {
            attempt: known.attempt.number,
            has_job: known.attempt.job.is_some(),
        })
    }

    pub(super) fn hint(
        &mut self,
        now: Timestamp,
        id: ExecutionId,
        attempt: u32,
        job: Option<&ProviderJobId>,
    ) {
        let Some(row) = self.row(id).filter(|row| row.stage != Stage::Ended) else {
            return;
        };
        let provider = row.model.endpoint.provider;
        let adopted = job.map(|job| (provider, job.clone()));
        let adopted =
            adopted.filter(|place| row.lacks_job(attempt) && !self.jobs.contains_key(place));
        if let Some(place) = &adopted {
            self.jobs.insert(place.clone(), id);
        }
        self.change(id, |row| {
            let mut attempts = row.attempts.iter_mut();
            let tried = attempts.find(|tried| tried.attempt.number == attempt);
            if let (Some(tried), Some((_, job))) = (tried, adopted) {
                tried.attempt.job = Some(job);
            }
            row.call_attention(now);
        });
    }

    /// Writes down whose the jobs of changed attempts are. A job has one attempt.
    fn take_jobs(&mut self, id: ExecutionId, changed: &[Attempt]) -> Result<(), RepoError> {
        let Some(row) = self.row(id) else {
            return Ok(());
        };
        let provider = row.model.endpoint.provider;
        let mut given_up = Vec::new();
        let mut taken = Vec::new();
        for attempt in changed {
            let mut attempts = row.attempts.iter();
            let stored = attempts.find(|tried| tried.attempt.number == attempt.number);
            let Some(stored) = stored else {
                let number = attempt.number;
                return Err(never(format!("attempt {number} was never recorded")));
            };
            let Some(job) = &attempt.job else { continue };
            if stored.attempt.job.as_ref() == Some(job) {
                continue;
            }
            let place = (provider, job.clone());
            if self.jobs.contains_key(&place) || taken.contains(&place) {
                return Err(RepoError::Conflict);
            }
            let before = stored.attempt.job.clone();
            given_up.extend(before.map(|job| (provider, job)));
            taken.push(place);
        }
        for place in given_up {
            self.jobs.remove(&place);
        }
        self.jobs.extend(taken.into_iter().map(|place| (place, id)));
        Ok(())
    }
}

impl Row {
    /// A lease that was given back writes no more. One that ran out still does, until somebody
    /// else takes over: a worker that is slow again and again would otherwise never get anywhere.
    fn is_held(&self, epoch: i64, stage: Stage) -> bool {
        self.lease_epoch == epoch && self.stage == stage && self.lease_until.is_some()
    }

    fn lacks_job(&self, attempt: u32) -> bool {
        let mut attempts = self.attempts.iter();
        attempts.any(|tried| tried.attempt.number == attempt && tried.attempt.job.is_none())
    }

    /// Gives the lease back and answers whether the execution wants attention at once.
    fn rest(&mut self, now: Timestamp, then: Then) -> bool {
        let is_woken = self.is_woken;
        self.release(now);
        self.next_action_at = match then {
            Then::After(_) if is_woken => Some(self.created_at),
            Then::After(wait) => Some(later(now, wait)),
            Then::Rest => None,
        };
        self.next_action_at.is_some_and(|due_at| due_at <= now)
    }
}

/// What only a fault in a worker can bring about.
fn never(what: String) -> RepoError {
    RepoError::Internal(what.into())
}
