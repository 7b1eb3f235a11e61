//! The parts of workers' writes by which output is told while it is made. Writes about what nobody
//! watches hold none of them.

use serde_json::Value;
use tarsify_domain::execution::NewEvent;

use super::write::events;
use crate::statement::{AS_FOR_ONE, Binds};

/// The number of the one last event of an execution `e`.
pub(super) const NEXT: &str = "last_seq = e.last_seq + 1";

/// The common table expression, with its comma, that writes how far the output of executions that
/// `moved` was told.
pub(super) fn heard<'a>(
    told: impl Iterator<Item = Option<&'a Value>>,
    binds: &mut Binds,
) -> String {
    let told = (1_i64..).zip(told);
    let told = told.filter_map(|(place, told)| Some((place, told?.clone())));
    let (places, values): (Vec<_>, Vec<_>) = told.unzip();
    if places.is_empty() {
        return String::new();
    }
    format!(
        "heard AS (\
            UPDATE watched_runs w SET told = n.told \
            FROM moved m JOIN (\
                SELECT * FROM unnest({}, {}) AS n (place, told) {AS_FOR_ONE}\
            ) n ON n.place = m.place \
            WHERE w.execution_id = m.id\
         ), ",
        binds.numbers(places),
        binds.jsons(values),
    )
}

/// What is told before the last event.
pub(super) struct LastWords {
    /// What is set of the execution `e` for its events.
    pub(super) last_seq: String,
    /// The common table expressions, with their commas, that write what is told of executions that
    /// `ended`, and forget who watched them.
    pub(super) last_words: String,
}

/// Those of executions `f` that somebody has watched have `deltas`.
pub(super) fn last_words<'a>(
    deltas: impl Iterator<Item = Option<&'a [NewEvent]>> + Clone,
    binds: &mut Binds,
) -> LastWords {
    if deltas.clone().all(|deltas| deltas.is_none()) {
        return LastWords {
            last_seq: NEXT.to_owned(),
            last_words: String::new(),
        };
    }
    let events = events(deltas.map(Option::unwrap_or_default), binds);
    LastWords {
        last_seq: format!("{NEXT} + coalesce(f.deltas, 0)"),
        last_words: format!(
            "last_words AS (\
                INSERT INTO execution_events (execution_id, seq, kind, data, at) \
                SELECT d.id, d.last_seq - 1 - d.deltas + n.number, n.kind, n.data, now() \
                FROM ended d JOIN {events} ON n.place = d.place\
             ), forgotten AS (\
                DELETE FROM watched_runs w USING ended d \
                WHERE w.execution_id = d.id AND d.deltas IS NOT NULL\
             ), "
        ),
    }
}
