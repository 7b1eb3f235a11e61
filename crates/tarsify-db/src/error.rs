//! What went wrong between us and PostgreSQL, sorted by what may be done about it. The caller
//! of a statement names what a constraint means; nothing becomes a `RepoError` by itself.

use std::error::Error as StdError;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use tarsify_domain::RepoError;

type Source = Box<dyn StdError + Send + Sync>;

/// Why a statement brought nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A unique constraint or index stood against it.
    Taken {
        /// Its name.
        constraint: String,
        /// What the server said.
        source: Source,
    },
    /// Something that refers to the row stood against it.
    Bound(Source),
    /// It surely had no effect, and may succeed when it is repeated.
    Undone(Source),
    /// The connection broke before there was an answer; whether it had an effect is unknown.
    Lost(Source),
    /// There was no connection to be had, or the server has too much to do.
    Unavailable(Source),
    /// Something that never should be.
    Unexpected(Source),
}

impl Failure {
    /// Sorts what a statement failed with.
    pub(crate) fn of_statement(error: DieselError, connection_is_broken: bool) -> Self {
        let DieselError::DatabaseError(kind, information) = &error else {
            return Self::Unexpected(error.into());
        };
        match kind {
            DatabaseErrorKind::UniqueViolation => Self::Taken {
                constraint: information.constraint_name().unwrap_or_default().to_owned(),
                source: error.into(),
            },
            DatabaseErrorKind::ForeignKeyViolation => Self::Bound(error.into()),
            DatabaseErrorKind::SerializationFailure => Self::Undone(error.into()),
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                Self::Lost(error.into())
            }
            DatabaseErrorKind::Unknown => match said(information.as_ref()) {
                Saying::Undone => Self::Undone(error.into()),
                Saying::Unavailable => Self::Unavailable(error.into()),
                Saying::Other if connection_is_broken => Self::Lost(error.into()),
                Saying::Other => Self::Unexpected(error.into()),
            },
            _ if connection_is_broken => Self::Lost(error.into()),
            _ => Self::Unexpected(error.into()),
        }
    }

    /// No connection could be had.
    pub(crate) fn without_connection(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }

    /// The same for another one who was part of the statement, when it befell all of them: whether it
    /// took place is unknown, or nobody would fare better by himself.
    pub(crate) fn of_another(&self) -> Option<Self> {
        match self {
            Self::Lost(source) => Some(Self::Lost(source.to_string().into())),
            Self::Unavailable(source) => Some(Self::Unavailable(source.to_string().into())),
            Self::Taken { .. } | Self::Bound(_) | Self::Undone(_) | Self::Unexpected(_) => None,
        }
    }

    /// For a statement that no unique constraint can stand against.
    pub(crate) fn into_repo(self) -> RepoError {
        self.or_conflict(&[])
    }

    /// For a statement whose documentation promises `Conflict` where one of `constraints`
    /// stands against it.
    pub(crate) fn or_conflict(self, constraints: &[&str]) -> RepoError {
        match self {
            Self::Taken { constraint, .. } if constraints.contains(&constraint.as_str()) => {
                RepoError::Conflict
            }
            Self::Taken { source, .. } | Self::Bound(source) | Self::Unexpected(source) => {
                RepoError::Internal(source)
            }
            Self::Undone(source) | Self::Lost(source) | Self::Unavailable(source) => {
                RepoError::Unavailable(source)
            }
        }
    }
}

enum Saying {
    Undone,
    Unavailable,
    Other,
}

/// diesel keeps the server's message but not its code, so these are told by how their message
/// begins. A server set to another language is still understood where it matters most: a
/// connection that it ends is known by being closed.
fn said(information: &dyn DatabaseErrorInformation) -> Saying {
    // 40P01, 55P03, 57P01 and 57P02 (the server ends the connection), 0A000 and 26000 (a
    // migration or a pooler has voided what was prepared)
    const UNDONE: [&str; 6] = [
        "deadlock detected",
        "canceling statement due to lock timeout",
        "could not obtain lock",
        "terminating connection",
        "cached plan must not change result type",
        "prepared statement \"",
    ];
    // 57014, 57P03, 53300, 53200, 53100
    const UNAVAILABLE: [&str; 8] = [
        "canceling statement due to",
        "the database system is",
        "sorry, too many clients already",
        "remaining connection slots are reserved",
        "out of memory",
        "out of shared memory",
        "could not extend file",
        "could not write to file",
    ];
    let message = information.message();
    let begins = |beginnings: &[&str]| beginnings.iter().any(|one| message.starts_with(one));
    if begins(&UNDONE) {
        Saying::Undone
    } else if begins(&UNAVAILABLE) {
        Saying::Unavailable
    } else {
        Saying::Other
    }
}

#[cfg(test)]
mod tests;
