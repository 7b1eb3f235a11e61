//! On whose behalf a row is read or written.

use crate::id::{ConsumerId, DeveloperId};

/// The tenant of a query. It comes first in every signature, so that reading across tenants
/// has to be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Only what belongs to this consumer.
    Consumer(ConsumerId),
    /// Only what belongs to this developer.
    Developer(DeveloperId),
    /// Everything: administrators, workers and commands.
    System,
}
