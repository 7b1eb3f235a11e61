//! How an endpoint looks on the wire.

use serde::Serialize;
use serde_json::Value;
use tarsify_domain::catalog::endpoint::{EndpointLimits, ProviderEndpointId};
use tarsify_domain::catalog::{Endpoint, EndpointChange, EndpointSource, NewEndpoint, Provider};
use tarsify_domain::text::{DockerImage, GpuType, Name};
use tarsify_domain::{Issue, PageRequest, Patch};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::{Body, Fields, QueryFields, QueryIn, boolean, text};
use crate::wire::{self, Moment};

/// What an administrator says of a new endpoint.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct CreateEndpointIn {
    /// The endpoint's id at its provider.
    #[schema(value_type = String, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9._-]+$", example = "ep-sdxl-eu")]
    runpod_endpoint_id: ProviderEndpointId,
    /// The operator's name for it.
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "SDXL in Europe")]
    name: Name,
    /// Where its worker comes from.
    #[schema(schema_with = wire::source)]
    source: EndpointSource,
    /// The worker's image.
    #[schema(value_type = Option<String>, max_length = 500, example = "example/sdxl-worker:1.4")]
    docker_image: Option<DockerImage>,
    /// The GPU it runs on.
    #[schema(value_type = String, min_length = 1, max_length = 100, example = "NVIDIA L40S")]
    gpu_type: GpuType,
    /// Whether runs may be sent to it.
    #[schema(default = true, example = true)]
    is_active: Option<bool>,
    /// Whose protocol it speaks; `runpod` when it is not sent.
    #[schema(schema_with = wire::provider, required = false)]
    provider: Option<Provider>,
    /// Limits towards it, on top of the provider's own.
    #[schema(value_type = Option<EndpointLimitsOut>)]
    limits: Option<EndpointLimits>,
}

impl Body for CreateEndpointIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        let runpod_endpoint_id =
            fields.required("runpodEndpointId", text(ProviderEndpointId::parse));
        let name = fields.required("name", text(Name::parse));
        let source = fields.required("source", text(EndpointSource::parse));
        let docker_image = fields.optional("dockerImage", text(DockerImage::parse));
        let gpu_type = fields.required("gpuType", text(GpuType::parse));
        let is_active = fields.optional("isActive", boolean);
        let provider = fields.optional("provider", text(Provider::parse));
        let limits = fields.optional("limits", limits);
        Some(Self {
            runpod_endpoint_id: runpod_endpoint_id?,
            name: name?,
            source: source?,
            docker_image,
            gpu_type: gpu_type?,
            is_active,
            provider,
            limits,
        })
    }
}

impl From<CreateEndpointIn> for NewEndpoint {
    fn from(body: CreateEndpointIn) -> Self {
        let CreateEndpointIn {
            runpod_endpoint_id,
            name,
            source,
            docker_image,
            gpu_type,
            is_active,
            provider,
            limits,
        } = body;
        Self {
            provider_endpoint_id: runpod_endpoint_id,
            provider: provider.unwrap_or(Provider::RunPod),
            name,
            source,
            docker_image,
            gpu_type,
            is_active: is_active.unwrap_or(true),
            limits: limits.unwrap_or_default(),
        }
    }
}

/// What an administrator changes of an endpoint: absent keeps, null clears.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct UpdateEndpointIn {
    /// The endpoint's id at its provider.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9._-]+$", example = "ep-sdxl-eu", nullable = false)]
    runpod_endpoint_id: Option<ProviderEndpointId>,
    /// The operator's name for it.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, example = "SDXL in Europe", nullable = false)]
    name: Option<Name>,
    /// Where its worker comes from.
    #[schema(schema_with = wire::source, required = false)]
    source: Option<EndpointSource>,
    /// The worker's image.
    #[schema(value_type = Option<String>, max_length = 500, example = "example/sdxl-worker:1.4")]
    docker_image: Patch<DockerImage>,
    /// The GPU it runs on.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "NVIDIA L40S", nullable = false)]
    gpu_type: Option<GpuType>,
    /// Whether runs may be sent to it.
    #[schema(example = true, nullable = false)]
    is_active: Option<bool>,
    /// Whose protocol it speaks.
    #[schema(schema_with = wire::provider, required = false)]
    provider: Option<Provider>,
    /// Limits towards it; sent, they replace all that were there.
    #[schema(value_type = Option<EndpointLimitsOut>)]
    limits: Patch<EndpointLimits>,
}

impl Body for UpdateEndpointIn {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            runpod_endpoint_id: fields.change("runpodEndpointId", text(ProviderEndpointId::parse)),
            name: fields.change("name", text(Name::parse)),
            source: fields.change("source", text(EndpointSource::parse)),
            docker_image: fields.patch("dockerImage", text(DockerImage::parse)),
            gpu_type: fields.change("gpuType", text(GpuType::parse)),
            is_active: fields.change("isActive", boolean),
            provider: fields.change("provider", text(Provider::parse)),
            limits: fields.patch("limits", limits),
        })
    }
}

impl From<UpdateEndpointIn> for EndpointChange {
    fn from(body: UpdateEndpointIn) -> Self {
        let UpdateEndpointIn {
            runpod_endpoint_id,
            name,
            source,
            docker_image,
            gpu_type,
            is_active,
            provider,
            limits,
        } = body;
        Self {
            provider_endpoint_id: runpod_endpoint_id,
            provider,
            name,
            source,
            docker_image,
            gpu_type,
            is_active,
            limits,
        }
    }
}

fn limits(value: Value) -> Result<EndpointLimits, Vec<Issue>> {
    EndpointLimits::read(&value)
}

/// Which endpoints to list.
pub(crate) struct EndpointsQueryIn {
    pub(crate) page: PageRequest,
}

impl QueryIn for EndpointsQueryIn {
    fn read(query: &mut QueryFields) -> Option<Self> {
        Some(Self {
            page: query.page(Endpoint::ORDER),
        })
    }
}

/// Limits towards an endpoint; what is absent is not limited by us.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointLimitsOut {
    /// Jobs at the provider at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, example = 10)]
    max_concurrency: Option<u32>,
    /// Submissions a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, example = 600)]
    max_per_minute: Option<u32>,
    /// Submissions a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, example = 100_000)]
    max_per_day: Option<u32>,
    /// Whether a 429 is worth another try.
    #[serde(rename = "retryOn429", skip_serializing_if = "Option::is_none")]
    #[schema(example = true)]
    retry_on_429: Option<bool>,
    /// Tries after the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3)]
    max_retries: Option<u32>,
    /// Milliseconds before the first repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 500)]
    base_backoff_ms: Option<u32>,
}

impl From<EndpointLimits> for EndpointLimitsOut {
    fn from(limits: EndpointLimits) -> Self {
        let EndpointLimits {
            max_concurrency,
            max_per_minute,
            max_per_day,
            retry_on_429,
            max_retries,
            base_backoff_ms,
        } = limits;
        Self {
            max_concurrency,
            max_per_minute,
            max_per_day,
            retry_on_429,
            max_retries,
            base_backoff_ms,
        }
    }
}

/// An endpoint.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndpointOut {
    #[schema(example = "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f70a")]
    id: Uuid,
    /// The endpoint's id at its provider.
    #[schema(example = "ep-sdxl-eu")]
    runpod_endpoint_id: String,
    #[schema(schema_with = wire::provider)]
    provider: &'static str,
    #[schema(example = "SDXL in Europe")]
    name: String,
    #[schema(schema_with = wire::source)]
    source: &'static str,
    #[schema(example = "example/sdxl-worker:1.4")]
    docker_image: Option<String>,
    #[schema(example = "NVIDIA L40S")]
    gpu_type: String,
    #[schema(example = true)]
    is_active: bool,
    #[schema(example = 1)]
    base_model_count: u64,
    limits: EndpointLimitsOut,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    created_at: Moment,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:30:00.000Z")]
    updated_at: Moment,
}

impl From<Endpoint> for EndpointOut {
    fn from(endpoint: Endpoint) -> Self {
        let Endpoint {
            id,
            provider_endpoint_id,
            provider,
            name,
            source,
            docker_image,
            gpu_type,
            is_active,
            limits,
            base_model_count,
            version: _,
            created_at,
            updated_at,
        } = endpoint;
        Self {
            id: id.uuid(),
            runpod_endpoint_id: provider_endpoint_id.as_str().to_owned(),
            provider: provider.as_str(),
            name: name.to_string(),
            source: source.as_str(),
            docker_image: docker_image.map(|image| image.to_string()),
            gpu_type: gpu_type.to_string(),
            is_active,
            base_model_count,
            limits: limits.into(),
            created_at: Moment(created_at),
            updated_at: Moment(updated_at),
        }
    }
}
