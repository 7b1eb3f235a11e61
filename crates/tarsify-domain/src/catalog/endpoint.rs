//! Endpoints: deployments at a GPU provider. Only administrators see them.

mod limits;

use std::sync::Arc;

use async_trait::async_trait;

use crate::catalog::changes::CatalogChanges;
use crate::catalog::kinds::{EndpointSource, Provider};
use crate::clock::{Clock, Timestamp};
use crate::error::{Misfit, RepoError};
use crate::id::EndpointId;
use crate::page::{KeyKind, Order, Page, PageRequest};
use crate::patch::{Patch, replace};
use crate::text::{DockerImage, GpuType, Name, without_nul};
use crate::version::{Expected, Version};

pub use limits::EndpointLimits;

/// A deployment's id at its provider. It becomes part of an address, so it holds nothing that
/// an address would read differently.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProviderEndpointId(String);

impl ProviderEndpointId {
    /// Most characters.
    pub const MAX: usize = 100;

    /// Checks the id.
    ///
    /// # Errors
    /// When it is empty, too long or holds anything but letters, digits, `-`, `_` and `.`.
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        without_nul(text)?;
        let id = text.trim();
        if id.is_empty() || id.len() > Self::MAX {
            return Err(Misfit::new("length", "must have 1 to 100 characters"));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !id.bytes().all(plain) || id.bytes().all(|byte| byte == b'.') {
            return Err(Misfit::new(
                "pattern",
                "may hold only letters, digits, '-', '_' and '.', as the provider's console shows it",
            ));
        }
        Ok(Self(id.to_owned()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An endpoint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id with us.
    pub id: EndpointId,
    /// Its id at the provider.
    pub provider_endpoint_id: ProviderEndpointId,
    /// Whose protocol it speaks.
    pub provider: Provider,
    /// The operator's name for it.
    pub name: Name,
    /// Where its worker comes from.
    pub source: EndpointSource,
    /// The worker's image, if the operator noted it.
    pub docker_image: Option<DockerImage>,
    /// The GPU it runs on.
    pub gpu_type: GpuType,
    /// Whether runs may be sent to it.
    pub is_active: bool,
    /// Limits towards it.
    pub limits: EndpointLimits,
    /// How many base models run on it.
    pub base_model_count: u64,
    /// Grows with every revision.
    pub version: Version,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last revised.
    pub updated_at: Timestamp,
}

/// What an administrator says of a new endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    /// Its id at the provider.
    pub provider_endpoint_id: ProviderEndpointId,
    /// Whose protocol it speaks.
    pub provider: Provider,
    /// The operator's name for it.
    pub name: Name,
    /// Where its worker comes from.
    pub source: EndpointSource,
    /// The worker's image.
    pub docker_image: Option<DockerImage>,
    /// The GPU it runs on.
    pub gpu_type: GpuType,
    /// Whether runs may be sent to it.
    pub is_active: bool,
    /// Limits towards it.
    pub limits: EndpointLimits,
}

/// What an administrator changes; absent keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointChange {
    /// Its id at the provider.
    pub provider_endpoint_id: Option<ProviderEndpointId>,
    /// Whose protocol it speaks.
    pub provider: Option<Provider>,
    /// The operator's name for it.
    pub name: Option<Name>,
    /// Where its worker comes from.
    pub source: Option<EndpointSource>,
    /// The worker's image.
    pub docker_image: Patch<DockerImage>,
    /// The GPU it runs on.
    pub gpu_type: Option<GpuType>,
    /// Whether runs may be sent to it.
    pub is_active: Option<bool>,
    /// Limits towards it; clearing removes them all.
    pub limits: Patch<EndpointLimits>,
}

impl Endpoint {
    /// The order of every list of endpoints: newest first.
    pub const ORDER: Order = Order {
        name: "newest",
        key: KeyKind::Integer,
    };

    /// Makes the endpoint that `new` describes.
    #[must_use]
    pub fn new(new: NewEndpoint, now: Timestamp) -> Self {
        let NewEndpoint {
            provider_endpoint_id,
            provider,
            name,
            source,
            docker_image,
            gpu_type,
            is_active,
            limits,
        } = new;
        Self {
            id: EndpointId::new(now),
            provider_endpoint_id,
            provider,
            name,
            source,
            docker_image,
            gpu_type,
            is_active,
            limits,
            base_model_count: 0,
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        }
    }

    fn change(&mut self, change: EndpointChange) {
        let EndpointChange {
            provider_endpoint_id,
            provider,
            name,
            source,
            docker_image,
            gpu_type,
            is_active,
            limits,
        } = change;
        replace(&mut self.provider_endpoint_id, provider_endpoint_id);
        replace(&mut self.provider, provider);
        replace(&mut self.name, name);
        replace(&mut self.source, source);
        docker_image.apply(&mut self.docker_image);
        replace(&mut self.gpu_type, gpu_type);
        replace(&mut self.is_active, is_active);
        match limits {
            Patch::Keep => {}
            Patch::Clear => self.limits = EndpointLimits::default(),
            Patch::Set(limits) => self.limits = limits,
        }
    }
}

/// Stores endpoints. Every method is one atomic step.
#[async_trait]
pub trait EndpointRepository: Send + Sync {
    /// The endpoint with this id.
    async fn find(&self, id: EndpointId) -> Result<Option<Endpoint>, RepoError>;

    /// A page of all endpoints, newest first.
    async fn list(&self, page: &PageRequest) -> Result<Page<Endpoint>, RepoError>;

    /// Stores a new endpoint; `Conflict` when its provider id is taken.
    async fn create(&self, endpoint: &Endpoint) -> Result<(), RepoError>;

    /// Replaces the endpoint that stands at `endpoint.version` and gives it the next version;
    /// `Stale` when it no longer stands there, `Conflict` when the provider id is taken.
    async fn revise(&self, endpoint: &Endpoint) -> Result<Endpoint, RepoError>;
}

/// Why something could not be done with an endpoint.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// There is none with this id.
    #[error("there is no such endpoint")]
    NotFound,
    /// Another endpoint has the provider id.
    #[error("another endpoint has this provider id")]
    IdTaken,
    /// It is not at the version the caller named.
    #[error("the endpoint is not at the expected version")]
    PreconditionFailed,
    /// The store failed.
    #[error("the endpoints could not be read or written")]
    Repo(#[source] RepoError),
}

impl From<RepoError> for EndpointError {
    fn from(error: RepoError) -> Self {
        match error {
            RepoError::Conflict => Self::IdTaken,
            other => Self::Repo(other),
        }
    }
}

/// What administrators do with endpoints.
pub struct Endpoints {
    repository: Arc<dyn EndpointRepository>,
    changes: Arc<CatalogChanges>,
    clock: Arc<dyn Clock>,
}

impl Endpoints {
    /// Builds the use cases on their ports.
    #[must_use]
    pub fn new(
        repository: Arc<dyn EndpointRepository>,
        changes: Arc<CatalogChanges>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            repository,
            changes,
            clock,
        }
    }

    /// Registers an endpoint.
    ///
    /// # Errors
    /// When another endpoint has its provider id.
    pub async fn register(&self, new: NewEndpoint) -> Result<Endpoint, EndpointError> {
        let endpoint = Endpoint::new(new, self.clock.now());
        self.repository.create(&endpoint).await?;
        self.changes.changed_here();
        Ok(endpoint)
    }

    /// Lists endpoints, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self, page: &PageRequest) -> Result<Page<Endpoint>, EndpointError> {
        Ok(self.repository.list(page).await?)
    }

    /// Reads one endpoint.
    ///
    /// # Errors
    /// When there is none with this id.
    pub async fn find(&self, id: EndpointId) -> Result<Endpoint, EndpointError> {
        self.repository
            .find(id)
            .await?
            .ok_or(EndpointError::NotFound)
    }

    /// Changes what `change` mentions.
    ///
    /// # Errors
    /// When there is no such endpoint, it is not what the caller expects, somebody else
    /// changed it meanwhile, or the provider id is taken.
    pub async fn revise(
        &self,
        id: EndpointId,
        expected: &Expected,
        change: EndpointChange,
    ) -> Result<Endpoint, EndpointError> {
        let mut endpoint = self.find(id).await?;
        if !expected.admits(endpoint.version) {
            return Err(EndpointError::PreconditionFailed);
        }
        endpoint.change(change);
        endpoint.updated_at = self.clock.now();
        let revised = match self.repository.revise(&endpoint).await {
            Err(RepoError::Stale) if expected.is_stated() => {
                return Err(EndpointError::PreconditionFailed);
            }
            other => other?,
        };
        self.changes.changed_here();
        Ok(revised)
    }

    /// Switches an endpoint off; it stays for the runs that used it.
    ///
    /// # Errors
    /// As [`Endpoints::revise`].
    pub async fn retire(&self, id: EndpointId, expected: &Expected) -> Result<(), EndpointError> {
        let change = EndpointChange {
            is_active: Some(false),
            ..EndpointChange::default()
        };
        self.revise(id, expected, change).await.map(drop)
    }
}
