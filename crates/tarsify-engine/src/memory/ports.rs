//! The ports that the store implements: each method takes the one lock, does its one step and
//! lets go.

use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::execution::{
    AdmitError, Admitted, Advance, CancelAnswer, Claim, Claimed, Execution, ExecutionFilter,
    ExecutionQueue, ExecutionReport, ExecutionRepository, ExecutionSummary, Found, Known, Material,
    NewExecution, Outlook, ProviderJobId, RunnableModel, RunnableModels, Settlement, TokenHash,
    Written,
};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, TarsModelId};
use tarsify_domain::idempotency::{Begun, IdempotencyClaim, IdempotencyRepository, StoredAnswer};
use tarsify_domain::text::Slug;
use tarsify_domain::{Credits, Page, PageRequest, RepoError, Scope};

use super::MemoryStore;

#[async_trait]
impl RunnableModels for MemoryStore {
    async fn find_by_slug(&self, slug: &Slug) -> Result<Option<RunnableModel>, RepoError> {
        Ok(self.table().model_called(slug).cloned())
    }

    async fn find_own(
        &self,
        developer: DeveloperId,
        id: TarsModelId,
    ) -> Result<Option<RunnableModel>, RepoError> {
        let table = self.table();
        let model = table.model(id);
        Ok(model.filter(|its| its.developer_id == developer).cloned())
    }
}

#[async_trait]
impl ExecutionRepository for MemoryStore {
    async fn find(&self, scope: Scope, id: ExecutionId) -> Result<Found<Execution>, RepoError> {
        let table = self.table();
        Ok(match table.row(id) {
            None => Found::Nowhere,
            Some(row) if row.is_seen_by(scope) => Found::Here(row.execution()),
            Some(_) => Found::Foreign,
        })
    }

    async fn list(
        &self,
        scope: Scope,
        filter: &ExecutionFilter,
        page: &PageRequest,
    ) -> Result<Page<ExecutionSummary>, RepoError> {
        Ok(self.table().list(scope, filter, page))
    }

    async fn admit(&self, new: &NewExecution) -> Result<Admitted, AdmitError> {
        let (mut table, now) = self.open();
        table.admit(now, new)
    }

    async fn find_replay(&self, claim: &IdempotencyClaim) -> Result<Option<Admitted>, AdmitError> {
        self.table().find_replay(claim)
    }

    async fn find_funds(&self, consumer: ConsumerId) -> Result<Credits, RepoError> {
        Ok(self.wallet(consumer).available.credits())
    }

    async fn request_cancel(
        &self,
        scope: Scope,
        id: ExecutionId,
    ) -> Result<Found<CancelAnswer>, RepoError> {
        let (mut table, now) = self.open();
        Ok(table.request_cancel(now, scope, id))
    }

    async fn nudge(&self, id: ExecutionId, rest: Duration) -> Result<bool, RepoError> {
        let (mut table, now) = self.open();
        Ok(table.nudge(now, id, rest))
    }

    async fn find_report(&self, id: ExecutionId) -> Result<Option<ExecutionReport>, RepoError> {
        Ok(self.table().row(id).map(super::row::Row::report))
    }

    async fn find_outlook(&self, id: ExecutionId) -> Result<Option<Outlook>, RepoError> {
        let (table, now) = self.open();
        Ok(table.outlook(now, id))
    }

    async fn expedite(&self, id: ExecutionId) -> Result<Option<bool>, RepoError> {
        let (mut table, now) = self.open();
        Ok(table.expedite(now, id))
    }
}

#[async_trait]
impl ExecutionQueue for MemoryStore {
    async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>, RepoError> {
        let (mut table, now) = self.open();
        Ok(table.claim(now, claim))
    }

    async fn find_material(&self, id: ExecutionId) -> Result<Option<Material>, RepoError> {
        Ok(self.table().row(id).map(|row| row.material.clone()))
    }

    async fn advance(&self, advance: &Advance) -> Result<Written, RepoError> {
        let (mut table, now) = self.open();
        table.advance(now, advance)
    }

    async fn settle(&self, settlement: &Settlement) -> Result<Written, RepoError> {
        let (mut table, now) = self.open();
        table.settle(now, settlement)
    }

    async fn find_callback(
        &self,
        id: ExecutionId,
        token: &TokenHash,
    ) -> Result<Option<Known>, RepoError> {
        Ok(self.table().find_callback(id, token))
    }

    async fn hint(
        &self,
        id: ExecutionId,
        attempt: u32,
        job: Option<&ProviderJobId>,
    ) -> Result<(), RepoError> {
        let (mut table, now) = self.open();
        table.hint(now, id, attempt, job);
        Ok(())
    }

    async fn tally(&self, limit: u32) -> Result<u64, RepoError> {
        Ok(self.table().tally(limit))
    }
}

#[async_trait]
impl IdempotencyRepository for MemoryStore {
    async fn begin(
        &self,
        claim: &IdempotencyClaim,
        patience: Duration,
    ) -> Result<Begun, RepoError> {
        let (mut table, now) = self.open();
        Ok(table.keys.begin(now, claim, patience))
    }

    async fn finish(
        &self,
        claim: &IdempotencyClaim,
        answer: &StoredAnswer,
    ) -> Result<(), RepoError> {
        self.table().keys.finish(claim, answer);
        Ok(())
    }

    async fn give_up(&self, claim: &IdempotencyClaim) -> Result<(), RepoError> {
        self.table().keys.give_up(claim);
        Ok(())
    }

    async fn forget(&self, age: Duration, limit: u32) -> Result<u64, RepoError> {
        let (mut table, now) = self.open();
        Ok(table.keys.forget(now, age, limit))
    }
}
