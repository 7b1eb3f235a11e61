//! What the statements have in common by which workers write about executions that they leased, many
//! at once. Each write is guarded by lease and stage, and changes nothing when either is not what the
//! worker believes.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{Bool, Nullable};
use serde_json::Value;
use tarsify_domain::RepoError;
use tarsify_domain::execution::{Attempt, Exchange, Lease, NewEvent, Stage, Written};

use crate::statement::{AS_FOR_ONE, Binds};
use crate::stored;

/// The lease is over, and the worker has shown that it lives.
pub(super) const GIVEN_BACK: &str =
    "lease_until = NULL, wake = false, strikes = 0, touched_at = now()";

/// What a worker writes about, and by which right.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) lease: Lease,
    /// Where the execution has to be.
    pub(super) from: Stage,
    /// The attempts that changed.
    pub(super) attempts: &'a [Attempt],
    /// What was said to the provider.
    pub(super) exchanges: &'a [Exchange],
}

/// What is asked of each execution: columns with one value for each, in their order.
pub(super) struct Asked {
    names: Vec<&'static str>,
    values: Vec<String>,
}

impl Asked {
    /// By which right, and which attempts it is about.
    pub(super) fn new<'a>(of: impl Iterator<Item = About<'a>> + Clone, binds: &mut Binds) -> Self {
        let leases = of.clone().map(|about| about.lease);
        let stages = of.clone().map(|about| about.from.as_str());
        let recorded = of.map(|about| {
            let last = about.attempts.iter().map(|attempt| attempt.number).max();
            i64::from(last.unwrap_or_default())
        });
        let ids = binds.uuids(leases.clone().map(|lease| lease.id.uuid()).collect());
        Self {
            names: vec!["id", "epoch", "stage", "recorded"],
            values: vec![
                ids,
                binds.numbers(leases.map(|lease| lease.epoch).collect()),
                binds.texts(stages.collect()),
                binds.numbers(recorded.collect()),
            ],
        }
    }

    /// One more column.
    pub(super) fn with(mut self, name: &'static str, values: String) -> Self {
        self.names.push(name);
        self.values.push(values);
        self
    }

    /// The common table expressions `asked`, with the `place` of each, and `found`: those of them
    /// whose executions are as their workers believe, and locked now. Each is looked up by itself,
    /// which no statistics can mislead.
    pub(super) fn found(&self) -> String {
        let (names, values) = (self.names.join(", "), self.values.join(", "));
        format!(
            "asked AS MATERIALIZED (\
                SELECT * FROM unnest({values}) WITH ORDINALITY AS q ({names}, place) {AS_FOR_ONE}\
             ), found AS MATERIALIZED (\
                SELECT q.* FROM asked q CROSS JOIN LATERAL (\
                    SELECT e.id FROM executions e \
                    WHERE {BY_RIGHT} AND e.attempts >= q.recorded FOR NO KEY UPDATE\
                ) e\
             )"
        )
    }
}

/// An execution `e` is where the worker believes, and still his.
const BY_RIGHT: &str = "e.id = q.id AND e.lease_epoch = q.epoch AND e.stage = q.stage \
    AND e.lease_until IS NOT NULL";

/// What is answered to each of `asked`, when `written` holds those that took place.
pub(super) fn answering(written: &str, is_due: &str) -> String {
    format!(
        "SELECT w.id IS NOT NULL AS is_written, coalesce({is_due}, false) AS is_due, \
            CASE WHEN w.id IS NULL THEN EXISTS (\
                SELECT 1 FROM executions e WHERE {BY_RIGHT} AND e.attempts < q.recorded\
            ) END AS is_unrecorded \
         FROM asked q LEFT JOIN {written} w ON w.place = q.place ORDER BY q.place"
    )
}

/// Whether a guarded write took place, and what came of it.
#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct WrittenRow {
    #[diesel(sql_type = Bool)]
    is_written: bool,
    #[diesel(sql_type = Bool)]
    is_due: bool,
    /// Whether it may never take place; null when it did.
    #[diesel(sql_type = Nullable<Bool>)]
    is_unrecorded: Option<bool>,
}

/// What a write's row says.
pub(super) fn written(row: &WrittenRow) -> Result<Written, RepoError> {
    match row {
        WrittenRow {
            is_written: true,
            is_due,
            ..
        } => Ok(Written::Applied { is_due: *is_due }),
        WrittenRow {
            is_unrecorded: Some(true),
            ..
        } => stored::checked("attempts", Err("one was changed that was never recorded")),
        WrittenRow { .. } => Ok(Written::Refused),
    }
}

/// The events of each, in order, as a table `n` of `place`, `number`, `kind` and `data`.
pub(super) fn events<'a>(
    of: impl Iterator<Item = &'a [NewEvent]> + Clone,
    binds: &mut Binds,
) -> String {
    let all = (1_i64..)
        .zip(of)
        .flat_map(|(place, events)| (1_i64..).zip(events).map(move |one| (place, one)));
    let places = all.clone().map(|(place, _)| place);
    let numbers = all.clone().map(|(_, (number, _))| number);
    let kinds = all.clone().map(|(_, (_, event))| event.kind.as_str());
    let data = all.map(|(_, (_, event))| Value::Object(event.data.clone()));
    format!(
        "(SELECT * FROM unnest({}, {}, {}, {}) AS n (place, number, kind, data) {AS_FOR_ONE}) n",
        binds.numbers(places.collect()),
        binds.numbers(numbers.collect()),
        binds.texts(kinds.collect()),
        binds.jsons(data.collect()),
    )
}

/// How many these are.
pub(super) fn length(events: &[NewEvent]) -> i64 {
    i64::try_from(events.len()).unwrap_or(i64::MAX)
}
