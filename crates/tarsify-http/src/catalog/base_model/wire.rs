//! How a base model looks on the wire.

use serde::Serialize;
use serde_json::Value;
use tarsify_domain::catalog::base_model::{EndpointRef, Seconds};
use tarsify_domain::catalog::{
    BaseModel, BaseModelChange, BaseModelFilter, Category, InputSchema, NewBaseModel, OutputType,
};
use tarsify_domain::id::EndpointId;
use tarsify_domain::text::{Description, Name, OutputFormat, Slug};
use tarsify_domain::{Misfit, PageRequest, Patch};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{Body, Fields, QueryFields, QueryIn, boolean, integer, json_value, text};
use crate::wire::{self, Moment};

/// What an administrator says of a new base model.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct CreateBaseModelIn {
    /// The endpoint it runs on.
    #[schema(value_type = Uuid, example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70a")]
    endpoint_id: EndpointId,
    /// Its name in addresses.
    #[schema(value_type = String, min_length = 1, max_length = 200, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "image-generator")]
    slug: Slug,
    /// Its name for people.
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "Image Generator")]
    name: Name,
    /// What it does.
    #[schema(value_type = Option<String>, max_length = 5000, example = "Pictures from words, with SDXL.")]
    description: Option<Description>,
    /// What it makes or works on.
    #[schema(schema_with = wire::category)]
    category: Category,
    /// JSON Schema 2020-12 of its inputs: an object schema without references to other documents.
    #[schema(schema_with = wire::input_schema)]
    input_schema: InputSchema,
    /// The kind of thing it returns.
    #[schema(schema_with = wire::output_type)]
    output_type: OutputType,
    /// The format of what it returns.
    #[schema(value_type = String, min_length = 1, max_length = 50, example = "png")]
    output_format: OutputFormat,
    /// How long a run usually takes.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 604_800, default = 30, example = 12)]
    estimated_seconds: Option<Seconds>,
    /// How long a run may take.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 604_800, default = 600, example = 300)]
    timeout_seconds: Option<Seconds>,
    /// Whether it says parts of its output while it works. They are told to whoever follows a run.
    #[schema(default = false, example = false)]
    streams_output: Option<bool>,
    /// Whether new tars models and runs may use it.
    #[schema(default = true, example = true)]
    is_active: Option<bool>,
}

impl Body for CreateBaseModelIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let endpoint_id = fields.required("endpointId", text(endpoint_id));
        let slug = fields.required("slug", text(Slug::parse));
        let name = fields.required("name", text(Name::parse));
        let description = fields.optional("description", text(Description::parse));
        let category = fields.required("category", text(Category::parse));
        let input_schema = fields.required("inputSchema", json_value(InputSchema::parse));
        let output_type = fields.required("outputType", text(OutputType::parse));
        let output_format = fields.required("outputFormat", text(OutputFormat::parse));
        let estimated_seconds = fields.optional("estimatedSeconds", integer(Seconds::parse));
        let timeout_seconds = fields.optional("timeoutSeconds", integer(Seconds::parse));
        let streams_output = fields.optional("streamsOutput", boolean);
        let is_active = fields.optional("isActive", boolean);
        Some(Self {
            endpoint_id: endpoint_id?,
            slug: slug?,
            name: name?,
            description,
            category: category?,
            input_schema: input_schema?,
            output_type: output_type?,
            output_format: output_format?,
            estimated_seconds,
            timeout_seconds,
            streams_output,
            is_active,
        })
    }
}

impl From<CreateBaseModelIn> for NewBaseModel {
    fn from(body: CreateBaseModelIn) -> Self {
        let CreateBaseModelIn {
            endpoint_id,
            slug,
            name,
            description,
            category,
            input_schema,
            output_type,
            output_format,
            estimated_seconds,
            timeout_seconds,
            streams_output,
            is_active,
        } = body;
        Self {
            endpoint_id,
            slug,
            name,
            description,
            category,
            input_schema,
            output_type,
            output_format,
            estimated: estimated_seconds.unwrap_or(Seconds::DEFAULT_ESTIMATE),
            timeout: timeout_seconds.unwrap_or(Seconds::DEFAULT_TIMEOUT),
            streams_output: streams_output.unwrap_or(false),
            is_active: is_active.unwrap_or(true),
        }
    }
}

/// What an administrator changes of a base model: absent keeps, null clears.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct UpdateBaseModelIn {
    /// The endpoint it runs on.
    #[schema(value_type = Option<Uuid>, example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70a", nullable = false)]
    endpoint_id: Option<EndpointId>,
    /// Its name in addresses.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "image-generator", nullable = false)]
    slug: Option<Slug>,
    /// Its name for people.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, example = "Image Generator", nullable = false)]
    name: Option<Name>,
    /// What it does.
    #[schema(value_type = Option<String>, max_length = 5000, example = "Pictures from words, with SDXL.")]
    description: Patch<Description>,
    /// What it makes or works on.
    #[schema(schema_with = wire::category, required = false)]
    category: Option<Category>,
    /// JSON Schema 2020-12 of its inputs.
    #[schema(schema_with = wire::input_schema, required = false)]
    input_schema: Option<InputSchema>,
    /// The kind of thing it returns.
    #[schema(schema_with = wire::output_type, required = false)]
    output_type: Option<OutputType>,
    /// The format of what it returns.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 50, example = "png", nullable = false)]
    output_format: Option<OutputFormat>,
    /// How long a run usually takes.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 604_800, example = 12, nullable = false)]
    estimated_seconds: Option<Seconds>,
    /// How long a run may take.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 604_800, example = 300, nullable = false)]
    timeout_seconds: Option<Seconds>,
    /// Whether it says parts of its output while it works. They are told to whoever follows a run.
    #[schema(example = true, nullable = false)]
    streams_output: Option<bool>,
    /// Whether new tars models and runs may use it.
    #[schema(example = true, nullable = false)]
    is_active: Option<bool>,
}

impl Body for UpdateBaseModelIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            endpoint_id: fields.change("endpointId", text(endpoint_id)),
            slug: fields.change("slug", text(Slug::parse)),
            name: fields.change("name", text(Name::parse)),
            description: fields.patch("description", text(Description::parse)),
            category: fields.change("category", text(Category::parse)),
            input_schema: fields.change("inputSchema", json_value(InputSchema::parse)),
            output_type: fields.change("outputType", text(OutputType::parse)),
            output_format: fields.change("outputFormat", text(OutputFormat::parse)),
            estimated_seconds: fields.change("estimatedSeconds", integer(Seconds::parse)),
            timeout_seconds: fields.change("timeoutSeconds", integer(Seconds::parse)),
            streams_output: fields.change("streamsOutput", boolean),
            is_active: fields.change("isActive", boolean),
        })
    }
}

impl From<UpdateBaseModelIn> for BaseModelChange {
    fn from(body: UpdateBaseModelIn) -> Self {
        let UpdateBaseModelIn {
            endpoint_id,
            slug,
            name,
            description,
            category,
            input_schema,
            output_type,
            output_format,
            estimated_seconds,
            timeout_seconds,
            streams_output,
            is_active,
        } = body;
        Self {
            endpoint_id,
            slug,
            name,
            description,
            category,
            input_schema,
            output_type,
            output_format,
            estimated: estimated_seconds,
            timeout: timeout_seconds,
            streams_output,
            is_active,
        }
    }
}

fn endpoint_id(text: &str) -> Result<EndpointId, Misfit> {
    text.parse()
        .map_err(|_ignored| Misfit::new("format", "must be the id of an endpoint, a UUID"))
}

/// Which base models to list.
pub(crate) struct BaseModelsQueryIn {
    pub(crate) filter: BaseModelFilter,
    pub(crate) page: PageRequest,
}

impl QueryIn for BaseModelsQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let category = query.optional("category", Category::parse);
        let page = query.page(BaseModel::ORDER);
        Some(Self {
            filter: BaseModelFilter { category },
            page,
        })
    }
}

/// Which base models on offer to list.
pub(crate) struct OfferedQueryIn {
    pub(crate) filter: BaseModelFilter,
}

impl QueryIn for OfferedQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        let category = query.optional("category", Category::parse);
        Some(Self {
            filter: BaseModelFilter { category },
        })
    }
}

/// A base model as developers see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BaseModelOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70b")]
    id: Uuid,
    #[schema(example = "image-generator")]
    slug: String,
    #[schema(example = "Image Generator")]
    name: String,
    #[schema(example = "Pictures from words, with SDXL.")]
    description: Option<String>,
    #[schema(schema_with = wire::category)]
    category: &'static str,
    #[schema(schema_with = wire::input_schema)]
    input_schema: Value,
    #[schema(schema_with = wire::output_type)]
    output_type: &'static str,
    #[schema(example = "png")]
    output_format: String,
    #[schema(example = 12)]
    estimated_seconds: u32,
    #[schema(example = false)]
    streams_output: bool,
    #[schema(example = true)]
    is_active: bool,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    updated_at: Moment,
}

/// The base models on offer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BaseModelsOut {
    pub(crate) base_models: Vec<BaseModelOut>,
}

/// The endpoint of a base model.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndpointRefOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70a")]
    id: Uuid,
    #[schema(example = "SDXL in Europe")]
    name: String,
}

/// A base model as administrators see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminBaseModelOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70b")]
    id: Uuid,
    endpoint: EndpointRefOut,
    #[schema(example = "image-generator")]
    slug: String,
    #[schema(example = "Image Generator")]
    name: String,
    #[schema(example = "Pictures from words, with SDXL.")]
    description: Option<String>,
    #[schema(schema_with = wire::category)]
    category: &'static str,
    #[schema(schema_with = wire::input_schema)]
    input_schema: Value,
    #[schema(schema_with = wire::output_type)]
    output_type: &'static str,
    #[schema(example = "png")]
    output_format: String,
    #[schema(example = 12)]
    estimated_seconds: u32,
    #[schema(example = 300)]
    timeout_seconds: u32,
    #[schema(example = false)]
    streams_output: bool,
    #[schema(example = true)]
    is_active: bool,
    #[schema(example = 3)]
    tars_model_count: u64,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    updated_at: Moment,
}

impl From<BaseModel> for BaseModelOut {
    fn from(model: BaseModel) -> Self {
        let BaseModel {
            id,
            endpoint: _,
            slug,
            name,
            description,
            category,
            input_schema,
            output_type,
            output_format,
            estimated,
            timeout: _,
            streams_output,
            is_active,
            tars_model_count: _,
            version: _,
            created_at,
            updated_at,
        } = model;
        Self {
            id: id.uuid(),
            slug: slug.to_string(),
            name: name.to_string(),
            description: description.map(|text| text.to_string()),
            category: category.as_str(),
            input_schema: input_schema.to_value(),
            output_type: output_type.as_str(),
            output_format: output_format.to_string(),
            estimated_seconds: estimated.get(),
            streams_output,
            is_active,
            created_at: Moment(created_at),
            updated_at: Moment(updated_at),
        }
    }
}

impl From<BaseModel> for AdminBaseModelOut {
    fn from(model: BaseModel) -> Self {
        let BaseModel {
            id,
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
            tars_model_count,
            version: _,
            created_at,
            updated_at,
        } = model;
        let EndpointRef {
            id: endpoint_id,
            name: endpoint_name,
            is_active: _,
        } = endpoint;
        Self {
            id: id.uuid(),
            endpoint: EndpointRefOut {
                id: endpoint_id.uuid(),
                name: endpoint_name.to_string(),
            },
            slug: slug.to_string(),
            name: name.to_string(),
            description: description.map(|text| text.to_string()),
            category: category.as_str(),
            input_schema: input_schema.to_value(),
            output_type: output_type.as_str(),
            output_format: output_format.to_string(),
            estimated_seconds: estimated.get(),
            timeout_seconds: timeout.get(),
            streams_output,
            is_active,
            tars_model_count,
            created_at: Moment(created_at),
            updated_at: Moment(updated_at),
        }
    }
}
