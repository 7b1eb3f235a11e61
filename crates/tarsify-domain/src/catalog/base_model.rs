//! Base models: capabilities on endpoints, described by a JSON Schema of their inputs.

use std::sync::Arc;

use async_trait::async_trait;

use crate::catalog::changes::CatalogChanges;
use crate::catalog::endpoint::EndpointRepository;
use crate::catalog::input_schema::{InputSchema, SchemaRules};
use crate::catalog::kinds::{Category, OutputType};
use crate::clock::{Clock, Timestamp};
use crate::error::{Issue, Misfit, RepoError};
use crate::id::{BaseModelId, EndpointId};
use crate::page::{KeyKind, Order, Page, PageRequest};
use crate::patch::{Patch, replace};
use crate::text::{Description, Name, OutputFormat, Slug};
use crate::version::{Expected, Version};

/// A number of seconds between 1 and 7 days, which is as long as a provider lets a job run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(u32);

impl Seconds {
    /// Seven days.
    pub const MAX: i64 = 604_800;
    /// How long a run usually takes when nobody said.
    pub const DEFAULT_ESTIMATE: Self = Self(30);
    /// How long a run may take when nobody said.
    pub const DEFAULT_TIMEOUT: Self = Self(600);

    /// Checks the bounds.
    ///
    /// # Errors
    /// When the number is not between 1 and 604,800.
    pub fn parse(number: i64) -> Result<Self, Misfit> {
        match u32::try_from(number) {
            Ok(seconds) if seconds >= 1 && number <= Self::MAX => Ok(Self(seconds)),
            _ => Err(Misfit::new("range", "must be between 1 and 604800 seconds")),
        }
    }

    /// The number of seconds.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The endpoint of a base model, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRef {
    /// Its id with us.
    pub id: EndpointId,
    /// The operator's name for it.
    pub name: Name,
    /// Whether runs may be sent to it.
    pub is_active: bool,
}

/// A base model as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseModel {
    /// Its id.
    pub id: BaseModelId,
    /// Where it runs.
    pub endpoint: EndpointRef,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its name for people.
    pub name: Name,
    /// What it does.
    pub description: Option<Description>,
    /// What it makes or works on.
    pub category: Category,
    /// What it takes.
    pub input_schema: InputSchema,
    /// The kind of thing it returns.
    pub output_type: OutputType,
    /// The format of what it returns.
    pub output_format: OutputFormat,
    /// How long a run usually takes.
    pub estimated: Seconds,
    /// How long a run may take.
    pub timeout: Seconds,
    /// Whether it says parts of its output while it works.
    pub streams_output: bool,
    /// Whether new tars models and runs may use it.
    pub is_active: bool,
    /// How many tars models are made of it.
    pub tars_model_count: u64,
    /// Grows with every revision.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last revised.
    pub updated_at: Timestamp,
}

/// What an administrator says of a new base model.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBaseModel {
    /// Where it runs.
    pub endpoint_id: EndpointId,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its name for people.
    pub name: Name,
    /// What it does.
    pub description: Option<Description>,
    /// What it makes or works on.
    pub category: Category,
    /// What it takes.
    pub input_schema: InputSchema,
    /// The kind of thing it returns.
    pub output_type: OutputType,
    /// The format of what it returns.
    pub output_format: OutputFormat,
    /// How long a run usually takes.
    pub estimated: Seconds,
    /// How long a run may take.
    pub timeout: Seconds,
    /// Whether it says parts of its output while it works.
    pub streams_output: bool,
    /// Whether new tars models and runs may use it.
    pub is_active: bool,
}

/// What an administrator changes; absent keeps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BaseModelChange {
    /// Where it runs.
    pub endpoint_id: Option<EndpointId>,
    /// Its name in addresses.
    pub slug: Option<Slug>,
    /// Its name for people.
    pub name: Option<Name>,
    /// What it does.
    pub description: Patch<Description>,
    /// What it makes or works on.
    pub category: Option<Category>,
    /// What it takes.
    pub input_schema: Option<InputSchema>,
    /// The kind of thing it returns.
    pub output_type: Option<OutputType>,
    /// The format of what it returns.
    pub output_format: Option<OutputFormat>,
    /// How long a run usually takes.
    pub estimated: Option<Seconds>,
    /// How long a run may take.
    pub timeout: Option<Seconds>,
    /// Whether it says parts of its output while it works.
    pub streams_output: Option<bool>,
    /// Whether new tars models and runs may use it.
    pub is_active: Option<bool>,
}

impl BaseModel {
    /// The order of every list of base models: newest first.
    pub const ORDER: Order = Order {
        name: "newest",
        key: KeyKind::Integer,
    };

    /// Whether new tars models can be published on it and runs sent to it.
    #[must_use]
    pub const fn can_run(&self) -> bool {
        self.is_active && self.endpoint.is_active
    }

    fn new(new: NewBaseModel, endpoint: EndpointRef, now: Timestamp) -> Self {
        let NewBaseModel {
            endpoint_id: _,
            slug,
            name,
            description,
            category,
            input_schema,
            output_type,
            output_format,
            estimated,
            timeout,
            streams_output,
            is_active,
        } = new;
        Self {
            id: BaseModelId::new(now),
            endpoint,
            slug,
            name,
            description,
            category,
            input_schema,
            output_type,
            output_format,
            estimated,
            timeout,
            streams_output,
            is_active,
            tars_model_count: 0,
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        }
    }

    fn change(&mut self, change: BaseModelChange) {
        let BaseModelChange {
            endpoint_id: _,
            slug,
            name,
            description,
            category,
            input_schema,
            output_type,
            output_format,
            estimated,
            timeout,
            streams_output,
            is_active,
        } = change;
        replace(&mut self.slug, slug);
        replace(&mut self.name, name);
        description.apply(&mut self.description);
        replace(&mut self.category, category);
        replace(&mut self.input_schema, input_schema);
        replace(&mut self.output_type, output_type);
        replace(&mut self.output_format, output_format);
        replace(&mut self.estimated, estimated);
        replace(&mut self.timeout, timeout);
        replace(&mut self.streams_output, streams_output);
        replace(&mut self.is_active, is_active);
    }
}

/// Which base models a list holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BaseModelFilter {
    /// Only this category.
    pub category: Option<Category>,
}

/// Stores base models. Every method is one atomic step.
#[async_trait]
pub trait BaseModelRepository: Send + Sync {
    /// The base model with this id.
    async fn find(&self, id: BaseModelId) -> Result<Option<BaseModel>, RepoError>;

    /// The base model with this slug.
    async fn find_by_slug(&self, slug: &Slug) -> Result<Option<BaseModel>, RepoError>;

    /// A page of all base models, newest first.
    async fn list(
        &self,
        filter: BaseModelFilter,
        page: &PageRequest,
    ) -> Result<Page<BaseModel>, RepoError>;

    /// The base models that are switched on, by name; at most
    /// [`BaseModels::MOST_OFFERED`].
    async fn list_offered(&self, filter: BaseModelFilter) -> Result<Vec<BaseModel>, RepoError>;

    /// Stores a new base model; `Conflict` when its slug is taken.
    async fn create(&self, model: &BaseModel) -> Result<(), RepoError>;

    /// Replaces the base model that stands at `model.version` and gives it the next version;
    /// `Stale` when it no longer stands there, `Conflict` when the slug is taken.
    async fn revise(&self, model: &BaseModel) -> Result<BaseModel, RepoError>;
}

/// Why something could not be done with a base model.
#[derive(Debug, thiserror::Error)]
pub enum BaseModelError {
    /// There is none with this id.
    #[error("there is no such base model")]
    NotFound,
    /// There is no endpoint with the id that was named.
    #[error("there is no such endpoint")]
    EndpointNotFound,
    /// Another base model has the slug.
    #[error("another base model has this slug")]
    SlugTaken,
    /// The input schema cannot be used; paths are relative to it.
    #[error("the input schema cannot be used")]
    SchemaUnusable(Vec<Issue>),
    /// It is not at the version the caller named.
    #[error("the base model is not at the expected version")]
    PreconditionFailed,
    /// The store failed.
    #[error("the base models could not be read or written")]
    Repo(#[source] RepoError),
}

impl From<RepoError> for BaseModelError {
    fn from(error: RepoError) -> Self {
        match error {
            RepoError::Conflict => Self::SlugTaken,
            other => Self::Repo(other),
        }
    }
}

/// What administrators do with base models, and what developers see of them.
pub struct BaseModels {
    /// Where base models are kept.
    pub repository: Arc<dyn BaseModelRepository>,
    /// Where their endpoints are kept.
    pub endpoints: Arc<dyn EndpointRepository>,
    /// Who knows JSON Schema.
    pub schemas: Arc<dyn SchemaRules>,
    /// Who is told of changes.
    pub changes: Arc<CatalogChanges>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl BaseModels {
    /// Most base models that developers are offered at once.
    pub const MOST_OFFERED: u32 = 1_000;

    /// Makes a base model.
    ///
    /// # Errors
    /// When its schema cannot be used, its endpoint does not exist or its slug is taken.
    pub async fn create(&self, new: NewBaseModel) -> Result<BaseModel, BaseModelError> {
        self.check_schema(&new.input_schema)?;
        let endpoint = self.endpoint(new.endpoint_id).await?;
        let model = BaseModel::new(new, endpoint, self.clock.now());
        self.repository.create(&model).await?;
        self.changes.changed_here();
        Ok(model)
    }

    /// Lists base models, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        filter: BaseModelFilter,
        page: &PageRequest,
    ) -> Result<Page<BaseModel>, BaseModelError> {
        Ok(self.repository.list(filter, page).await?)
    }

    /// Lists what developers can build on, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_offered(
        &self,
        filter: BaseModelFilter,
    ) -> Result<Vec<BaseModel>, BaseModelError> {
        Ok(self.repository.list_offered(filter).await?)
    }

    /// Reads one base model.
    ///
    /// # Errors
    /// When there is none with this id.
    pub async fn find(&self, id: BaseModelId) -> Result<BaseModel, BaseModelError> {
        self.repository
            .find(id)
            .await?
            .ok_or(BaseModelError::NotFound)
    }

    /// Changes what `change` mentions.
    ///
    /// # Errors
    /// When there is no such base model or endpoint, the schema cannot be used, it is not what
    /// the caller expects, somebody else changed it meanwhile, or the slug is taken.
    pub async fn revise(
        &self,
        id: BaseModelId,
        expected: &Expected,
        change: BaseModelChange,
    ) -> Result<BaseModel, BaseModelError> {
        if let Some(schema) = &change.input_schema {
            self.check_schema(schema)?;
        }
        let mut model = self.find(id).await?;
        if !expected.admits(model.version) {
            return Err(BaseModelError::PreconditionFailed);
        }
        if let Some(endpoint_id) = change.endpoint_id {
            model.endpoint = self.endpoint(endpoint_id).await?;
        }
        model.change(change);
        model.updated_at = self.clock.now();
        let revised = match self.repository.revise(&model).await {
            Err(RepoError::Stale) if expected.is_stated() => {
                return Err(BaseModelError::PreconditionFailed);
            }
            other => other?,
        };
        self.changes.changed_here();
        Ok(revised)
    }

    /// Switches a base model off; it stays for the tars models made of it.
    ///
    /// # Errors
    /// As [`BaseModels::revise`].
    pub async fn retire(&self, id: BaseModelId, expected: &Expected) -> Result<(), BaseModelError> {
        let change = BaseModelChange {
            is_active: Some(false),
            ..BaseModelChange::default()
        };
        self.revise(id, expected, change).await.map(drop)
    }

    fn check_schema(&self, schema: &InputSchema) -> Result<(), BaseModelError> {
        let issues = self.schemas.check_schema(schema);
        if issues.is_empty() {
            Ok(())
        } else {
            Err(BaseModelError::SchemaUnusable(issues))
        }
    }

    async fn endpoint(&self, id: EndpointId) -> Result<EndpointRef, BaseModelError> {
        let endpoint = self
            .endpoints
            .find(id)
            .await?
            .ok_or(BaseModelError::EndpointNotFound)?;
        Ok(EndpointRef {
            id: endpoint.id,
            name: endpoint.name,
            is_active: endpoint.is_active,
        })
    }
}
