//! The parts of workers' writes by which output is told while it is made. Writes about what nobody
//! watches hold none of them.

use serde_json::Value;
use tarsify_domain::RepoError;
use tarsify_domain::execution::{NewEvent, OutputTold};

use crate::statement::Binds;

/// The number of the one last event of an execution `e`.
pub(super) const NEXT: &str = "last_seq = e.last_seq + 1";

/// The common table expression, with its comma, that writes how far the output of an execution that
/// `moved` was told.
pub(super) fn heard(told: Option<&OutputTold>, binds: &mut Binds) -> Result<String, RepoError> {
    let Some(told) = told else {
        return Ok(String::new());
    };
    let told = serde_json::to_value(told).map_err(|error| RepoError::Internal(error.into()))?;
    Ok(format!(
        "heard AS (UPDATE watched_runs w SET told = {} FROM moved m WHERE w.execution_id = m.id), ",
        binds.json(told)
    ))
}

/// What is told before the last event.
pub(super) struct LastWords {
    /// What is set of the execution `e` for its events.
    pub(super) last_seq: String,
    /// The common table expressions, with their commas, that write what is told of an execution that
    /// `ended`, and forget who watched it.
    pub(super) last_words: String,
}

pub(super) fn last_words(deltas: Option<&[NewEvent]>, binds: &mut Binds) -> LastWords {
    let Some(deltas) = deltas else {
        return LastWords {
            last_seq: NEXT.to_owned(),
            last_words: String::new(),
        };
    };
    let kinds = binds.texts(deltas.iter().map(|event| event.kind.as_str()).collect());
    let data = deltas.iter().map(|event| Value::Object(event.data.clone()));
    let data = binds.jsons(data.collect());
    LastWords {
        last_seq: format!("{NEXT} + cardinality({kinds})"),
        last_words: format!(
            "last_words AS (\
                INSERT INTO execution_events (execution_id, seq, kind, data, at) \
                SELECT d.id, d.last_seq - 1 - cardinality({kinds}) + n.place, n.kind, n.data, now() \
                FROM ended d, unnest({kinds}, {data}) WITH ORDINALITY AS n (kind, data, place)\
             ), forgotten AS (\
                DELETE FROM watched_runs w USING ended d WHERE w.execution_id = d.id\
             ), "
        ),
    }
}
