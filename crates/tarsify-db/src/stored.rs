//! From stored values to the domain's. A stored value that the domain refuses is a fault of
//! the store and never passed on.

use std::fmt;

use tarsify_domain::{Misfit, RepoError};

/// A stored value that should not be there.
#[derive(Debug, thiserror::Error)]
#[error("the stored {column} is not acceptable: {reason}")]
struct Unreadable {
    column: &'static str,
    reason: String,
}

fn unreadable(column: &'static str, reason: impl fmt::Display) -> RepoError {
    RepoError::Internal(Box::new(Unreadable {
        column,
        reason: reason.to_string(),
    }))
}

/// Has the domain read a stored value.
pub(crate) fn parsed<T>(
    column: &'static str,
    value: &str,
    parse: impl FnOnce(&str) -> Result<T, Misfit>,
) -> Result<T, RepoError> {
    parse(value).map_err(|misfit| unreadable(column, misfit))
}

/// Has the domain read a stored value that may be absent.
pub(crate) fn parsed_optional<T>(
    column: &'static str,
    value: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, Misfit>,
) -> Result<Option<T>, RepoError> {
    value.map(|value| parsed(column, value, parse)).transpose()
}

/// Has the domain check a stored value of another kind than text.
pub(crate) fn checked<T>(
    column: &'static str,
    result: Result<T, impl fmt::Display>,
) -> Result<T, RepoError> {
    result.map_err(|reason| unreadable(column, reason))
}

/// A stored count, which is never negative.
pub(crate) fn count(column: &'static str, value: i64) -> Result<u64, RepoError> {
    checked(column, u64::try_from(value))
}

/// The only row that a guarded write changed; none means that its guard did not hold.
pub(crate) fn changed<R>(rows: Vec<R>) -> Result<R, RepoError> {
    rows.into_iter().next().ok_or(RepoError::Stale)
}

/// The only row that a statement which always answers has answered.
pub(crate) fn answered<R>(rows: Vec<R>) -> Result<R, RepoError> {
    rows.into_iter()
        .next()
        .ok_or_else(|| RepoError::Internal("the statement answered no row".into()))
}
