//! The errors that ports and values share. Use cases have their own small enums.

use std::error::Error as StdError;

/// Why a repository could not do its one step. Absence is never an error: it is `None`.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// A unique value is taken. The method's documentation says which.
    #[error("the value is already taken")]
    Conflict,
    /// The row changed since it was read, or is gone.
    #[error("the row was changed by somebody else")]
    Stale,
    /// The store cannot be reached or is overloaded; trying again later may help.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// The store answered something it never should.
    #[error("the store failed")]
    Internal(#[source] Box<dyn StdError + Send + Sync>),
}

/// What is wrong with one value, said without knowing where the value came from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Misfit {
    /// The broken rule in JSON Schema's words where it has one: `maxLength`, `pattern`, `enum`.
    pub code: &'static str,
    /// What is wrong and what would be right, for people.
    pub message: String,
}

impl Misfit {
    /// Builds a misfit.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// Says where in a document the value stands.
    #[must_use]
    pub fn at(self, path: impl Into<String>) -> Issue {
        Issue {
            path: path.into(),
            code: self.code.to_owned(),
            message: self.message,
        }
    }
}

/// One fault of an input, with its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Issue {
    /// JSON pointer to the faulty value, such as `/inputs/width`.
    pub path: String,
    /// The broken rule.
    pub code: String,
    /// What is wrong and what would be right, for people.
    pub message: String,
}

impl Issue {
    /// Moves the issue below `prefix`, for a document that is part of a larger one.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.path.insert_str(0, prefix);
        self
    }
}
