//! The clock port. Nothing in the domain reads the time by itself.

use time::OffsetDateTime;

/// A moment in UTC, kept to the microsecond, which is what PostgreSQL keeps.
pub type Timestamp = OffsetDateTime;

/// Tells the time. Tests hand in one that they can set.
pub trait Clock: Send + Sync {
    /// The current moment in UTC, without anything finer than a microsecond.
    fn now(&self) -> Timestamp;
}

/// Drops what is finer than a microsecond, so that a value equals itself after a round trip
/// through the database.
#[must_use]
pub fn to_microseconds(moment: Timestamp) -> Timestamp {
    let microsecond = moment.microsecond();
    moment.replace_microsecond(microsecond).unwrap_or(moment)
}
