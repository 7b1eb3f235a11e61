//! Whether the store can serve.

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::error::RepoError;

/// What a look at the store's schema found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// Exactly the schema this program was built for.
    Current,
    /// Older: these migrations are missing.
    Behind {
        /// Versions of the migrations to run, oldest first.
        missing: Vec<String>,
    },
    /// Newer: these migrations are not known to this program.
    Ahead {
        /// Versions this program does not know, oldest first.
        unknown: Vec<String>,
    },
}

/// Looks at the store on a connection that requests do not compete for.
#[async_trait]
pub trait StoreHealth: Send + Sync {
    /// Reaches the store and compares its schema with the one this program needs.
    async fn schema_state(&self) -> Result<SchemaState, RepoError>;

    /// The store's own time.
    async fn now(&self) -> Result<Timestamp, RepoError>;
}

/// Looks at a part that the process can do without.
pub trait PartHealth: Send + Sync {
    /// Whether it answered when it was last asked. It does not wait.
    fn is_answering(&self) -> bool;
}
