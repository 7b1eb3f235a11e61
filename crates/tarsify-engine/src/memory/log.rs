//! The log of all events: each is a turn of its own, and settled at once.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::execution::{
    EventLog, Found, History, LogPage, LogPlace, LoggedEvent, Stage, TokenHash,
};
use tarsify_domain::id::ExecutionId;
use tarsify_domain::{RepoError, Scope, Timestamp};

use super::row::{Row, Who};
use super::table::Table;
use super::{MemoryStore, StoredEvent, later};

/// Whose event a turn was, and its number there.
#[derive(Default)]
pub(super) struct Turns {
    events: BTreeMap<u64, (ExecutionId, i64)>,
    next: u64,
}

impl Turns {
    /// Notes the events that a row has and that were not noted yet, and tells the row.
    pub(super) fn note(&mut self, row: &mut Row) {
        let fresh = row.events.iter_mut().filter(|event| event.turn.is_none());
        for event in fresh {
            event.turn = Some(self.next);
            self.events.insert(self.next, (row.id, event.seq));
            self.next = self.next.saturating_add(1);
        }
    }

    pub(super) fn forget(&mut self, row: &Row) {
        for turn in row.events.iter().filter_map(|event| event.turn) {
            self.events.remove(&turn);
        }
    }
}

impl Row {
    fn logged(&self, event: &StoredEvent) -> LoggedEvent {
        let (consumer, tester) = match self.who {
            Who::Consumer(id) => (Some(id), None),
            Who::Developer(id) => (None, Some(id)),
        };
        LoggedEvent {
            place: LogPlace {
                turn: event.turn.unwrap_or_default(),
                execution: self.id,
                seq: event.seq,
            },
            kind: event.kind,
            data: event.data.clone(),
            at: event.at,
            consumer,
            tester,
        }
    }
}

impl Table {
    fn logged_from(&self, turn: u64) -> impl Iterator<Item = LoggedEvent> {
        self.turns
            .events
            .range(turn..)
            .filter_map(|(_, (id, seq))| {
                let row = self.row(*id)?;
                let event = row.events.iter().find(|event| event.seq == *seq)?;
                Some(row.logged(event))
            })
    }
}

#[async_trait]
impl EventLog for MemoryStore {
    async fn settled(&self) -> Result<u64, RepoError> {
        Ok(self.table().turns.next)
    }

    async fn read_log(&self, after: LogPlace, limit: u32) -> Result<LogPage, RepoError> {
        let table = self.table();
        let many = usize::try_from(limit).unwrap_or(usize::MAX);
        let events = table.logged_from(after.turn);
        let events = events.filter(|event| event.place > after);
        Ok(LogPage {
            events: events.take(many).collect(),
            settled: table.turns.next,
        })
    }

    async fn read_history(
        &self,
        scope: Scope,
        id: ExecutionId,
        after: i64,
        limit: u32,
    ) -> Result<Found<History>, RepoError> {
        let table = self.table();
        let many = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(match table.row(id) {
            None => Found::Nowhere,
            Some(row) if !row.is_seen_by(scope) => Found::Foreign,
            Some(row) => {
                let events = row.events.iter().filter(|event| event.seq > after);
                Found::Here(History {
                    events: events.take(many).map(|event| row.logged(event)).collect(),
                    last: row.events.last().map_or(0, |event| event.seq),
                    has_ended: row.stage == Stage::Ended,
                    streams_output: row.model.base_model.streams_output,
                })
            }
        })
    }

    async fn replay_log(
        &self,
        scope: Scope,
        after: LogPlace,
        limit: u32,
    ) -> Result<Option<Vec<LoggedEvent>>, RepoError> {
        let table = self.table();
        let many = usize::try_from(limit).unwrap_or(usize::MAX);
        let known = table.logged_from(after.turn).next();
        let is_known = if after.is_between() {
            after.turn <= table.turns.next
        } else {
            known.is_some_and(|event| event.place == after && event.is_seen_by(scope))
        };
        if !is_known {
            return Ok(None);
        }
        let events = table.logged_from(after.turn);
        let events = events.filter(|event| event.place > after && event.is_seen_by(scope));
        Ok(Some(events.take(many).collect()))
    }

    async fn watch(&self, ids: &[ExecutionId], life: Duration) -> Result<(), RepoError> {
        let (mut table, now) = self.open();
        for id in ids {
            table.change(*id, |row| {
                if row.stage != Stage::Ended && row.model.base_model.streams_output {
                    row.watched_until = Some(later(now, life));
                }
            });
        }
        Ok(())
    }

    async fn keep_token(
        &self,
        token: &TokenHash,
        id: ExecutionId,
        life: Duration,
    ) -> Result<(), RepoError> {
        let (mut table, now) = self.open();
        table.stream_tokens.retain(|_, (_, until)| *until >= now);
        let kept = (id, later(now, life));
        table.stream_tokens.insert(*token, kept);
        Ok(())
    }

    async fn spend_token(&self, token: &TokenHash, id: ExecutionId) -> Result<bool, RepoError> {
        let (mut table, now) = self.open();
        let is_good = |(of, until): &(ExecutionId, Timestamp)| *of == id && *until >= now;
        if !table.stream_tokens.get(token).is_some_and(is_good) {
            return Ok(false);
        }
        table.stream_tokens.remove(token);
        Ok(true)
    }
}
