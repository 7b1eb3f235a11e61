//! The statement by which workers end executions.

use std::panic::Location;
use std::sync::Arc;

use serde_json::Value;
use tarsify_domain::code::ErrorCode;
use tarsify_domain::execution::{EndReason, Ending, Settlement};
use uuid::Uuid;

use super::attempts::storing_last;
use super::output::{LastWords, last_words};
use super::write::{About, Asked, GIVEN_BACK, WrittenRow, answering, length};
use crate::statement::{Binds, Statement, without_nul};
use crate::together::Together;

/// Larger results are written alone, so that many of them are not in memory at once.
const LARGE: usize = 64 * 1024;

/// An end, with its result as text.
pub(super) struct End {
    /// Without the result.
    settlement: Settlement,
    output: Option<String>,
}

impl End {
    pub(super) fn of(settlement: &Settlement) -> Self {
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
        Self {
            output: output.as_ref().map(Value::to_string),
            settlement: Settlement {
                lease: *lease,
                from: *from,
                ending: *ending,
                reason: *reason,
                message: message.as_deref().map(without_nul),
                output: None,
                queue_ms: *queue_ms,
                run_ms: *run_ms,
                attempts: attempts.clone(),
                exchanges: exchanges.clone(),
                deltas: deltas.clone(),
                has_orphans: *has_orphans,
            },
        }
    }

    /// Whether it may go with others. What gives money back waits for whoever takes it back at the
    /// same time, which nobody else should have to wait for.
    pub(super) fn is_sociable(&self) -> bool {
        let is_large = |output: &String| output.len() > LARGE;
        self.settlement.ending == Ending::Completed && !self.output.as_ref().is_some_and(is_large)
    }
}

/// Ends of many executions.
pub(super) struct Ends;

impl Together for Ends {
    type Item = End;
    type Answer = WrittenRow;

    const MADE_AT: &'static Location<'static> = Location::caller();

    fn key(item: &End) -> Uuid {
        item.settlement.lease.id.uuid()
    }

    fn statement(items: &[Arc<End>]) -> Statement {
        let mut binds = Binds::default();
        let ends = items.iter().map(|item| &item.settlement);
        let found = asked(items, &mut binds).found();
        let stored = storing_last("found", items.iter().map(about), &mut binds);
        let LastWords {
            last_seq,
            last_words,
        } = last_words(ends.map(|one| one.deltas.as_deref()), &mut binds);
        let how = ended(&How {
            status: "f.status",
            reason: "f.reason",
            error_code: "f.error_code",
            error_message: "f.error_message",
        });
        let answers = answering("ended", "w.next_action_at IS NOT NULL");
        let sql = format!(
            "WITH {found}, {stored}, ended AS (\
                UPDATE executions e SET {how}, {last_seq}, output = f.output::json, \
                    queue_time_ms = f.queue_ms, execution_time_ms = f.run_ms, \
                    next_action_at = CASE WHEN f.has_orphans \
                        OR EXISTS (SELECT 1 FROM loose l WHERE l.execution_id = e.id) THEN now() END \
                FROM found f WHERE e.id = f.id \
                RETURNING e.*, f.place, f.deltas\
             ), {last_words}{TOLD}, captured AS MATERIALIZED (\
                SELECT c.of_execution, c.earned FROM capture_holds(ARRAY(\
                    SELECT id FROM ended \
                    WHERE kind = 'RUN' AND price_credits > 0 AND status = 'COMPLETED'\
                )) c\
             ), resolved AS MATERIALIZED (\
                SELECT e.*, CASE WHEN e.price_credits = 0 THEN 0 \
                    WHEN e.status = 'COMPLETED' THEN c.earned \
                    ELSE release_hold(e.id) END AS earned \
                FROM ended e LEFT JOIN captured c ON c.of_execution = e.id WHERE e.kind = 'RUN'\
             ), {UNTALLIED} {answers}"
        );
        Statement::new(sql, binds)
    }
}

fn about(item: &Arc<End>) -> About<'_> {
    let settlement = &item.settlement;
    About {
        lease: settlement.lease,
        from: settlement.from,
        attempts: &settlement.attempts,
        exchanges: &settlement.exchanges,
    }
}

fn asked(items: &[Arc<End>], binds: &mut Binds) -> Asked {
    let ends = items.iter().map(|item| &item.settlement);
    let asked = Asked::new(items.iter().map(about), binds);
    let statuses = ends.clone().map(|one| one.ending.as_str());
    let reasons = ends.clone().map(|one| one.reason.map(EndReason::as_str));
    let codes = ends.clone().map(|one| error_code(one.reason));
    let messages = ends.clone().map(|one| one.message.as_deref());
    let outputs = items.iter().map(|item| item.output.as_deref());
    let queued = ends.clone().map(|one| one.queue_ms);
    let took = ends.clone().map(|one| one.run_ms);
    let orphans = ends.clone().map(|one| one.has_orphans);
    let deltas = ends.map(|one| one.deltas.as_deref().map(length));
    asked
        .with("status", binds.texts(statuses.collect()))
        .with("reason", binds.optional_texts(reasons.collect()))
        .with("error_code", binds.optional_texts(codes.collect()))
        .with("error_message", binds.optional_texts(messages.collect()))
        .with("output", binds.optional_texts(outputs.collect()))
        .with("queue_ms", binds.optional_numbers(queued.collect()))
        .with("run_ms", binds.optional_numbers(took.collect()))
        .with("has_orphans", binds.flags(orphans.collect()))
        .with("deltas", binds.optional_numbers(deltas.collect()))
}

/// What callers are told by.
pub(super) fn error_code(reason: Option<EndReason>) -> Option<&'static str> {
    reason
        .and_then(EndReason::error_code)
        .map(ErrorCode::as_str)
}

/// How an execution ends: the SQL of each.
pub(super) struct How<'a> {
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) error_code: &'a str,
    pub(super) error_message: &'a str,
}

/// What is set of an execution `e` that ends, whoever ends it, besides the number of its last event.
/// What was not given back is void.
pub(super) fn ended(how: &How<'_>) -> String {
    let How {
        status,
        reason,
        error_code,
        error_message,
    } = how;
    format!(
        "stage = 'ended', status = {status}, \
         charged_credits = CASE WHEN {status} = 'COMPLETED' THEN e.price_credits ELSE 0 END, \
         reason = {reason}, error_code = {error_code}, error_message = {error_message}, \
         completed_at = now(), looks = 0, {GIVEN_BACK}"
    )
}

/// The common table expression that writes the last events of executions that `ended`.
pub(super) const TOLD: &str = "told AS (\
        INSERT INTO execution_events (execution_id, seq, kind, data, at) \
        SELECT id, last_seq, lower(status), '{}', now() FROM ended\
     )";

/// The common table expression that leaves the sums of runs that were `resolved` to be added to those
/// of their models and consumers.
pub(super) const UNTALLIED: &str = "untallied AS (\
        INSERT INTO untallied \
            (tars_model_id, developer_id, consumer_id, day, status, gross, earned, took_ms) \
        SELECT tars_model_id, developer_id, consumer_id, \
            (completed_at AT TIME ZONE 'UTC')::date, status, charged_credits * 1000, earned, \
            execution_time_ms \
        FROM resolved\
     )";
