//! The engines that work on the store: several may share one.

use std::collections::HashMap;

use async_trait::async_trait;
use tarsify_domain::execution::{Crew, PRESENCE};
use tarsify_domain::id::WorkerId;
use tarsify_domain::{RepoError, Timestamp};

use super::{MemoryStore, later};

/// When each was last here.
#[derive(Default)]
pub(super) struct Present(HashMap<WorkerId, Timestamp>);

impl Present {
    fn check_in(&mut self, now: Timestamp, worker: WorkerId) -> u32 {
        self.0.insert(worker, now);
        self.0.retain(|_, seen_at| later(*seen_at, PRESENCE) > now);
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }
}

#[async_trait]
impl Crew for MemoryStore {
    async fn check_in(&self, worker: WorkerId) -> Result<u32, RepoError> {
        let (mut table, now) = self.open();
        Ok(table.crew.check_in(now, worker))
    }

    async fn check_out(&self, worker: WorkerId) -> Result<(), RepoError> {
        self.table().crew.0.remove(&worker);
        Ok(())
    }
}
