//! Row versions, the ground of every "changed since you read it" answer.

/// How often a row was revised by people; starts at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(i64);

impl Version {
    /// The version of a new row.
    pub const FIRST: Self = Self(1);

    /// Wraps a stored number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number to store.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The version after one more revision.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Which version a caller believes he is changing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// He did not say.
    Any,
    /// One of these; an empty list matches nothing.
    OneOf(Vec<Version>),
}

impl Expected {
    /// Whether a row at `current` is what the caller believes it to be.
    #[must_use]
    pub fn admits(&self, current: Version) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&current),
        }
    }

    /// Whether the caller named a version, so that losing a race is his failed precondition.
    #[must_use]
    pub fn is_stated(&self) -> bool {
        matches!(self, Self::OneOf(_))
    }
}
