//! How a tars model looks to its owner on the wire.

use serde::Serialize;
use serde_json::Value;
use tarsify_domain::catalog::tars_model::BaseModelRef;
use tarsify_domain::catalog::{
    ConfigOverrides, NewTarsModel, TarsModel, TarsModelChange, TarsModelFilter, TarsModelStatus,
};
use tarsify_domain::id::BaseModelId;
use tarsify_domain::money::Price;
use tarsify_domain::text::{Description, Slug, Title};
use tarsify_domain::{Misfit, PageRequest, Patch};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{Body, Fields, QueryFields, QueryIn, integer, text};
use crate::wire::{self, Moment};

/// What a developer says of a new tars model.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct CreateTarsModelIn {
    /// The base model it is made of.
    #[schema(value_type = Uuid, example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70b")]
    base_model_id: BaseModelId,
    /// Its title in the market.
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "Anime Generator")]
    title: Title,
    /// Its name in addresses.
    #[schema(value_type = String, min_length = 1, max_length = 200, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "anime-generator")]
    slug: Slug,
    /// What it does.
    #[schema(value_type = Option<String>, max_length = 5000, example = "Your idea as an anime picture.")]
    description: Option<Description>,
    /// What a run costs, in credits.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000, default = 10, example = 25)]
    price_credits: Option<Price>,
    /// What is fixed, preset and hidden of the base model's inputs. Known keys: `defaultInputs`, `lockedInputs`, `secretInputs` (objects), `hiddenFields` (a list of names), `promptPrefix`, `promptSuffix`, `promptField` (texts).
    #[schema(schema_with = wire::config_overrides, required = false)]
    config_overrides: Option<ConfigOverrides>,
}

impl Body for CreateTarsModelIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let base_model_id = fields.required("baseModelId", text(base_model_id));
        let title = fields.required("title", text(Title::parse));
        let slug = fields.required("slug", text(Slug::parse));
        let description = fields.optional("description", text(Description::parse));
        let price_credits = fields.optional("priceCredits", integer(Price::parse));
        let config_overrides = fields.optional("configOverrides", ConfigOverrides::parse);
        Some(Self {
            base_model_id: base_model_id?,
            title: title?,
            slug: slug?,
            description,
            price_credits,
            config_overrides,
        })
    }
}

impl From<CreateTarsModelIn> for NewTarsModel {
    fn from(body: CreateTarsModelIn) -> Self {
        let CreateTarsModelIn {
            base_model_id,
            title,
            slug,
            description,
            price_credits,
            config_overrides,
        } = body;
        Self {
            base_model_id,
            title,
            slug,
            description,
            price: price_credits.unwrap_or(Price::DEFAULT),
            overrides: config_overrides.unwrap_or_default(),
        }
    }
}

/// What a developer changes of a tars model: absent keeps, null clears.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct UpdateTarsModelIn {
    /// The base model it is made of.
    #[schema(value_type = Option<Uuid>, example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70b", nullable = false)]
    base_model_id: Option<BaseModelId>,
    /// Its title in the market.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, example = "Anime Generator", nullable = false)]
    title: Option<Title>,
    /// Its name in addresses.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "anime-generator", nullable = false)]
    slug: Option<Slug>,
    /// What it does.
    #[schema(value_type = Option<String>, max_length = 5000, example = "Your idea as an anime picture.")]
    description: Patch<Description>,
    /// What a run costs, in credits.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 1_000_000, example = 25, nullable = false)]
    price_credits: Option<Price>,
    /// What is fixed, preset and hidden; sent, it replaces all that was there.
    #[schema(schema_with = wire::config_overrides, required = false)]
    config_overrides: Patch<ConfigOverrides>,
}

impl Body for UpdateTarsModelIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            base_model_id: fields.change("baseModelId", text(base_model_id)),
            title: fields.change("title", text(Title::parse)),
            slug: fields.change("slug", text(Slug::parse)),
            description: fields.patch("description", text(Description::parse)),
            price_credits: fields.change("priceCredits", integer(Price::parse)),
            config_overrides: fields.patch("configOverrides", ConfigOverrides::parse),
        })
    }
}

impl From<UpdateTarsModelIn> for TarsModelChange {
    fn from(body: UpdateTarsModelIn) -> Self {
        let UpdateTarsModelIn {
            base_model_id,
            title,
            slug,
            description,
            price_credits,
            config_overrides,
        } = body;
        Self {
            base_model_id,
            title,
            slug,
            description,
            price: price_credits,
            overrides: config_overrides,
        }
    }
}

/// What to do with the model.
#[derive(Clone, Copy)]
pub(crate) enum PublishAction {
    Publish,
    Archive,
}

/// Which way a tars model goes.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct PublishTarsModelIn {
    /// `publish` when it is not sent, or `archive`.
    #[schema(value_type = Option<String>, pattern = "^(publish|archive)$", example = "publish")]
    pub(super) action: PublishAction,
}

impl Body for PublishTarsModelIn {
    const MAY_BE_ABSENT: bool = true;

    fn read(fields: &mut Fields) -> Option<Self> {
        let action = fields.optional(
            "action",
            text(|word| match word {
                "publish" => Ok(PublishAction::Publish),
                "archive" => Ok(PublishAction::Archive),
                _ => Err(Misfit::new("enum", "must be one of: publish archive")),
            }),
        );
        Some(Self {
            action: action.unwrap_or(PublishAction::Publish),
        })
    }
}

/// Archiving takes no word; a body is refused only when it could not be one.
#[derive(ToSchema)]
pub(crate) struct ArchiveTarsModelIn {}

impl Body for ArchiveTarsModelIn {
    const MAY_BE_ABSENT: bool = true;

    fn read(_fields: &mut Fields) -> Option<Self> {
        Some(Self {})
    }
}

fn base_model_id(text: &str) -> Result<BaseModelId, Misfit> {
    text.parse()
        .map_err(|_ignored| Misfit::new("format", "must be the id of a base model, a UUID"))
}

/// Which of his tars models a developer wants to see.
pub(crate) struct TarsModelsQueryIn {
    pub(crate) filter: TarsModelFilter,
    pub(crate) page: PageRequest,
}

impl QueryIn for TarsModelsQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let status = query.optional("status", TarsModelStatus::parse);
        let page = query.page(TarsModel::ORDER);
        Some(Self {
            filter: TarsModelFilter { status },
            page,
        })
    }
}

/// The base model of a tars model.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BaseModelRefOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70b")]
    id: Uuid,
    #[schema(example = "image-generator")]
    slug: String,
    #[schema(example = "Image Generator")]
    name: String,
    #[schema(schema_with = wire::category)]
    category: &'static str,
    #[schema(schema_with = wire::output_type)]
    output_type: &'static str,
    #[schema(example = "png")]
    output_format: String,
    #[schema(schema_with = wire::input_schema)]
    input_schema: Value,
}

/// A tars model as its owner sees it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TarsModelOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70c")]
    id: Uuid,
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f709")]
    developer_id: Uuid,
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70b")]
    base_model_id: Uuid,
    #[schema(example = "Anime Generator")]
    title: String,
    #[schema(example = "anime-generator")]
    slug: String,
    #[schema(example = "Your idea as an anime picture.")]
    description: Option<String>,
    #[schema(schema_with = wire::config_overrides)]
    config_overrides: Value,
    #[schema(example = 25)]
    price_credits: i64,
    #[schema(schema_with = wire::status)]
    status: &'static str,
    /// Grows by one with every change.
    #[schema(example = 1)]
    version: i64,
    #[schema(example = 0)]
    total_runs: u64,
    base_model: BaseModelRefOut,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    updated_at: Moment,
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    published_at: Option<Moment>,
}

impl From<TarsModel> for TarsModelOut {
    fn from(model: TarsModel) -> Self {
        let TarsModel {
            id,
            developer_id,
            base_model,
            title,
            slug,
            description,
            overrides,
            price,
            status,
            version,
            total_runs,
            created_at,
            updated_at,
            published_at,
        } = model;
        Self {
            id: id.uuid(),
            developer_id: developer_id.uuid(),
            base_model_id: base_model.id.uuid(),
            title: title.to_string(),
            slug: slug.to_string(),
            description: description.map(|text| text.to_string()),
            config_overrides: overrides.to_value(),
            price_credits: price.credits().get(),
            status: status.as_str(),
            version: version.get(),
            total_runs,
            base_model: base_model.into(),
            created_at: Moment(created_at),
            updated_at: Moment(updated_at),
            published_at: published_at.map(Moment),
        }
    }
}

impl From<BaseModelRef> for BaseModelRefOut {
    fn from(model: BaseModelRef) -> Self {
        let BaseModelRef {
            id,
            slug,
            name,
            category,
            output_type,
            output_format,
            input_schema,
            is_active: _,
            endpoint_is_active: _,
        } = model;
        Self {
            id: id.uuid(),
            slug: slug.to_string(),
            name: name.to_string(),
            category: category.as_str(),
            output_type: output_type.as_str(),
            output_format: output_format.to_string(),
            input_schema: input_schema.to_value(),
        }
    }
}
