//! Tars models: a developer's branded configurations of base models, and their life from
//! draft to market to archive.

mod studio;

use async_trait::async_trait;

use crate::catalog::base_model::BaseModel;
use crate::catalog::input_schema::InputSchema;
use crate::catalog::kinds::{Category, OutputType, TarsModelStatus};
use crate::catalog::overrides::ConfigOverrides;
use crate::clock::Timestamp;
use crate::error::{Issue, RepoError};
use crate::id::{BaseModelId, DeveloperId, TarsModelId};
use crate::money::Price;
use crate::page::{KeyKind, Order, Page, PageRequest};
use crate::patch::{Patch, replace};
use crate::scope::Scope;
use crate::text::{Description, Name, OutputFormat, Slug, Title};
use crate::version::Version;

pub use studio::TarsModels;

/// The base model under a tars model, as far as its developer sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseModelRef {
    /// Its id.
    pub id: BaseModelId,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its name for people.
    pub name: Name,
    /// What it makes or works on.
    pub category: Category,
    /// The kind of thing it returns.
    pub output_type: OutputType,
    /// The format of what it returns.
    pub output_format: OutputFormat,
    /// What it takes.
    pub input_schema: InputSchema,
    /// Whether it is switched on.
    pub is_active: bool,
    /// Whether its endpoint is switched on.
    pub endpoint_is_active: bool,
}

impl From<BaseModel> for BaseModelRef {
    fn from(model: BaseModel) -> Self {
        Self {
            id: model.id,
            slug: model.slug,
            name: model.name,
            category: model.category,
            output_type: model.output_type,
            output_format: model.output_format,
            input_schema: model.input_schema,
            is_active: model.is_active,
            endpoint_is_active: model.endpoint.is_active,
        }
    }
}

/// A tars model as its developer knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct TarsModel {
    /// Its id.
    pub id: TarsModelId,
    /// Whose it is.
    pub developer_id: DeveloperId,
    /// What it is made of.
    pub base_model: BaseModelRef,
    /// Its title in the market.
    pub title: Title,
    /// Its name in addresses.
    pub slug: Slug,
    /// What it does.
    pub description: Option<Description>,
    /// What is fixed, preset and hidden.
    pub overrides: ConfigOverrides,
    /// What a run costs.
    pub price: Price,
    /// Where it is in its life.
    pub status: TarsModelStatus,
    /// Grows with every revision.
    pub version: Version,
    /// How often it was run.
    pub total_runs: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last revised.
    pub updated_at: Timestamp,
    /// When it was last published.
    pub published_at: Option<Timestamp>,
}

/// What a developer says of a new tars model.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTarsModel {
    /// What it is made of.
    pub base_model_id: BaseModelId,
    /// Its title in the market.
    pub title: Title,
    /// Its name in addresses.
    pub slug: Slug,
    /// What it does.
    pub description: Option<Description>,
    /// What a run costs.
    pub price: Price,
    /// What is fixed, preset and hidden.
    pub overrides: ConfigOverrides,
}

/// What a developer changes; absent keeps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TarsModelChange {
    /// What it is made of.
    pub base_model_id: Option<BaseModelId>,
    /// Its title in the market.
    pub title: Option<Title>,
    /// Its name in addresses.
    pub slug: Option<Slug>,
    /// What it does.
    pub description: Patch<Description>,
    /// What a run costs.
    pub price: Option<Price>,
    /// What is fixed, preset and hidden; clearing removes all of it.
    pub overrides: Patch<ConfigOverrides>,
}

impl TarsModel {
    /// The order of a developer's list: newest first.
    pub const ORDER: Order = Order {
        name: "newest",
        key: KeyKind::Integer,
    };

    fn change(&mut self, change: TarsModelChange) {
        let TarsModelChange {
            base_model_id: _,
            title,
            slug,
            description,
            price,
            overrides,
        } = change;
        replace(&mut self.title, title);
        replace(&mut self.slug, slug);
        description.apply(&mut self.description);
        replace(&mut self.price, price);
        match overrides {
            Patch::Keep => {}
            Patch::Clear => self.overrides = ConfigOverrides::default(),
            Patch::Set(overrides) => self.overrides = overrides,
        }
    }

    /// Puts the model into the market.
    ///
    /// # Errors
    /// When it is there already.
    pub fn publish(&mut self, now: Timestamp) -> Result<(), TarsModelError> {
        match self.status {
            TarsModelStatus::Draft | TarsModelStatus::Archived => {
                self.status = TarsModelStatus::Published;
                self.published_at = Some(now);
                Ok(())
            }
            TarsModelStatus::Published => Err(TarsModelError::StatusForbids(self.status)),
        }
    }

    /// Takes the model out of the market, or out of the developer's way.
    ///
    /// # Errors
    /// When it is archived already.
    pub fn archive(&mut self) -> Result<(), TarsModelError> {
        match self.status {
            TarsModelStatus::Draft | TarsModelStatus::Published => {
                self.status = TarsModelStatus::Archived;
                Ok(())
            }
            TarsModelStatus::Archived => Err(TarsModelError::StatusForbids(self.status)),
        }
    }
}

/// Which tars models a list holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TarsModelFilter {
    /// Only those in this status.
    pub status: Option<TarsModelStatus>,
}

/// Stores tars models. Every method is one atomic step.
#[async_trait]
pub trait TarsModelRepository: Send + Sync {
    /// The tars model with this id, if the scope sees it.
    async fn find(&self, scope: Scope, id: TarsModelId) -> Result<Option<TarsModel>, RepoError>;

    /// A page of the scope's tars models, newest first.
    async fn list(
        &self,
        scope: Scope,
        filter: TarsModelFilter,
        page: &PageRequest,
    ) -> Result<Page<TarsModel>, RepoError>;

    /// Stores a new tars model; `Conflict` when its slug is taken.
    async fn create(&self, model: &TarsModel) -> Result<(), RepoError>;

    /// Replaces the tars model that stands at `model.version` and gives it the next version;
    /// `Stale` when it no longer stands there, `Conflict` when the slug is taken.
    async fn revise(&self, model: &TarsModel) -> Result<TarsModel, RepoError>;

    /// Removes a tars model that stands at `version`, is not published and was never run;
    /// `Stale` when any of that is no longer so.
    async fn delete(
        &self,
        scope: Scope,
        id: TarsModelId,
        version: Version,
    ) -> Result<(), RepoError>;
}

/// Why something could not be done with a tars model.
#[derive(Debug, thiserror::Error)]
pub enum TarsModelError {
    /// The caller has none with this id.
    #[error("there is no such tars model")]
    NotFound,
    /// There is no base model with the id that was named.
    #[error("there is no such base model")]
    BaseModelNotFound,
    /// The base model is switched off.
    #[error("the base model is switched off")]
    BaseModelNotActive,
    /// The base model's endpoint is switched off.
    #[error("the endpoint of the base model is switched off")]
    EndpointNotActive,
    /// Another tars model has the slug.
    #[error("another tars model has this slug")]
    SlugTaken,
    /// The model's status does not allow it.
    #[error("the model is {}", .0.as_str())]
    StatusForbids(TarsModelStatus),
    /// The overrides do not fit the base model's schema; paths are relative to them.
    #[error("the overrides do not fit the base model's input schema")]
    OverridesDoNotFit(Vec<Issue>),
    /// It is not at the version the caller named.
    #[error("the tars model is not at the expected version")]
    PreconditionFailed,
    /// The store failed.
    #[error("the tars models could not be read or written")]
    Repo(#[source] RepoError),
}

impl From<RepoError> for TarsModelError {
    fn from(error: RepoError) -> Self {
        match error {
            RepoError::Conflict => Self::SlugTaken,
            other => Self::Repo(other),
        }
    }
}
