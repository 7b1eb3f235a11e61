//! The ports of one store, and short ways to fill it through them.

use std::any::Any;
use std::sync::Arc;

use tarsify_domain::catalog::{
    BaseModel, BaseModelRepository, Endpoint, EndpointRepository, MarketRepository, TarsModel,
    TarsModelRepository, TarsModelStatus,
};
use tarsify_domain::people::{ConsumerRepository, Developer, DeveloperRepository};
use tarsify_domain::{Scope, Timestamp};
use time::Duration;

use crate::builders::{base_model, endpoint, new_developer, tars_model};
use crate::clock::MOMENT;

/// The repository ports over one store that holds nothing yet.
pub struct World {
    /// Consumers.
    pub consumers: Arc<dyn ConsumerRepository>,
    /// Developers.
    pub developers: Arc<dyn DeveloperRepository>,
    /// Endpoints.
    pub endpoints: Arc<dyn EndpointRepository>,
    /// Base models.
    pub base_models: Arc<dyn BaseModelRepository>,
    /// Tars models.
    pub tars_models: Arc<dyn TarsModelRepository>,
    /// The market.
    pub market: Arc<dyn MarketRepository>,
    /// Whatever the store needs to live, such as its database; dropped after the ports.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// So many seconds after [`MOMENT`].
pub(super) fn later(seconds: i64) -> Timestamp {
    MOMENT + Duration::seconds(seconds)
}

impl World {
    pub(super) async fn developer(&self, subject: &str) -> Developer {
        let new = new_developer(subject);
        self.developers.register(&new).await.unwrap()
    }

    pub(super) async fn store_endpoint(&self, endpoint: Endpoint) -> Endpoint {
        self.endpoints.create(&endpoint).await.unwrap();
        endpoint
    }

    pub(super) async fn endpoint(&self) -> Endpoint {
        self.store_endpoint(endpoint(MOMENT)).await
    }

    pub(super) async fn store_base_model(&self, model: BaseModel) -> BaseModel {
        self.base_models.create(&model).await.unwrap();
        model
    }

    /// A new base model on an endpoint of its own.
    pub(super) async fn base_model(&self) -> BaseModel {
        let endpoint = self.endpoint().await;
        self.store_base_model(base_model(&endpoint)).await
    }

    pub(super) async fn store_tars_model(&self, model: TarsModel) -> TarsModel {
        self.tars_models.create(&model).await.unwrap();
        model
    }

    /// A new draft of a new developer on a base model of its own.
    pub(super) async fn draft(&self, subject: &str) -> TarsModel {
        let developer = self.developer(subject).await;
        let base = self.base_model().await;
        self.store_tars_model(tars_model(&base, developer.id)).await
    }

    /// Stores a draft and publishes it at once.
    pub(super) async fn publish(&self, draft: TarsModel) -> TarsModel {
        let at = draft.created_at + Duration::minutes(1);
        self.publish_at(draft, at).await
    }

    /// Stores a draft and publishes it at a moment.
    pub(super) async fn publish_at(&self, draft: TarsModel, at: Timestamp) -> TarsModel {
        let draft = self.store_tars_model(draft).await;
        let published = TarsModel {
            status: TarsModelStatus::Published,
            published_at: Some(at),
            updated_at: at,
            ..draft
        };
        self.tars_models.revise(&published).await.unwrap()
    }

    pub(super) async fn stored(&self, model: &TarsModel) -> Option<TarsModel> {
        self.tars_models
            .find(Scope::System, model.id)
            .await
            .unwrap()
    }
}
