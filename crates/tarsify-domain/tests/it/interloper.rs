//! A store in which somebody else always acts at the worst moment: between a use case's read
//! and its write, or right after a write was committed and before anybody was told.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use tarsify_domain::catalog::{
    BaseModel, BaseModelFilter, BaseModelRepository, Endpoint, EndpointRepository, MarketEntry,
    MarketQuery, MarketRepository, MarketSource, TarsModel, TarsModelFilter, TarsModelRepository,
};
use tarsify_domain::id::{BaseModelId, EndpointId, TarsModelId};
use tarsify_domain::people::{Developer, DeveloperRepository, IdentityKey, NewDeveloper, Role};
use tarsify_domain::text::{EmailAddress, Slug};
use tarsify_domain::{Page, PageRequest, RepoError, Scope, Version};
use tarsify_testing::{FakeStore, World};

/// What somebody does meanwhile.
pub(crate) type Act = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    AfterFind,
    AfterWrite,
}

/// Passes every call on to the store and acts at its moment.
pub(crate) struct Interloper {
    world: World,
    when: When,
    act: Box<dyn Fn() -> Act + Send + Sync>,
}

impl Interloper {
    /// Acts after every `find`, before its caller gets the answer.
    pub(crate) fn after_find(
        store: &Arc<FakeStore>,
        act: impl Fn() -> Act + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::new(store, When::AfterFind, act)
    }

    /// Acts after every write, before its caller gets the answer.
    pub(crate) fn after_write(
        store: &Arc<FakeStore>,
        act: impl Fn() -> Act + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::new(store, When::AfterWrite, act)
    }

    fn new(
        store: &Arc<FakeStore>,
        when: When,
        act: impl Fn() -> Act + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            world: store.world(),
            when,
            act: Box::new(act),
        })
    }

    async fn found<T>(&self, found: Result<T, RepoError>) -> Result<T, RepoError> {
        self.meddle(When::AfterFind).await;
        found
    }

    async fn written<T>(&self, written: Result<T, RepoError>) -> Result<T, RepoError> {
        self.meddle(When::AfterWrite).await;
        written
    }

    async fn meddle(&self, now: When) {
        if self.when == now {
            (self.act)().await;
        }
    }
}

#[async_trait]
impl TarsModelRepository for Interloper {
    async fn find(&self, scope: Scope, id: TarsModelId) -> Result<Option<TarsModel>, RepoError> {
        self.found(self.world.tars_models.find(scope, id).await)
            .await
    }

    async fn list(
        &self,
        scope: Scope,
        filter: TarsModelFilter,
        page: &PageRequest,
    ) -> Result<Page<TarsModel>, RepoError> {
        self.world.tars_models.list(scope, filter, page).await
    }

    async fn create(&self, model: &TarsModel) -> Result<(), RepoError> {
        self.written(self.world.tars_models.create(model).await)
            .await
    }

    async fn revise(&self, model: &TarsModel) -> Result<TarsModel, RepoError> {
        self.written(self.world.tars_models.revise(model).await)
            .await
    }

    async fn delete(
        &self,
        scope: Scope,
        id: TarsModelId,
        version: Version,
    ) -> Result<(), RepoError> {
        let deleted = self.world.tars_models.delete(scope, id, version).await;
        self.written(deleted).await
    }
}

#[async_trait]
impl BaseModelRepository for Interloper {
    async fn find(&self, id: BaseModelId) -> Result<Option<BaseModel>, RepoError> {
        self.found(self.world.base_models.find(id).await).await
    }

    async fn find_by_slug(&self, slug: &Slug) -> Result<Option<BaseModel>, RepoError> {
        self.found(self.world.base_models.find_by_slug(slug).await)
            .await
    }

    async fn list(
        &self,
        filter: BaseModelFilter,
        page: &PageRequest,
    ) -> Result<Page<BaseModel>, RepoError> {
        self.world.base_models.list(filter, page).await
    }

    async fn list_offered(&self, filter: BaseModelFilter) -> Result<Vec<BaseModel>, RepoError> {
        self.world.base_models.list_offered(filter).await
    }

    async fn create(&self, model: &BaseModel) -> Result<(), RepoError> {
        self.written(self.world.base_models.create(model).await)
            .await
    }

    async fn revise(&self, model: &BaseModel) -> Result<BaseModel, RepoError> {
        self.written(self.world.base_models.revise(model).await)
            .await
    }
}

#[async_trait]
impl EndpointRepository for Interloper {
    async fn find(&self, id: EndpointId) -> Result<Option<Endpoint>, RepoError> {
        self.found(self.world.endpoints.find(id).await).await
    }

    async fn list(&self, page: &PageRequest) -> Result<Page<Endpoint>, RepoError> {
        self.world.endpoints.list(page).await
    }

    async fn create(&self, endpoint: &Endpoint) -> Result<(), RepoError> {
        self.written(self.world.endpoints.create(endpoint).await)
            .await
    }

    async fn revise(&self, endpoint: &Endpoint) -> Result<Endpoint, RepoError> {
        self.written(self.world.endpoints.revise(endpoint).await)
            .await
    }
}

#[async_trait]
impl DeveloperRepository for Interloper {
    async fn find_by_identity(&self, key: &IdentityKey) -> Result<Option<Developer>, RepoError> {
        self.found(self.world.developers.find_by_identity(key).await)
            .await
    }

    async fn register(&self, new: &NewDeveloper) -> Result<Developer, RepoError> {
        self.written(self.world.developers.register(new).await)
            .await
    }

    async fn revise(&self, developer: &Developer) -> Result<Developer, RepoError> {
        self.written(self.world.developers.revise(developer).await)
            .await
    }

    async fn assign_role(
        &self,
        email: &EmailAddress,
        role: Role,
    ) -> Result<Option<Developer>, RepoError> {
        let assigned = self.world.developers.assign_role(email, role).await;
        self.written(assigned).await
    }
}

#[async_trait]
impl MarketRepository for Interloper {
    async fn list(
        &self,
        query: &MarketQuery,
        page: &PageRequest,
    ) -> Result<Page<MarketEntry>, RepoError> {
        self.found(self.world.market.list(query, page).await).await
    }

    async fn find(&self, slug: &Slug) -> Result<Option<MarketSource>, RepoError> {
        self.found(self.world.market.find(slug).await).await
    }

    async fn version(&self) -> Result<i64, RepoError> {
        self.world.market.version().await
    }
}
