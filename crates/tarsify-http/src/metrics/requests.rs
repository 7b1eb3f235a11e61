//! What is counted of requests and of those who follow. Every label is one of a closed set: what
//! callers send becomes `other` or `unknown` when it is none that we know.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tarsify_domain::limits::LimitCategory;

use crate::routes::routes;

/// The route of what is at no address of the table.
const UNKNOWN: &str = "unknown";

/// Upper bounds in seconds: an answer from memory takes less than one of them, and whoever waits
/// for a run may do so for a minute.
const BUCKETS: [f64; 15] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StreamLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    category: &'static str,
}

/// What somebody follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamKind {
    /// One run of a consumer.
    Run,
    /// All runs of a consumer.
    Consumer,
    /// A test run of a developer.
    Developer,
    /// Everything.
    Admin,
}

impl StreamKind {
    const ALL: [Self; 4] = [Self::Run, Self::Consumer, Self::Developer, Self::Admin];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Consumer => "consumer",
            Self::Developer => "developer",
            Self::Admin => "admin",
        }
    }
}

/// One who follows or waits; he is counted until this is dropped.
pub(crate) struct OpenStream {
    gauge: Gauge,
    events: Counter,
}

impl OpenStream {
    /// An event was sent to him.
    pub(crate) fn sent(&self) {
        self.events.inc();
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

/// A request that waits for the end of a run; it is counted until this is dropped.
pub(crate) struct Waiting(Gauge);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What is counted of requests.
pub(crate) struct HttpMetrics {
    /// The address of a route by each of its names.
    templates: HashMap<&'static str, &'static str>,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RequestLabels, Histogram>,
    waiting: Gauge,
    streams: Family<StreamLabels, Gauge>,
    events: Counter,
    refused: Family<LimitLabels, Counter>,
}

impl HttpMetrics {
    /// Nothing yet: what each route answers when all goes well stands at zero.
    pub(crate) fn new() -> Self {
        let constructor: fn() -> Histogram = || Histogram::new(BUCKETS);
        let mut metrics = Self {
            templates: HashMap::new(),
            requests: Family::default(),
            durations: Family::new_with_constructor(constructor),
            waiting: Gauge::default(),
            streams: Family::default(),
            events: Counter::default(),
            refused: Family::default(),
        };
        for route in routes() {
            let template = route.path;
            let names = route.paths().map(|name| (name, template));
            metrics.templates.extend(names);
            let labels = RequestLabels {
                method: method_label(route.method()),
                route: template,
                status: route.success_status(),
            };
            drop(metrics.requests.get_or_create(&labels));
        }
        for kind in StreamKind::ALL {
            let kind = kind.as_str();
            drop(metrics.streams.get_or_create(&StreamLabels { kind }));
        }
        for category in LimitCategory::ALL {
            let category = category.as_str();
            drop(metrics.refused.get_or_create(&LimitLabels { category }));
        }
        metrics
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "Requests that were answered, by method, route and status",
            self.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "How long it took until an answer began; that of a stream begins at once",
            self.durations.clone(),
        );
        registry.register(
            "http_waiting_requests",
            "Requests that wait for the end of a run right now",
            self.waiting.clone(),
        );
        registry.register(
            "sse_streams",
            "Streams of events that are open right now, by what is followed",
            self.streams.clone(),
        );
        registry.register(
            "sse_events",
            "Events that were sent on streams",
            self.events.clone(),
        );
        registry.register(
            "rate_limited",
            "Requests that were refused because there were too many, by what they counted as",
            self.refused.clone(),
        );
    }

    /// A request was answered; `pattern` is what the router knows its address by.
    pub(crate) fn answered(
        &self,
        (method, pattern): (&Method, Option<&str>),
        status: u16,
        took: Duration,
    ) {
        let known = pattern.and_then(|pattern| self.templates.get(pattern));
        let labels = RequestLabels {
            method: method_label(method),
            route: known.copied().unwrap_or(UNKNOWN),
            status,
        };
        self.requests.get_or_create(&labels).inc();
        let seconds = took.as_secs_f64();
        self.durations.get_or_create(&labels).observe(seconds);
    }

    /// Somebody begins to wait for the end of a run.
    pub(crate) fn begin_wait(&self) -> Waiting {
        self.waiting.inc();
        Waiting(self.waiting.clone())
    }

    /// Somebody begins to follow.
    pub(crate) fn open_stream(&self, kind: StreamKind) -> OpenStream {
        let kind = kind.as_str();
        let gauge = self.streams.get_or_create_owned(&StreamLabels { kind });
        gauge.inc();
        OpenStream {
            gauge,
            events: self.events.clone(),
        }
    }

    /// A request was one too many.
    pub(crate) fn refused(&self, category: LimitCategory) {
        let category = category.as_str();
        self.refused.get_or_create(&LimitLabels { category }).inc();
    }
}

/// Anybody may make up a method of his own.
pub(crate) fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
