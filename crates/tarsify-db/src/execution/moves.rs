//! The statement by which workers move executions on that have not ended.

use std::panic::Location;
use std::sync::Arc;

use serde_json::Value;
use tarsify_domain::RepoError;
use tarsify_domain::execution::{Advance, ExecutionStatus, Stage, Then};
use uuid::Uuid;

use super::attempts::storing;
use super::output::heard;
use super::write::{About, Asked, GIVEN_BACK, WrittenRow, answering, events, length};
use crate::statement::{Binds, Statement, microseconds};
use crate::together::Together;

/// A move, with the status that comes with its stage.
pub(super) struct Move {
    advance: Advance,
    /// None when the stage stays.
    status: Option<ExecutionStatus>,
    /// How far the output was told, as JSON.
    told: Option<Value>,
}

impl Move {
    /// Refuses one that no worker may make.
    pub(super) fn of(advance: &Advance) -> Result<Self, RepoError> {
        let told = advance.told.as_ref().map(serde_json::to_value).transpose();
        Ok(Self {
            status: status(advance.from, advance.to)?,
            told: told.map_err(|error| RepoError::Internal(error.into()))?,
            advance: advance.clone(),
        })
    }
}

/// The status that comes with the stage; none when the stage stays.
fn status(from: Stage, to: Stage) -> Result<Option<ExecutionStatus>, RepoError> {
    if from == to {
        return Ok(None);
    }
    let status = to.status().filter(|_| from.may_become(to));
    let status = status.ok_or_else(|| {
        let (from, to) = (from.as_str(), to.as_str());
        RepoError::Internal(format!("no worker may move an execution from {from} to {to}").into())
    })?;
    Ok(Some(status))
}

/// Moves of many executions.
pub(super) struct Moves;

impl Together for Moves {
    type Item = Move;
    type Answer = WrittenRow;

    const MADE_AT: &'static Location<'static> = Location::caller();

    fn key(item: &Move) -> Uuid {
        item.advance.lease.id.uuid()
    }

    fn statement(items: &[Arc<Move>]) -> Statement {
        let mut binds = Binds::default();
        let advances = items.iter().map(|item| &item.advance);
        let found = asked(items, &mut binds).found();
        let stored = storing("moved", items.iter().map(about), &mut binds);
        let heard = heard(items.iter().map(|item| item.told.as_ref()), &mut binds);
        let events = events(advances.map(|one| one.events.as_slice()), &mut binds);
        let answers = answering("moved", "w.next_action_at <= now()");
        let sql = format!(
            "WITH {found}, moved AS (\
                UPDATE executions e SET looks = f.looks, last_seq = e.last_seq + f.events, \
                    stage = coalesce(f.to_stage, e.stage), \
                    status = coalesce(f.to_status, e.status), \
                    started_at = CASE WHEN f.is_running \
                        THEN coalesce(e.started_at, now()) ELSE e.started_at END, \
                    progress = coalesce(f.progress, e.progress), \
                    next_action_at = CASE WHEN f.wait IS NULL THEN NULL \
                        WHEN e.wake THEN e.created_at \
                        ELSE now() + f.wait * interval '1 microsecond' END, \
                    {GIVEN_BACK} \
                FROM found f WHERE e.id = f.id \
                RETURNING e.id, e.last_seq, e.next_action_at, f.place, f.events\
             ), {stored}, {heard}told AS (\
                INSERT INTO execution_events (execution_id, seq, kind, data, at) \
                SELECT m.id, m.last_seq - m.events + n.number, n.kind, n.data, now() \
                FROM moved m JOIN {events} ON n.place = m.place\
             ) {answers}"
        );
        Statement::new(sql, binds)
    }
}

fn about(item: &Arc<Move>) -> About<'_> {
    let advance = &item.advance;
    About {
        lease: advance.lease,
        from: advance.from,
        attempts: &advance.attempts,
        exchanges: &advance.exchanges,
    }
}

fn asked(items: &[Arc<Move>], binds: &mut Binds) -> Asked {
    let advances = items.iter().map(|item| &item.advance);
    let asked = Asked::new(items.iter().map(about), binds);
    let looks = advances.clone().map(|one| i64::from(one.looks));
    let events = advances.clone().map(|one| length(&one.events));
    let moved = items.iter().map(|item| (item.status, item.advance.to));
    let stages = moved
        .clone()
        .map(|(status, to)| status.map(|_| to.as_str()));
    let statuses = moved.map(|(status, _)| status.map(ExecutionStatus::as_str));
    let running = advances.clone().map(|one| one.to == Stage::Running);
    let progress = advances.clone().map(|one| one.progress.clone());
    let waits = advances.map(|one| wait(one.then));
    asked
        .with("looks", binds.numbers(looks.collect()))
        .with("events", binds.numbers(events.collect()))
        .with("to_stage", binds.optional_texts(stages.collect()))
        .with("to_status", binds.optional_texts(statuses.collect()))
        .with("is_running", binds.flags(running.collect()))
        .with("progress", binds.optional_jsons(progress.collect()))
        .with("wait", binds.optional_numbers(waits.collect()))
}

/// After how many microseconds it wants attention again; never, when there are none.
fn wait(then: Then) -> Option<i64> {
    match then {
        Then::After(wait) => Some(microseconds(wait)),
        Then::Rest => None,
    }
}
