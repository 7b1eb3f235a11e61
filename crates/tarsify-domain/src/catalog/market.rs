//! The market: what the public sees of published tars models.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::catalog::changes::CatalogChanges;
use crate::catalog::input_schema::{InputSchema, SchemaRules};
use crate::catalog::kinds::{Category, OutputType};
use crate::catalog::overrides::ConfigOverrides;
use crate::clock::Timestamp;
use crate::error::{Misfit, RepoError};
use crate::id::{DeveloperId, TarsModelId};
use crate::money::Price;
use crate::page::{KeyKind, Order, Page, PageRequest};
use crate::text::{Description, Name, OutputFormat, SearchText, Slug, Title};

/// How the market is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MarketSort {
    /// Most recently published first.
    Newest,
    /// Most often run first.
    Popular,
    /// Cheapest first.
    Price,
    /// Dearest first.
    PriceDescending,
    /// By title.
    Title,
    /// Best match first; only with a search.
    Relevance,
}

impl MarketSort {
    /// Reads the word of the query.
    ///
    /// # Errors
    /// When there is no such order.
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        match text {
            "newest" => Ok(Self::Newest),
            "popular" => Ok(Self::Popular),
            "price" => Ok(Self::Price),
            "-price" => Ok(Self::PriceDescending),
            "title" => Ok(Self::Title),
            _ => Err(Misfit::new(
                "enum",
                "must be one of: newest popular price -price title",
            )),
        }
    }

    /// The order that cursors are bound to.
    #[must_use]
    pub const fn order(self) -> Order {
        let (name, key) = match self {
            Self::Newest => ("newest", KeyKind::Integer),
            Self::Popular => ("popular", KeyKind::Integer),
            Self::Price => ("price", KeyKind::Integer),
            Self::PriceDescending => ("-price", KeyKind::Integer),
            Self::Title => ("title", KeyKind::Text),
            Self::Relevance => ("relevance", KeyKind::Integer),
        };
        Order { name, key }
    }
}

/// Which part of the market is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MarketQuery {
    /// Only this category.
    pub category: Option<Category>,
    /// Only what matches this text.
    pub search: Option<SearchText>,
    /// In this order.
    pub sort: MarketSort,
}

/// Whose model it is, as far as the public is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketDeveloper {
    /// The developer's id.
    pub id: DeveloperId,
    /// The name the market shows.
    pub name: String,
}

impl MarketDeveloper {
    /// What a developer is called who has given no name: his e-mail address is nobody's business.
    const NAMELESS: &'static str = "Developer";

    /// Shows a developer by his name, if he has one.
    #[must_use]
    pub fn new(id: DeveloperId, name: Option<String>) -> Self {
        let name = name.unwrap_or_else(|| Self::NAMELESS.to_owned());
        Self { id, name }
    }
}

/// A published tars model in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketEntry {
    /// Its id.
    pub id: TarsModelId,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its title.
    pub title: Title,
    /// What it does.
    pub description: Option<Description>,
    /// The name of its base model.
    pub base_model_name: Name,
    /// What it makes or works on.
    pub category: Category,
    /// The kind of thing it returns.
    pub output_type: OutputType,
    /// The format of what it returns.
    pub output_format: OutputFormat,
    /// How long a run usually takes.
    pub estimated_seconds: u32,
    /// What a run costs.
    pub price: Price,
    /// How often it was run.
    pub total_runs: u64,
    /// Whose it is.
    pub developer: MarketDeveloper,
    /// When it was published.
    pub published_at: Timestamp,
}

/// What the store knows of a published tars model. It holds secrets of the developer and
/// goes no further than [`Market`].
#[derive(Debug, Clone, PartialEq)]
pub struct MarketSource {
    /// What the public may see.
    pub entry: MarketEntry,
    /// What the base model takes.
    pub input_schema: InputSchema,
    /// What its developer fixed, preset and hid.
    pub overrides: ConfigOverrides,
}

/// A published tars model with the form that consumers fill in.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketDetail {
    /// What stands in lists too.
    pub entry: MarketEntry,
    /// The schema of the inputs that a consumer may send.
    pub input_schema: Value,
}

/// Reads what is published. Every method is one statement.
#[async_trait]
pub trait MarketRepository: Send + Sync {
    /// A page of the market.
    async fn list(
        &self,
        query: &MarketQuery,
        page: &PageRequest,
    ) -> Result<Page<MarketEntry>, RepoError>;

    /// The published tars model with this slug.
    async fn find(&self, slug: &Slug) -> Result<Option<MarketSource>, RepoError>;

    /// A number that changes with every committed change of what the market shows.
    async fn version(&self) -> Result<i64, RepoError>;
}

/// Why the market could not answer.
#[derive(Debug, thiserror::Error)]
pub enum MarketError {
    /// Nothing published has this slug.
    #[error("the market has no such model")]
    NotFound,
    /// The store failed.
    #[error("the market could not be read")]
    Repo(#[from] RepoError),
}

/// What the public does in the market.
pub struct Market {
    repository: Arc<dyn MarketRepository>,
    schemas: Arc<dyn SchemaRules>,
    changes: Arc<CatalogChanges>,
}

impl Market {
    /// Builds the use cases on their ports.
    #[must_use]
    pub fn new(
        repository: Arc<dyn MarketRepository>,
        schemas: Arc<dyn SchemaRules>,
        changes: Arc<CatalogChanges>,
    ) -> Self {
        Self {
            repository,
            schemas,
            changes,
        }
    }

    /// The same market read in another way, such as over connections of its own.
    #[must_use]
    pub fn through(&self, repository: Arc<dyn MarketRepository>) -> Self {
        Self::new(
            repository,
            Arc::clone(&self.schemas),
            Arc::clone(&self.changes),
        )
    }

    /// The revision that whatever is read now belongs to; see [`CatalogChanges::revision`].
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.changes.revision()
    }

    /// Learns of what other processes changed. To be called a few times a second.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn observe_changes(&self) -> Result<(), MarketError> {
        self.changes.observe(self.repository.version().await?);
        Ok(())
    }

    /// Reads a page of the market.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        query: &MarketQuery,
        page: &PageRequest,
    ) -> Result<Page<MarketEntry>, MarketError> {
        Ok(self.repository.list(query, page).await?)
    }

    /// Reads one published model, with the schema that consumers may see.
    ///
    /// # Errors
    /// When nothing published has this slug.
    pub async fn find(&self, slug: &Slug) -> Result<MarketDetail, MarketError> {
        let source = self
            .repository
            .find(slug)
            .await?
            .ok_or(MarketError::NotFound)?;
        let input_schema = self
            .schemas
            .process_schema(&source.input_schema, &source.overrides);
        Ok(MarketDetail {
            entry: source.entry,
            input_schema,
        })
    }
}
