//! How a model of the market looks on the wire. These types cannot hold a secret: the schema
//! in the detail is the processed one.

use serde::Serialize;
use serde_json::Value;
use tarsify_domain::PageRequest;
use tarsify_domain::catalog::market::{MarketDetail, MarketEntry};
use tarsify_domain::catalog::{Category, MarketQuery, MarketSort};
use tarsify_domain::text::SearchText;
use url::form_urlencoded;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{QueryFields, QueryIn};
use crate::wire::{self, Moment};

/// Which part of the market to list.
pub(crate) struct MarketModelsQueryIn {
    pub(crate) query: MarketQuery,
    pub(crate) page: PageRequest,
}

impl QueryIn for MarketModelsQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let category = query.optional("category", Category::parse);
        let search = query.optional("search", SearchText::parse);
        let sort = query
            .optional("sort", MarketSort::parse)
            .unwrap_or(match &search {
                Some(_) => MarketSort::Relevance,
                None => MarketSort::Newest,
            });
        let page = query.page(sort.order());
        Some(Self {
            query: MarketQuery {
                category,
                search,
                sort,
            },
            page,
        })
    }
}

impl MarketModelsQueryIn {
    /// The same query in one spelling, without the position: callers who ask for the same in
    /// different spellings share one answer.
    pub(crate) fn canonical(&self) -> String {
        let MarketQuery {
            category,
            search,
            sort,
        } = &self.query;
        let mut canonical = form_urlencoded::Serializer::new(String::new());
        if let Some(category) = category {
            canonical.append_pair("category", category.as_str());
        }
        if let Some(search) = search {
            canonical.append_pair("search", search.as_str());
        }
        if *sort != MarketSort::Relevance {
            canonical.append_pair("sort", sort.order().name);
        }
        canonical.append_pair("limit", &self.page.limit.get().to_string());
        canonical.finish()
    }
}

/// Whose model it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct MarketDeveloperOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f709")]
    id: Uuid,
    #[schema(example = "Grace Hopper")]
    name: String,
}

/// The base model under it, for clients that read it here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarketBaseModelOut {
    #[schema(example = "Image Generator")]
    name: String,
    #[schema(schema_with = wire::category)]
    category: &'static str,
    #[schema(schema_with = wire::output_type)]
    output_type: &'static str,
    #[schema(example = "png")]
    output_format: String,
    #[schema(example = 12)]
    estimated_seconds: u32,
}

/// A model of the market in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarketModelOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70c")]
    id: Uuid,
    #[schema(example = "anime-generator")]
    slug: String,
    #[schema(example = "Anime Generator")]
    title: String,
    #[schema(example = "Your idea as an anime picture.")]
    description: Option<String>,
    #[schema(schema_with = wire::category)]
    category: &'static str,
    #[schema(schema_with = wire::output_type)]
    output_type: &'static str,
    #[schema(example = "png")]
    output_format: String,
    #[schema(example = 12)]
    estimated_seconds: u32,
    #[schema(example = 25)]
    price_credits: i64,
    #[schema(example = 0)]
    total_runs: u64,
    developer: MarketDeveloperOut,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    published_at: Moment,
    base_model: MarketBaseModelOut,
}

/// A model of the market with the schema of its inputs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MarketModelDetailOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70c")]
    id: Uuid,
    #[schema(example = "anime-generator")]
    slug: String,
    #[schema(example = "Anime Generator")]
    title: String,
    #[schema(example = "Your idea as an anime picture.")]
    description: Option<String>,
    #[schema(schema_with = wire::category)]
    category: &'static str,
    #[schema(schema_with = wire::output_type)]
    output_type: &'static str,
    #[schema(example = "png")]
    output_format: String,
    #[schema(example = 12)]
    estimated_seconds: u32,
    #[schema(example = 25)]
    price_credits: i64,
    #[schema(example = 0)]
    total_runs: u64,
    developer: MarketDeveloperOut,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    published_at: Moment,
    base_model: MarketBaseModelOut,
    /// JSON Schema 2020-12 of the inputs that a consumer may send.
    #[schema(schema_with = wire::input_schema)]
    input_schema: Value,
}

impl From<MarketEntry> for MarketModelOut {
    fn from(entry: MarketEntry) -> Self {
        let MarketEntry {
            id,
            slug,
            title,
            description,
            base_model_name,
            category,
            output_type,
            output_format,
            estimated_seconds,
            price,
            total_runs,
            developer,
            published_at,
        } = entry;
        Self {
            id: id.uuid(),
            slug: slug.to_string(),
            title: title.to_string(),
            description: description.map(|text| text.to_string()),
            category: category.as_str(),
            output_type: output_type.as_str(),
            output_format: output_format.to_string(),
            estimated_seconds,
            price_credits: price.credits().get(),
            total_runs,
            developer: MarketDeveloperOut {
                id: developer.id.uuid(),
                name: developer.name,
            },
            published_at: Moment(published_at),
            base_model: MarketBaseModelOut {
                name: base_model_name.to_string(),
                category: category.as_str(),
                output_type: output_type.as_str(),
                output_format: output_format.to_string(),
                estimated_seconds,
            },
        }
    }
}

impl From<MarketDetail> for MarketModelDetailOut {
    fn from(detail: MarketDetail) -> Self {
        let MarketDetail {
            entry,
            input_schema,
        } = detail;
        let MarketModelOut {
            id,
            slug,
            title,
            description,
            category,
            output_type,
            output_format,
            estimated_seconds,
            price_credits,
            total_runs,
            developer,
            published_at,
            base_model,
        } = entry.into();
        Self {
            id,
            slug,
            title,
            description,
            category,
            output_type,
            output_format,
            estimated_seconds,
            price_credits,
            total_runs,
            developer,
            published_at,
            base_model,
            input_schema,
        }
    }
}
