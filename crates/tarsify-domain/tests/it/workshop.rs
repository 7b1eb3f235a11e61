//! Every use case of the catalogue over one fake store, and short ways to fill it. What a use
//! case answered is compared as text, because its errors carry sources that cannot be compared.

use std::fmt::Debug;
use std::sync::Arc;

use serde_json::{Value, json};
use tarsify_domain::catalog::{
    BaseModel, BaseModelChange, BaseModelRepository, BaseModels, CatalogChanges, ConfigOverrides,
    Endpoint, EndpointChange, EndpointRepository, Endpoints, InputSchema, Market, MarketRepository,
    TarsModel, TarsModelRepository, TarsModelStatus, TarsModels,
};
use tarsify_domain::id::DeveloperId;
use tarsify_domain::people::{DeveloperRepository, Developers};
use tarsify_domain::{Expected, Issue, Scope, Timestamp, Version};
use tarsify_engine::JsonSchemaRules;
use tarsify_testing::builders::{new_base_model, new_developer, new_endpoint, new_tars_model};
use tarsify_testing::{FakeStore, TestClock};
use time::Duration;

pub(crate) struct Workshop {
    pub(crate) store: Arc<FakeStore>,
    pub(crate) clock: TestClock,
    pub(crate) changes: Arc<CatalogChanges>,
    pub(crate) tars: TarsModels,
    pub(crate) base_models: BaseModels,
    pub(crate) endpoints: Endpoints,
    pub(crate) developers: Developers,
    pub(crate) market: Market,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        Self::process(FakeStore::new())
    }

    /// Another process over the same store; it learns of changes only by looking.
    pub(crate) fn process(store: Arc<FakeStore>) -> Self {
        let clock = TestClock::new();
        let changes = Arc::new(CatalogChanges::new());
        let wiring = Wiring {
            store: &store,
            clock: &clock,
            changes: &changes,
        };
        Self {
            tars: wiring.tars(store.clone()),
            base_models: wiring.base_models(store.clone()),
            endpoints: wiring.endpoints(store.clone()),
            developers: wiring.developers(store.clone()),
            market: wiring.market(store.clone()),
            store,
            clock,
            changes,
        }
    }

    /// To build a use case again, on a repository that misbehaves.
    pub(crate) fn wiring(&self) -> Wiring<'_> {
        Wiring {
            store: &self.store,
            clock: &self.clock,
            changes: &self.changes,
        }
    }

    /// A minute passes.
    pub(crate) fn later(&self) -> Timestamp {
        self.clock.advance(Duration::minutes(1))
    }

    pub(crate) async fn developer(&self, subject: &str) -> DeveloperId {
        let new = new_developer(subject);
        self.store
            .world()
            .developers
            .register(&new)
            .await
            .unwrap()
            .id
    }

    pub(crate) async fn endpoint(&self) -> Endpoint {
        self.endpoints.register(new_endpoint()).await.unwrap()
    }

    /// An active base model on an active endpoint of its own.
    pub(crate) async fn base_model(&self) -> BaseModel {
        let endpoint = self.endpoint().await;
        let new = new_base_model(endpoint.id);
        self.base_models.create(new).await.unwrap()
    }

    pub(crate) async fn draft(&self, developer: DeveloperId, base: &BaseModel) -> TarsModel {
        let new = new_tars_model(base.id);
        self.tars.create(developer, new).await.unwrap()
    }

    /// A model of a new developer in this status, on a base model of its own.
    pub(crate) async fn model(&self, status: TarsModelStatus) -> TarsModel {
        let developer = self.developer(&format!("of-{}", status.as_str())).await;
        let draft = self.draft(developer, &self.base_model().await).await;
        let any = &Expected::Any;
        let done = match status {
            TarsModelStatus::Draft => return draft,
            TarsModelStatus::Published => self.tars.publish(developer, draft.id, any).await,
            TarsModelStatus::Archived => self.tars.archive(developer, draft.id, any).await,
        };
        done.unwrap()
    }

    /// The model as the store has it now, whoever asks.
    pub(crate) async fn stored(&self, model: &TarsModel) -> Option<TarsModel> {
        let tars_models = self.store.world().tars_models;
        tars_models.find(Scope::System, model.id).await.unwrap()
    }

    pub(crate) async fn change_base_model(&self, base: &BaseModel, change: BaseModelChange) {
        let revised = self.base_models.revise(base.id, &Expected::Any, change);
        revised.await.unwrap();
    }

    pub(crate) async fn switch_off_base_model(&self, base: &BaseModel) {
        let retired = self.base_models.retire(base.id, &Expected::Any);
        retired.await.unwrap();
    }

    pub(crate) async fn switch_off_endpoint_of(&self, base: &BaseModel) {
        let retired = self.endpoints.retire(base.endpoint.id, &Expected::Any);
        retired.await.unwrap();
    }
}

/// Builds use cases on a repository, and for the rest on the workshop's store.
pub(crate) struct Wiring<'a> {
    store: &'a Arc<FakeStore>,
    clock: &'a TestClock,
    changes: &'a Arc<CatalogChanges>,
}

impl Wiring<'_> {
    fn clock(&self) -> Arc<TestClock> {
        Arc::new(self.clock.clone())
    }

    pub(crate) fn tars(&self, repository: Arc<dyn TarsModelRepository>) -> TarsModels {
        TarsModels {
            repository,
            base_models: self.store.clone(),
            schemas: Arc::new(JsonSchemaRules),
            changes: self.changes.clone(),
            clock: self.clock(),
        }
    }

    pub(crate) fn base_models(&self, repository: Arc<dyn BaseModelRepository>) -> BaseModels {
        BaseModels {
            repository,
            endpoints: self.store.clone(),
            schemas: Arc::new(JsonSchemaRules),
            changes: self.changes.clone(),
            clock: self.clock(),
        }
    }

    pub(crate) fn endpoints(&self, repository: Arc<dyn EndpointRepository>) -> Endpoints {
        Endpoints::new(repository, self.changes.clone(), self.clock())
    }

    pub(crate) fn developers(&self, repository: Arc<dyn DeveloperRepository>) -> Developers {
        Developers::new(repository, self.changes.clone(), self.clock())
    }

    pub(crate) fn market(&self, repository: Arc<dyn MarketRepository>) -> Market {
        let schemas = Arc::new(JsonSchemaRules);
        Market::new(repository, schemas, self.changes.clone())
    }
}

/// `ok`, or the error as Rust writes it: `StatusForbids(Published)`.
pub(crate) fn answer<T, E: Debug>(result: Result<T, E>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

/// Where the faults are.
pub(crate) fn paths(issues: &[Issue]) -> Vec<&str> {
    issues.iter().map(|issue| issue.path.as_str()).collect()
}

pub(crate) fn one_of(versions: &[i64]) -> Expected {
    Expected::OneOf(versions.iter().copied().map(Version::new).collect())
}

pub(crate) fn overrides(value: Value) -> ConfigOverrides {
    ConfigOverrides::parse(value).unwrap()
}

pub(crate) fn schema(value: Value) -> InputSchema {
    InputSchema::parse(value).unwrap()
}

/// A schema that knows none of the fields that the builders' overrides lock, preset and hide.
pub(crate) fn schema_without_sizes() -> InputSchema {
    schema(json!({
        "type": "object",
        "properties": {"prompt": {"type": "string"}},
        "required": ["prompt"],
        "additionalProperties": false
    }))
}

/// A change that only switches.
pub(crate) fn base_model_switched(is_active: bool) -> BaseModelChange {
    BaseModelChange {
        is_active: Some(is_active),
        ..BaseModelChange::default()
    }
}

/// A change that only switches.
pub(crate) fn endpoint_switched(is_active: bool) -> EndpointChange {
    EndpointChange {
        is_active: Some(is_active),
        ..EndpointChange::default()
    }
}
