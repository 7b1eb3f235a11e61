//! The statements by which a worker writes about an execution that it leased. Each is guarded by
//! lease and stage and changes nothing when either is not what the worker believes.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{Bool, Nullable};
use serde_json::Value;
use tarsify_domain::RepoError;
use tarsify_domain::code::ErrorCode;
use tarsify_domain::execution::{
    Advance, Attempt, EndReason, Ending, EventKind, ExecutionStatus, Lease, Settlement, Stage,
    Then, Written,
};

use super::attempts::{storing, storing_last};
use super::output::{self, LastWords};
use crate::statement::{Binds, Statement, without_nul};

/// The statement for a move; refuses one that no worker may make.
pub(super) fn advancing(advance: &Advance) -> Result<Statement, RepoError> {
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
    let status = status(*from, *to)?;
    let mut binds = Binds::default();
    let kinds = binds.texts(events.iter().map(|event| event.kind.as_str()).collect());
    let mut set = vec![
        format!("looks = {}", binds.number(i64::from(*looks))),
        format!("last_seq = e.last_seq + cardinality({kinds})"),
    ];
    if let Some(status) = status {
        set.push(format!("stage = {}", binds.text(to.as_str())));
        set.push(format!("status = {}", binds.text(status.as_str())));
    }
    if *to == Stage::Running {
        set.push("started_at = coalesce(e.started_at, now())".to_owned());
    }
    if let Some(progress) = progress {
        set.push(format!("progress = {}", binds.json(progress.clone())));
    }
    set.push(match then {
        Then::After(wait) => format!(
            "next_action_at = CASE WHEN e.wake THEN e.created_at ELSE now() + {} END",
            binds.span(*wait)
        ),
        Then::Rest => "next_action_at = NULL".to_owned(),
    });
    let data = events.iter().map(|event| Value::Object(event.data.clone()));
    let data = binds.jsons(data.collect());
    let stored = storing("moved", attempts, exchanges, &mut binds);
    let guard = guard(*lease, *from, &mut binds);
    let recorded = recorded(attempts, &mut binds);
    let set = set.join(", ");
    let heard = output::heard(told.as_ref(), &mut binds)?;
    let sql = format!(
        "WITH moved AS (\
            UPDATE executions e SET {set}, {GIVEN_BACK} WHERE {guard} AND {recorded} \
            RETURNING e.id, e.last_seq, e.next_action_at\
         ), {stored}, {heard}told AS (\
            INSERT INTO execution_events (execution_id, seq, kind, data, at) \
            SELECT m.id, m.last_seq - cardinality({kinds}) + n.place, n.kind, n.data, now() \
            FROM moved m, unnest({kinds}, {data}) WITH ORDINALITY AS n (kind, data, place)\
         ) \
         SELECT coalesce(next_action_at <= now(), false) AS is_due FROM moved \
         UNION ALL SELECT NULL FROM executions e WHERE {guard} AND NOT {recorded}"
    );
    Ok(Statement::new(sql, binds))
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

/// The lease is over, and the worker has shown that it lives.
const GIVEN_BACK: &str = "lease_until = NULL, wake = false, strikes = 0, touched_at = now()";

fn guard(lease: Lease, from: Stage, binds: &mut Binds) -> String {
    format!(
        "e.id = {} AND e.lease_epoch = {} AND e.stage = {} AND e.lease_until IS NOT NULL",
        binds.uuid(lease.id.uuid()),
        binds.number(lease.epoch),
        binds.text(from.as_str()),
    )
}

/// Whether claims have recorded all of these attempts of the execution `e`.
fn recorded(attempts: &[Attempt], binds: &mut Binds) -> String {
    let last = attempts.iter().map(|attempt| attempt.number).max();
    let last = binds.number(i64::from(last.unwrap_or_default()));
    format!("e.attempts >= {last}")
}

/// The statement for the end of what has not ended.
pub(super) fn settling(settlement: &Settlement) -> Statement {
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
    let mut binds = Binds::default();
    let guard = guard(*lease, *from, &mut binds);
    let recorded = recorded(attempts, &mut binds);
    let stored = storing_last("found", attempts, exchanges, &mut binds);
    let how = ended(*ending, *reason, message.as_deref(), &mut binds);
    let LastWords {
        last_seq,
        last_words,
    } = output::last_words(deltas.as_deref(), &mut binds);
    let sql = format!(
        "WITH found AS MATERIALIZED (\
            SELECT e.id FROM executions e WHERE {guard} AND {recorded} \
            FOR NO KEY UPDATE\
         ), {stored}, ended AS (\
            UPDATE executions e SET {how}, {last_seq}, output = {output}, \
                queue_time_ms = {queue_ms}, \
                execution_time_ms = {run_ms}, \
                next_action_at = CASE WHEN {has_orphans} OR (SELECT are_left FROM loose) \
                    THEN now() END \
            FROM found f WHERE e.id = f.id \
            RETURNING e.*\
         ), {last_words}{told}, {RESOLVED} \
         SELECT next_action_at IS NOT NULL AS is_due FROM ended \
         UNION ALL SELECT NULL FROM executions e WHERE {guard} AND NOT {recorded}",
        output = binds.optional_json(output.clone()),
        queue_ms = binds.optional_number(*queue_ms),
        run_ms = binds.optional_number(*run_ms),
        has_orphans = binds.flag(*has_orphans),
        told = telling_end(*ending, &mut binds),
    );
    Statement::new(sql, binds)
}

/// The common table expressions that resolve the hold of a run that `ended`, and leave its sums to
/// be added to those of its model and consumer.
pub(super) const RESOLVED: &str = "resolved AS MATERIALIZED (\
        SELECT e.*, CASE WHEN price_credits > 0 \
            THEN resolve_hold(id, status = 'COMPLETED') ELSE 0 END AS earned \
        FROM ended e WHERE kind = 'RUN'\
     ), untallied AS (\
        INSERT INTO untallied \
            (tars_model_id, developer_id, consumer_id, day, status, gross, earned, took_ms) \
        SELECT tars_model_id, developer_id, consumer_id, \
            (completed_at AT TIME ZONE 'UTC')::date, status, charged_credits * 1000, earned, \
            execution_time_ms \
        FROM resolved\
     )";

/// What is set of an execution `e` that ends, whoever ends it, besides the number of its last event.
/// What was not given back is void.
pub(super) fn ended(
    ending: Ending,
    reason: Option<EndReason>,
    message: Option<&str>,
    binds: &mut Binds,
) -> String {
    let code = reason.and_then(EndReason::error_code);
    let message = message.map(without_nul);
    let charged = match ending {
        Ending::Completed => "e.price_credits",
        Ending::Failed | Ending::TimedOut | Ending::Cancelled => "0",
    };
    format!(
        "stage = 'ended', status = {}, charged_credits = {charged}, reason = {}, error_code = {}, \
         error_message = {}, \
         completed_at = now(), looks = 0, {GIVEN_BACK}",
        binds.text(ending.as_str()),
        binds.optional_text(reason.map(EndReason::as_str)),
        binds.optional_text(code.map(ErrorCode::as_str)),
        binds.optional_text(message.as_deref()),
    )
}

/// The common table expression that writes the last event of an execution that `ended`.
pub(super) fn telling_end(ending: Ending, binds: &mut Binds) -> String {
    let kind = match ending {
        Ending::Completed => EventKind::Completed,
        Ending::Failed => EventKind::Failed,
        Ending::TimedOut => EventKind::TimedOut,
        Ending::Cancelled => EventKind::Cancelled,
    };
    format!(
        "told AS (\
            INSERT INTO execution_events (execution_id, seq, kind, data, at) \
            SELECT id, last_seq, {}, '{{}}', now() FROM ended\
         )",
        binds.text(kind.as_str())
    )
}

/// Whether a guarded write took place, and what came of it.
#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct WrittenRow {
    /// Null when it may never take place.
    #[diesel(sql_type = Nullable<Bool>)]
    is_due: Option<bool>,
}

/// What a write's rows say.
pub(super) fn written(rows: Vec<WrittenRow>) -> Result<Written, RepoError> {
    match rows.into_iter().next() {
        None => Ok(Written::Refused),
        Some(WrittenRow { is_due: None }) => Err(RepoError::Internal(
            "an attempt was changed that was never recorded".into(),
        )),
        Some(WrittenRow {
            is_due: Some(is_due),
        }) => Ok(Written::Applied { is_due }),
    }
}
