//! Calling off, and asking for attention.

use std::time::Duration;

use tarsify_domain::execution::{AttemptState, CancelAnswer, EndReason, Ending, Found, Stage};
use tarsify_domain::id::ExecutionId;
use tarsify_domain::{Scope, Timestamp};

use super::later;
use super::row::{End, Row};
use super::table::Table;

impl Table {
    pub(super) fn request_cancel(
        &mut self,
        now: Timestamp,
        scope: Scope,
        id: ExecutionId,
    ) -> Found<CancelAnswer> {
        let Some(row) = self.row(id) else {
            return Found::Nowhere;
        };
        if !row.is_seen_by(scope) {
            return Found::Foreign;
        }
        let answer = self.change(id, |row| row.cancel(now));
        answer.map_or(Found::Nowhere, Found::Here)
    }

    pub(super) fn nudge(&mut self, now: Timestamp, id: ExecutionId, rest: Duration) -> bool {
        let nudged = self.change(id, |row| {
            let is_at_provider = !matches!(row.stage, Stage::Created | Stage::Ended);
            let is_rested = later(row.touched_at, rest) <= now;
            if is_at_provider && is_rested {
                row.call_attention(now);
            }
            is_at_provider && is_rested
        });
        nudged.unwrap_or(false)
    }

    pub(super) fn expedite(&mut self, now: Timestamp, id: ExecutionId) -> Option<bool> {
        self.change(id, |row| {
            if row.stage == Stage::Ended {
                return false;
            }
            row.strikes = u32::from(row.lease_until.is_some());
            row.call_attention(now);
            true
        })
    }
}

impl Row {
    fn cancel(&mut self, now: Timestamp) -> CancelAnswer {
        if self.stage == Stage::Ended {
            return CancelAnswer::TooLate(self.execution());
        }
        if self.stage == Stage::Created && !self.is_leased(now) {
            let reason = EndReason::CancelledByCaller;
            let end = End {
                reason: Some(reason),
                message: Some(reason.meaning().to_owned()),
                ..End::default()
            };
            self.cancel_requested_at.get_or_insert(now);
            self.leave_jobs();
            self.close(now, Ending::Cancelled, end);
            return CancelAnswer::Ended(self.execution());
        }
        if self.cancel_requested_at.is_none() {
            self.cancel_requested_at = Some(now);
            self.call_attention(now);
        }
        CancelAnswer::Requested(self.execution())
    }

    /// Jobs of earlier attempts that a callback told of are left to be called off.
    fn leave_jobs(&mut self) {
        for tried in &mut self.attempts {
            if tried.attempt.live_job().is_some() {
                tried.attempt.state = AttemptState::Orphaned;
            }
        }
    }
}
