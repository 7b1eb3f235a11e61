//! A store whose health tests decide.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use tarsify_domain::health::{SchemaState, StoreHealth};
use tarsify_domain::{RepoError, Timestamp};

/// Answers what it was told to answer; at first, that all is well.
pub struct FakeHealth(Mutex<Option<SchemaState>>);

impl FakeHealth {
    /// A healthy store.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(Some(SchemaState::Current)))
    }

    /// The store can be reached and its schema is in this state.
    pub fn set(&self, schema: SchemaState) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(schema);
    }

    /// The store cannot be reached, until [`FakeHealth::set`].
    pub fn start_outage(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Default for FakeHealth {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl StoreHealth for FakeHealth {
    async fn schema_state(&self) -> Result<SchemaState, RepoError> {
        let state = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        state.ok_or_else(|| RepoError::Unavailable("a test put the store out of order".into()))
    }

    async fn now(&self) -> Result<Timestamp, RepoError> {
        self.schema_state().await.map(|_state| crate::clock::MOMENT)
    }
}
