//! The engine's memory store beside the fake one: models are taken from there as they are at
//! the moment they are asked for, runs are paid in the fake treasury, and the whole store can be
//! put out of order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::catalog::{
    BaseModel, BaseModelRepository, Endpoint, EndpointRepository, TarsModel, TarsModelFilter,
    TarsModelRepository,
};
use tarsify_domain::execution::{
    AdmitError, Admitted, Advance, CancelAnswer, Claim, Claimed, Crew, Ending, EventLog, Execution,
    ExecutionFilter, ExecutionQueue, ExecutionReport, ExecutionRepository, ExecutionSummary, Found,
    History, Known, LogPage, LogPlace, LoggedEvent, Material, NewExecution, Outlook, ProviderJobId,
    Requester, RunnableBase, RunnableEndpoint, RunnableModel, RunnableModels, Settlement,
    TokenHash, Written,
};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, TarsModelId, WorkerId};
use tarsify_domain::idempotency::{Begun, IdempotencyClaim, IdempotencyRepository, StoredAnswer};
use tarsify_domain::page::Limit;
use tarsify_domain::text::Slug;
use tarsify_domain::{Credits, Page, PageRequest, RepoError, Scope};
use tarsify_engine::MemoryStore;
use tarsify_testing::fake::{Account, RunEnd};
use tarsify_testing::{FakeStore, FakeTreasury};

/// A store of executions; clones are the same one.
#[derive(Clone)]
pub(crate) struct RunStore {
    pub(crate) memory: MemoryStore,
    catalog: Arc<FakeStore>,
    treasury: Arc<FakeTreasury>,
    /// Runs whose price is still set aside.
    open: Arc<Mutex<Vec<ExecutionId>>>,
    is_out_of_order: Arc<AtomicBool>,
    fails_to_finish: Arc<AtomicBool>,
}

impl RunStore {
    pub(crate) fn new(
        memory: MemoryStore,
        catalog: Arc<FakeStore>,
        treasury: Arc<FakeTreasury>,
    ) -> Self {
        Self {
            memory,
            catalog,
            treasury,
            open: Arc::default(),
            is_out_of_order: Arc::default(),
            fails_to_finish: Arc::default(),
        }
    }

    pub(crate) fn start_outage(&self) {
        self.is_out_of_order.store(true, Ordering::SeqCst);
    }

    /// Goes out of order when the next answer is to be kept.
    pub(crate) fn fail_to_finish(&self) {
        self.fails_to_finish.store(true, Ordering::SeqCst);
    }

    pub(crate) fn end_outage(&self) {
        self.fails_to_finish.store(false, Ordering::SeqCst);
        self.is_out_of_order.store(false, Ordering::SeqCst);
    }

    /// Two callers at once interleave here as they would on a connection.
    async fn enter(&self) -> Result<&MemoryStore, RepoError> {
        tokio::task::yield_now().await;
        if self.is_out_of_order.load(Ordering::SeqCst) {
            let cause = "a test put the store of executions out of order";
            return Err(RepoError::Unavailable(cause.into()));
        }
        Ok(&self.memory)
    }

    /// What the consumer can spend, in the treasury. The memory store never lacks anything.
    fn funds(&self, consumer: ConsumerId) -> Credits {
        let available = self.treasury.balance(Account::Available(consumer));
        Credits::new(available / 1_000)
    }

    /// Accepts it in memory, and sets its price aside in the treasury.
    async fn admit_and_hold(
        &self,
        memory: &MemoryStore,
        new: &NewExecution,
    ) -> Result<Admitted, AdmitError> {
        if let Requester::Consumer(consumer) = new.requester {
            let known = match &new.idempotency {
                Some(claim) => memory.find_replay(claim).await?.is_some(),
                None => false,
            };
            let (required, available) = (new.model.price.credits(), self.funds(consumer));
            if !known && required > available {
                return Err(AdmitError::InsufficientCredits {
                    required,
                    available,
                });
            }
            memory.grant(consumer, required);
        }
        let admitted = memory.admit(new).await?;
        if !admitted.is_replay {
            self.treasury.hold(new).unwrap();
            self.open.lock().unwrap().push(new.id);
        }
        Ok(admitted)
    }

    /// Resolves what was set aside for runs that have ended meanwhile.
    async fn resolve_ended(&self) -> Result<(), RepoError> {
        let open = self.open.lock().unwrap().clone();
        for id in open {
            let found = ExecutionRepository::find(&self.memory, Scope::System, id).await?;
            let Found::Here(execution) = found else {
                continue;
            };
            let summary = execution.summary;
            let Ok(ending) = Ending::parse(summary.status.as_str()) else {
                continue;
            };
            let mut open = self.open.lock().unwrap();
            if open.contains(&id) {
                open.retain(|other| *other != id);
                let took_ms = summary.execution_time_ms;
                self.treasury.resolve(id, RunEnd { ending, took_ms });
            }
        }
        Ok(())
    }

    async fn take_over(
        &self,
        wanted: impl Fn(&TarsModel) -> bool,
    ) -> Result<Option<RunnableModel>, RepoError> {
        let page = PageRequest {
            limit: Limit::parse(100).unwrap(),
            ..PageRequest::default()
        };
        let all = TarsModelRepository::list(&*self.catalog, Scope::System, any(), &page).await?;
        let Some(model) = all.items.into_iter().find(wanted) else {
            return Ok(None);
        };
        let base = BaseModelRepository::find(&*self.catalog, model.base_model.id).await?;
        let base = base.unwrap();
        let endpoint = EndpointRepository::find(&*self.catalog, base.endpoint.id).await?;
        let model = runnable(&model, &base, &endpoint.unwrap());
        self.memory.add_model(model.clone());
        Ok(Some(model))
    }
}

fn any() -> TarsModelFilter {
    TarsModelFilter::default()
}

/// What a store would join together.
fn runnable(model: &TarsModel, base: &BaseModel, endpoint: &Endpoint) -> RunnableModel {
    RunnableModel {
        id: model.id,
        version: model.version,
        slug: model.slug.clone(),
        title: model.title.clone(),
        developer_id: model.developer_id,
        status: model.status,
        price: model.price,
        overrides: model.overrides.clone(),
        base_model: RunnableBase {
            id: base.id,
            version: base.version,
            name: base.name.clone(),
            category: base.category,
            output_type: base.output_type,
            input_schema: base.input_schema.clone(),
            estimated_seconds: base.estimated.get(),
            timeout_seconds: base.timeout.get(),
            streams_output: false,
            is_active: base.is_active,
        },
        endpoint: RunnableEndpoint {
            id: endpoint.id,
            version: endpoint.version,
            provider: endpoint.provider,
            provider_endpoint_id: endpoint.provider_endpoint_id.clone(),
            is_active: endpoint.is_active,
        },
    }
}

#[async_trait]
impl RunnableModels for RunStore {
    async fn find_by_slug(&self, slug: &Slug) -> Result<Option<RunnableModel>, RepoError> {
        self.enter().await?;
        self.take_over(|model| model.slug == *slug).await
    }

    async fn find_own(
        &self,
        developer: DeveloperId,
        id: TarsModelId,
    ) -> Result<Option<RunnableModel>, RepoError> {
        self.enter().await?;
        self.take_over(|model| model.id == id && model.developer_id == developer)
            .await
    }
}

#[async_trait]
impl ExecutionRepository for RunStore {
    async fn find(&self, scope: Scope, id: ExecutionId) -> Result<Found<Execution>, RepoError> {
        ExecutionRepository::find(self.enter().await?, scope, id).await
    }

    async fn list(
        &self,
        scope: Scope,
        filter: &ExecutionFilter,
        page: &PageRequest,
    ) -> Result<Page<ExecutionSummary>, RepoError> {
        self.enter().await?.list(scope, filter, page).await
    }

    async fn admit(&self, new: &NewExecution) -> Result<Admitted, AdmitError> {
        let memory = self.enter().await?;
        // As a store would that keeps the models too.
        self.take_over(|model| model.id == new.model.id).await?;
        self.admit_and_hold(memory, new).await
    }

    async fn find_funds(&self, consumer: ConsumerId) -> Result<Credits, RepoError> {
        self.enter().await?;
        Ok(self.funds(consumer))
    }

    async fn find_replay(&self, claim: &IdempotencyClaim) -> Result<Option<Admitted>, AdmitError> {
        self.enter().await?.find_replay(claim).await
    }

    async fn request_cancel(
        &self,
        scope: Scope,
        id: ExecutionId,
    ) -> Result<Found<CancelAnswer>, RepoError> {
        let answer = self.enter().await?.request_cancel(scope, id).await?;
        self.resolve_ended().await?;
        Ok(answer)
    }

    async fn nudge(&self, id: ExecutionId, rest: Duration) -> Result<bool, RepoError> {
        self.enter().await?.nudge(id, rest).await
    }

    async fn find_report(&self, id: ExecutionId) -> Result<Option<ExecutionReport>, RepoError> {
        self.enter().await?.find_report(id).await
    }

    async fn find_outlook(&self, id: ExecutionId) -> Result<Option<Outlook>, RepoError> {
        self.enter().await?.find_outlook(id).await
    }

    async fn expedite(&self, id: ExecutionId) -> Result<Option<bool>, RepoError> {
        self.enter().await?.expedite(id).await
    }
}

#[async_trait]
impl ExecutionQueue for RunStore {
    async fn claim(&self, claim: &Claim) -> Result<Vec<Claimed>, RepoError> {
        self.enter().await?.claim(claim).await
    }

    async fn find_material(&self, id: ExecutionId) -> Result<Option<Material>, RepoError> {
        self.enter().await?.find_material(id).await
    }

    async fn advance(&self, advance: &Advance) -> Result<Written, RepoError> {
        let written = self.enter().await?.advance(advance).await?;
        self.resolve_ended().await?;
        Ok(written)
    }

    async fn settle(&self, settlement: &Settlement) -> Result<Written, RepoError> {
        let written = self.enter().await?.settle(settlement).await?;
        self.resolve_ended().await?;
        Ok(written)
    }

    async fn find_callback(
        &self,
        id: ExecutionId,
        token: &TokenHash,
    ) -> Result<Option<Known>, RepoError> {
        self.enter().await?.find_callback(id, token).await
    }

    async fn hint(
        &self,
        id: ExecutionId,
        attempt: u32,
        job: Option<&ProviderJobId>,
    ) -> Result<(), RepoError> {
        self.enter().await?.hint(id, attempt, job).await
    }

    async fn tally(&self, limit: u32) -> Result<u64, RepoError> {
        self.enter().await?.tally(limit).await
    }
}

#[async_trait]
impl Crew for RunStore {
    async fn check_in(&self, worker: WorkerId) -> Result<u32, RepoError> {
        self.enter().await?.check_in(worker).await
    }

    async fn check_out(&self, worker: WorkerId) -> Result<(), RepoError> {
        self.enter().await?.check_out(worker).await
    }
}

#[async_trait]
impl EventLog for RunStore {
    async fn settled(&self) -> Result<u64, RepoError> {
        self.enter().await?.settled().await
    }

    async fn read_log(&self, after: LogPlace, limit: u32) -> Result<LogPage, RepoError> {
        self.enter().await?.read_log(after, limit).await
    }

    async fn read_history(
        &self,
        scope: Scope,
        id: ExecutionId,
        after: i64,
        limit: u32,
    ) -> Result<Found<History>, RepoError> {
        let memory = self.enter().await?;
        memory.read_history(scope, id, after, limit).await
    }

    async fn replay_log(
        &self,
        scope: Scope,
        after: LogPlace,
        limit: u32,
    ) -> Result<Option<Vec<LoggedEvent>>, RepoError> {
        self.enter().await?.replay_log(scope, after, limit).await
    }

    async fn watch(&self, ids: &[ExecutionId], life: Duration) -> Result<(), RepoError> {
        self.enter().await?.watch(ids, life).await
    }

    async fn keep_token(
        &self,
        token: &TokenHash,
        id: ExecutionId,
        life: Duration,
    ) -> Result<(), RepoError> {
        self.enter().await?.keep_token(token, id, life).await
    }

    async fn spend_token(&self, token: &TokenHash, id: ExecutionId) -> Result<bool, RepoError> {
        self.enter().await?.spend_token(token, id).await
    }
}

#[async_trait]
impl IdempotencyRepository for RunStore {
    async fn begin(
        &self,
        claim: &IdempotencyClaim,
        patience: Duration,
    ) -> Result<Begun, RepoError> {
        self.enter().await?.begin(claim, patience).await
    }

    async fn finish(
        &self,
        claim: &IdempotencyClaim,
        answer: &StoredAnswer,
    ) -> Result<(), RepoError> {
        if self.fails_to_finish.load(Ordering::SeqCst) {
            self.start_outage();
        }
        self.enter().await?.finish(claim, answer).await
    }

    async fn give_up(&self, claim: &IdempotencyClaim) -> Result<(), RepoError> {
        self.enter().await?.give_up(claim).await
    }

    async fn forget(&self, age: Duration, limit: u32) -> Result<u64, RepoError> {
        self.enter().await?.forget(age, limit).await
    }
}
