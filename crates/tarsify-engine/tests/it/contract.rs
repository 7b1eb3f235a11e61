//! The in-memory store keeps the contract of every store of executions.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::catalog::{Provider, TarsModelStatus};
use tarsify_domain::execution::{NewEvent, RunnableModel};
use tarsify_domain::id::{ConsumerId, DeveloperId, ExecutionId, TarsModelId};
use tarsify_domain::money::{Credits, Millicredits, Price};
use tarsify_engine::{MemoryStore, StoredEvent, Wallet};
use tarsify_testing::builders::runnable_model;
use tarsify_testing::clock::MOMENT;
use tarsify_testing::contract::executions::{Change, ExecutionProps};
use tarsify_testing::{ExecutionWorld, TestClock, execution_contract_tests};

struct MemoryProps {
    store: MemoryStore,
    clock: TestClock,
}

#[async_trait]
impl ExecutionProps for MemoryProps {
    async fn model(&self) -> RunnableModel {
        let model = runnable_model();
        self.store.add_model(model.clone());
        model
    }

    async fn change(&self, model: &RunnableModel, change: Change) -> RunnableModel {
        let mut changed = model.clone();
        let RunnableModel {
            version,
            status,
            price,
            base_model,
            endpoint,
            ..
        } = &mut changed;
        match change {
            Change::Revise => *version = version.next(),
            Change::ReviseBaseModel => base_model.version = base_model.version.next(),
            Change::ReviseEndpoint => endpoint.version = endpoint.version.next(),
            Change::Price(credits) => {
                *version = version.next();
                *price = Price::parse(credits).expect("a case names a good price");
            }
            Change::Unpublish => {
                *version = version.next();
                *status = TarsModelStatus::Draft;
            }
            Change::SwitchOffBaseModel => {
                base_model.version = base_model.version.next();
                base_model.is_active = false;
            }
            Change::SwitchOffEndpoint => {
                endpoint.version = endpoint.version.next();
                endpoint.is_active = false;
            }
            Change::Stream => {
                base_model.version = base_model.version.next();
                base_model.streams_output = true;
            }
            Change::Limit(limits) => {
                endpoint.version = endpoint.version.next();
                self.store.limit_endpoint(endpoint.id, limits);
            }
        }
        self.store.add_model(changed.clone());
        changed
    }

    async fn limit_provider(&self, provider: Provider, limits: EndpointLimits) {
        self.store.limit_provider(provider, limits);
    }

    async fn delete(&self, model: &RunnableModel) {
        self.store.remove_model(model.id);
    }

    async fn consumer(&self) -> ConsumerId {
        ConsumerId::new(MOMENT)
    }

    async fn fund(&self, consumer: ConsumerId, credits: Credits) {
        self.store.grant(consumer, credits);
    }

    async fn wallet(&self, consumer: ConsumerId) -> (Millicredits, Millicredits) {
        let Wallet { available, held } = self.store.wallet(consumer);
        (available, held)
    }

    async fn earned(&self, developer: DeveloperId) -> Millicredits {
        self.store.earned(developer)
    }

    async fn revenue(&self) -> Millicredits {
        self.store.revenue()
    }

    async fn faults(&self) -> Vec<String> {
        Vec::new()
    }

    async fn pass(&self, time: Duration) {
        let time = time::Duration::try_from(time);
        self.clock.advance(time.expect("a case waits for a while"));
    }

    async fn events(&self, id: ExecutionId) -> Vec<(i64, NewEvent)> {
        let events = self.store.events(id).into_iter();
        let told = events.map(|event| {
            let StoredEvent {
                seq, kind, data, ..
            } = event;
            (seq, NewEvent { kind, data })
        });
        told.collect()
    }

    async fn runs_of_model(&self, id: TarsModelId) -> u64 {
        self.store.runs_of_model(id)
    }

    async fn runs_of_consumer(&self, id: ConsumerId) -> u64 {
        self.store.runs_of_consumer(id)
    }
}

async fn memory_world() -> ExecutionWorld {
    let clock = TestClock::new();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    ExecutionWorld {
        repository: Arc::new(store.clone()),
        queue: Arc::new(store.clone()),
        crew: Arc::new(store.clone()),
        log: Arc::new(store.clone()),
        models: Arc::new(store.clone()),
        keys: Arc::new(store.clone()),
        props: Arc::new(MemoryProps { store, clock }),
        keep: Box::new(()),
    }
}

execution_contract_tests!(memory_world);
