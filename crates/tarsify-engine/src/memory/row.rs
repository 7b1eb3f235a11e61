//! One stored execution, and the steps that are the same whoever takes them: leasing, waking,
//! telling, ending.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tarsify_domain::execution::{
    Attempt, EndReason, Ending, EventKind, Exchange, ExecutionStatus, Lease, Material, NewEvent,
    OutputTold, RunnableModel, Stage, TokenHash,
};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId};
use tarsify_domain::money::{Price, Share};
use tarsify_domain::{Timestamp, TraceParent};
use time::format_description::well_known::Rfc3339;

use super::keys::KeyName;
use super::schedule::Seat;
use super::{StoredEvent, later};

/// How many exchanges are kept of an attempt.
const EXCHANGES: usize = 20;

/// Whose an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Who {
    Consumer(ConsumerId),
    Developer(DeveloperId),
}

/// A stored attempt.
pub(super) struct Tried {
    pub(super) attempt: Attempt,
    pub(super) token: TokenHash,
    pub(super) exchanges: Vec<Value>,
}

/// A stored execution.
pub(super) struct Row {
    pub(super) id: ExecutionId,
    pub(super) who: Who,
    pub(super) model: Arc<RunnableModel>,
    pub(super) price: Price,
    /// What of the price the developer earns.
    pub(super) share: Share,
    pub(super) material: Material,
    pub(super) key: Option<Arc<KeyName>>,
    pub(super) created_at: Timestamp,
    pub(super) deadline_at: Timestamp,
    pub(super) rank: i64,
    pub(super) stage: Stage,
    pub(super) status: ExecutionStatus,
    pub(super) end: End,
    pub(super) started_at: Option<Timestamp>,
    pub(super) attempts: Vec<Tried>,
    pub(super) looks: u32,
    pub(super) strikes: u32,
    pub(super) progress: Option<Value>,
    pub(super) cancel_requested_at: Option<Timestamp>,
    pub(super) next_action_at: Option<Timestamp>,
    pub(super) lease_until: Option<Timestamp>,
    pub(super) lease_epoch: i64,
    /// Whether somebody made it due while it was leased.
    pub(super) is_woken: bool,
    /// When a worker last took it or wrote about it.
    pub(super) touched_at: Timestamp,
    pub(super) events: Vec<StoredEvent>,
    /// Until when somebody watches, once anybody did.
    pub(super) watched_until: Option<Timestamp>,
    /// How far the output was told.
    pub(super) told: Option<OutputTold>,
    /// What of a trace asked for it.
    pub(super) trace_parent: Option<TraceParent>,
}

/// What is known of an end; all of it absent until then.
#[derive(Default)]
pub(super) struct End {
    pub(super) completed_at: Option<Timestamp>,
    pub(super) reason: Option<EndReason>,
    pub(super) message: Option<String>,
    pub(super) output: Option<Value>,
    pub(super) queue_ms: Option<i64>,
    pub(super) run_ms: Option<i64>,
}

impl Row {
    pub(super) fn is_leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until > now)
    }

    /// Whether the execution has ended and nothing is left to be done about it.
    pub(super) fn is_finished(&self) -> bool {
        self.stage == Stage::Ended && self.next_action_at.is_none()
    }

    /// Whether it is one of the runs of its model, and not its developer's own.
    pub(super) const fn is_a_run(&self) -> bool {
        matches!(self.who, Who::Consumer(_))
    }

    pub(super) fn seat(&self) -> Seat {
        Seat {
            id: self.id,
            endpoint: self.model.endpoint.id,
            provider: self.model.endpoint.provider,
            who: self.who,
            rank: self.rank,
            is_created: self.stage == Stage::Created,
            due_at: self.next_action_at,
            lease_until: self.lease_until,
            deadline_at: (self.stage != Stage::Ended).then_some(self.deadline_at),
        }
    }

    /// Makes the execution due at once, before everything that is merely overdue; while it is
    /// leased, as soon as the lease is given back.
    pub(super) fn call_attention(&mut self, now: Timestamp) {
        if self.is_leased(now) {
            self.is_woken = true;
        } else {
            self.next_action_at = Some(self.created_at);
        }
    }

    pub(super) fn lease(&mut self, now: Timestamp, lease: Duration) -> Lease {
        self.lease_until = Some(later(now, lease));
        self.lease_epoch = self.lease_epoch.saturating_add(1);
        self.strikes = self.strikes.saturating_add(1);
        self.is_woken = false;
        self.touched_at = now;
        Lease {
            id: self.id,
            epoch: self.lease_epoch,
        }
    }

    pub(super) fn release(&mut self, now: Timestamp) {
        self.lease_until = None;
        self.is_woken = false;
        self.strikes = 0;
        self.touched_at = now;
    }

    pub(super) fn tell(&mut self, now: Timestamp, event: NewEvent) {
        let NewEvent { kind, data } = event;
        let last = self.events.last().map_or(0, |event| event.seq);
        self.events.push(StoredEvent {
            seq: last.saturating_add(1),
            kind,
            data,
            at: now,
            turn: None,
        });
    }

    /// Stores changed attempts. A job that a callback told meanwhile stays when the writer
    /// knows of none.
    pub(super) fn store_attempts(&mut self, changed: &[Attempt]) {
        for new in changed {
            let mut attempts = self.attempts.iter_mut();
            let stored = attempts.find(|tried| tried.attempt.number == new.number);
            let Some(stored) = stored else { continue };
            let Attempt {
                number: _,
                state,
                job,
                called_at: _,
                missing_since,
                unreadable,
            } = new;
            stored.attempt.state = *state;
            stored.attempt.missing_since = *missing_since;
            stored.attempt.unreadable = *unreadable;
            if job.is_some() {
                stored.attempt.job.clone_from(job);
            }
        }
    }

    pub(super) fn store_exchanges(&mut self, now: Timestamp, exchanges: &[Exchange]) {
        for exchange in exchanges {
            let mut attempts = self.attempts.iter_mut();
            let stored = attempts.find(|tried| tried.attempt.number == exchange.attempt);
            let Some(stored) = stored else { continue };
            stored.exchanges.push(told(now, exchange));
            let surplus = stored.exchanges.len().saturating_sub(EXCHANGES);
            stored.exchanges.drain(..surplus);
        }
    }

    /// Ends the execution. Jobs that are left make it due once more.
    pub(super) fn close(&mut self, now: Timestamp, ending: Ending, end: End) {
        self.release(now);
        self.stage = Stage::Ended;
        self.status = ending.into();
        self.end = End {
            completed_at: Some(now),
            ..end
        };
        self.looks = 0;
        (self.watched_until, self.told) = (None, None);
        let mut attempts = self.attempts.iter();
        let has_orphans = attempts.any(|tried| tried.attempt.live_job().is_some());
        self.next_action_at = has_orphans.then_some(now);
        let kind = match ending {
            Ending::Completed => EventKind::Completed,
            Ending::Failed => EventKind::Failed,
            Ending::TimedOut => EventKind::TimedOut,
            Ending::Cancelled => EventKind::Cancelled,
        };
        self.tell(now, NewEvent::plain(kind));
    }
}

fn told(now: Timestamp, exchange: &Exchange) -> Value {
    let Exchange {
        attempt: _,
        operation,
        http_status,
        took,
        said,
    } = exchange;
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let entries = [
        ("at", now.format(&Rfc3339).unwrap_or_default().into()),
        ("operation", operation.as_str().into()),
        ("httpStatus", (*http_status).into()),
        ("tookMs", milliseconds.into()),
        ("said", said.as_str().into()),
    ];
    let entries = entries.map(|(name, value): (_, Value)| (name.to_owned(), value));
    Value::Object(Map::from_iter(entries))
}
