//! Traces: what requests, runs, questions to providers and statements took, sent to a collector by
//! OTLP. Nobody ever waits for the collector, and what it does not take is thrown away.

mod collector;
mod line;
mod links;

use std::time::Duration;

use anyhow::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tarsify_domain::trace::TRACES;
use tracing::Metadata;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::DynFilterFn;
use tracing_subscriber::layer::Context as LayerContext;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use self::collector::{Courier, Telling};
pub(crate) use self::line::WithTrace;
pub(crate) use self::links::SpanLinks;
use crate::config::{Config, Secret};

/// What we are called where nobody says otherwise with `OTEL_SERVICE_NAME`.
const SERVICE: &str = "tarsify";
/// How long the last traces may take on their way when the process ends.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the collector may take to answer whoever only looks.
const KNOCK: Duration = Duration::from_secs(5);

/// What sends traces, while the process runs.
pub(crate) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Where the operator wants traces. Has to be called on the runtime that is to send them.
    pub(crate) fn configured(config: &Config) -> anyhow::Result<Option<Self>> {
        let traces = &config.traces;
        let Some(endpoint) = &traces.endpoint else {
            return Ok(None);
        };
        let courier =
            Courier::new(traces.timeout).context("the client that sends traces cannot be built")?;
        let headers = traces.headers.iter().map(|header| header.expose().clone());
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(courier)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address(endpoint))
            .with_timeout(traces.timeout)
            .with_headers(headers.collect())
            .build()
            .context("traces cannot be sent as the OTEL_EXPORTER_OTLP_ variables say")?;
        let ratio = f64::from(traces.sample_percent) / 100.0;
        // A thread of its own with a queue of at most 2,048 spans, sent every five seconds and
        // whenever 512 wait, unless the OTEL_BSP_ variables say otherwise.
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(Telling::about(exporter))
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                ratio,
            ))))
            .with_resource(resource(config))
            .build();
        Ok(Some(Self { provider }))
    }

    /// What turns spans into traces: those that are there for it, and nothing of the log.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(
                DynFilterFn::new(is_wanted)
                    .with_callsite_filter(may_be_wanted)
                    .with_max_level_hint(LevelFilter::TRACE),
            )
    }

    /// Sends what is left, within two seconds.
    pub(crate) async fn end(self) {
        let ending =
            tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(PATIENCE));
        if !matches!(ending.await, Ok(Ok(()))) {
            tracing::warn!("the last traces have not reached their collector");
        }
    }
}

/// What a collector does when it is sent something.
pub(crate) enum Collector {
    Takes,
    /// It answers with this status.
    Refuses(u16),
    IsSilent,
}

/// Sends the collector nothing, which it has to take as it takes traces.
pub(crate) async fn knock(config: &Config, endpoint: &Url) -> Collector {
    let Ok(client) = collector::client(config.traces.timeout.min(KNOCK)) else {
        return Collector::IsSilent;
    };
    let headers = config.traces.headers.iter().map(Secret::expose);
    let request = client
        .post(address(endpoint))
        .header("content-type", "application/x-protobuf");
    let request = headers.fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    match request.send().await {
        Ok(answer) if answer.status().is_success() => Collector::Takes,
        Ok(answer) => Collector::Refuses(answer.status().as_u16()),
        Err(_hidden) => Collector::IsSilent,
    }
}

/// Sends what is left of what was traced, if anything was.
pub(crate) async fn end(traces: Option<Traces>) {
    if let Some(traces) = traces {
        traces.end().await;
    }
}

/// Whether a place in the code makes spans for traces.
fn may_be_wanted(metadata: &'static Metadata<'static>) -> Interest {
    if metadata.is_span() && metadata.target() == TRACES {
        Interest::sometimes()
    } else {
        Interest::never()
    }
}

/// A statement belongs to the trace of what it is for. Those that workers send by themselves, several
/// times a second, belong to nothing, and would bury everything else.
fn is_wanted<S>(metadata: &Metadata<'_>, context: &LayerContext<'_, S>) -> bool
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    metadata.is_span()
        && metadata.target() == TRACES
        && (metadata.name() != "query" || context.lookup_current().is_some())
}

fn address(endpoint: &Url) -> String {
    format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'))
}

fn resource(config: &Config) -> Resource {
    let found = Resource::builder().build();
    let name = found.get(&Key::from_static_str("service.name"));
    let is_named = name.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let resource = Resource::builder().with_attributes([
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("tarsify.role", config.server.role.as_str()),
    ]);
    if is_named {
        resource.build()
    } else {
        resource.with_service_name(SERVICE).build()
    }
}
