//! Endpoints, base models and tars models to start a test from.

use serde_json::{Value, json};
use tarsify_domain::Timestamp;
use tarsify_domain::catalog::base_model::{EndpointRef, Seconds};
use tarsify_domain::catalog::endpoint::{EndpointLimits, ProviderEndpointId};
use tarsify_domain::catalog::{
    BaseModel, Category, ConfigOverrides, Endpoint, EndpointSource, InputSchema, NewBaseModel,
    NewEndpoint, NewTarsModel, OutputType, Provider, TarsModel, TarsModelStatus,
};
use tarsify_domain::id::{BaseModelId, DeveloperId, EndpointId, TarsModelId};
use tarsify_domain::text::{DockerImage, GpuType, OutputFormat};
use tarsify_domain::version::Version;

use super::{description, name, price, slug, title, unique};

/// What an administrator says of a new, active endpoint.
///
/// # Panics
/// Never with the values it has.
#[must_use]
pub fn new_endpoint() -> NewEndpoint {
    let number = unique();
    NewEndpoint {
        provider_endpoint_id: ProviderEndpointId::parse(&format!("endpoint{number}"))
            .expect("the provider id is good"),
        provider: Provider::RunPod,
        name: name(&format!("SDXL workers {number}")),
        source: EndpointSource::Hub,
        docker_image: Some(
            DockerImage::parse("example.com/workers/sdxl:1.4").expect("the image is good"),
        ),
        gpu_type: GpuType::parse("NVIDIA RTX 4090").expect("the GPU is good"),
        is_active: true,
        limits: EndpointLimits {
            max_concurrency: Some(4),
            ..EndpointLimits::default()
        },
    }
}

/// An active endpoint that nobody has stored yet.
#[must_use]
pub fn endpoint(now: Timestamp) -> Endpoint {
    Endpoint::new(new_endpoint(), now)
}

/// The inputs of a typical text-to-image model.
///
/// # Panics
/// Never with the value it has.
#[must_use]
pub fn text_to_image_schema() -> InputSchema {
    schema(json!({
        "type": "object",
        "title": "Text to image",
        "properties": {
            "prompt": {
                "type": "string",
                "title": "Prompt",
                "description": "What the picture shows.",
                "minLength": 1,
                "maxLength": 2000
            },
            "negativePrompt": {"type": "string", "title": "Leave out", "default": ""},
            "width": {"type": "integer", "minimum": 256, "maximum": 2048, "default": 1024},
            "height": {"type": "integer", "minimum": 256, "maximum": 2048, "default": 1024},
            "steps": {"type": "integer", "minimum": 1, "maximum": 100, "default": 30},
            "guidanceScale": {"type": "number", "minimum": 0, "maximum": 20, "default": 7.5},
            "seed": {"type": "integer", "minimum": 0, "maximum": u64::from(u32::MAX)},
            "scheduler": {"type": "string", "enum": ["DDIM", "Euler a"], "default": "DDIM"}
        },
        "required": ["prompt"],
        "additionalProperties": false
    }))
}

fn schema(value: Value) -> InputSchema {
    InputSchema::parse(value).expect("the schema is an object")
}

/// What an administrator says of a new, active base model on an endpoint.
///
/// # Panics
/// Never with the values it has.
#[must_use]
pub fn new_base_model(endpoint_id: EndpointId) -> NewBaseModel {
    let number = unique();
    NewBaseModel {
        endpoint_id,
        slug: slug(&format!("image-generator-{number}")),
        name: name(&format!("Image Generator {number}")),
        description: Some(description("Turns a sentence into a picture.")),
        category: Category::Image,
        input_schema: text_to_image_schema(),
        output_type: OutputType::Image,
        output_format: OutputFormat::parse("png").expect("the format is good"),
        estimated: Seconds::parse(12).expect("the estimate is good"),
        timeout: Seconds::parse(300).expect("the timeout is good"),
        streams_output: false,
        is_active: true,
    }
}

/// An active base model on `endpoint`, of the same age, that nobody has stored yet.
#[must_use]
pub fn base_model(endpoint: &Endpoint) -> BaseModel {
    let NewBaseModel {
        endpoint_id,
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
    } = new_base_model(endpoint.id);
    BaseModel {
        id: BaseModelId::new(endpoint.created_at),
        endpoint: EndpointRef {
            id: endpoint_id,
            name: endpoint.name.clone(),
            is_active: endpoint.is_active,
        },
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
        created_at: endpoint.created_at,
        updated_at: endpoint.created_at,
    }
}

/// Overrides of every known kind that fit [`text_to_image_schema`].
///
/// # Panics
/// Never with the value it has.
#[must_use]
pub fn overrides() -> ConfigOverrides {
    ConfigOverrides::parse(json!({
        "defaultInputs": {"steps": 40},
        "lockedInputs": {"width": 1024, "height": 1024},
        "hiddenFields": ["seed", "scheduler"],
        "promptPrefix": "anime style, ",
        "promptSuffix": ", highly detailed"
    }))
    .expect("the overrides are well-formed")
}

/// What a developer says of a new tars model.
#[must_use]
pub fn new_tars_model(base_model_id: BaseModelId) -> NewTarsModel {
    let number = unique();
    NewTarsModel {
        base_model_id,
        title: title(&format!("Anime Generator {number}")),
        slug: slug(&format!("anime-generator-{number}")),
        description: Some(description("Draws anything in the style of anime.")),
        price: price(25),
        overrides: overrides(),
    }
}

/// A draft on `base`, of the same age, that nobody has stored yet.
#[must_use]
pub fn tars_model(base: &BaseModel, developer: DeveloperId) -> TarsModel {
    let NewTarsModel {
        base_model_id: _,
        title,
        slug,
        description,
        price,
        overrides,
    } = new_tars_model(base.id);
    TarsModel {
        id: TarsModelId::new(base.created_at),
        developer_id: developer,
        base_model: base.clone().into(),
        title,
        slug,
        description,
        overrides,
        price,
        status: TarsModelStatus::Draft,
        version: Version::FIRST,
        total_runs: 0,
        created_at: base.created_at,
        updated_at: base.created_at,
        published_at: None,
    }
}
