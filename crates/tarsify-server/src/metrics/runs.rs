//! What is counted while runs are driven: how they end and how long they take and wait, and what
//! providers answer.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tarsify_domain::catalog::{Category, Provider};
use tarsify_domain::execution::{Ending, Operation};
use tarsify_engine::machine::Counted;
use tarsify_engine::{Asked, Incident, Observer, ProviderAsked, RunEnded};

/// Upper bounds in seconds: from a voice that takes a moment to a film that takes an hour.
const RUNS: [f64; 15] = [
    0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0,
    3_600.0,
];
/// The same for one question to a provider, which may take 20 seconds.
const CALLS: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByEnding {
    category: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCategory {
    category: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByProvider {
    provider: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOperation {
    provider: &'static str,
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

/// What is counted of runs and of providers.
pub(super) struct RunMetrics {
    ended: Family<ByEnding, Counter>,
    durations: Family<ByCategory, Histogram>,
    waits: Family<ByCategory, Histogram>,
    calls: Family<ByOperation, Histogram>,
    errors: Family<ByOperation, Counter>,
    too_many: Family<ByProvider, Counter>,
    orphans: Family<ByProvider, Counter>,
    incidents: Family<ByKind, Counter>,
}

impl RunMetrics {
    /// Everything that can be counted stands at zero.
    pub(super) fn new() -> Self {
        let runs: fn() -> Histogram = || Histogram::new(RUNS);
        let calls: fn() -> Histogram = || Histogram::new(CALLS);
        let metrics = Self {
            ended: Family::default(),
            durations: Family::new_with_constructor(runs),
            waits: Family::new_with_constructor(runs),
            calls: Family::new_with_constructor(calls),
            errors: Family::default(),
            too_many: Family::default(),
            orphans: Family::default(),
            incidents: Family::default(),
        };
        for category in Category::ALL {
            let category = category.as_str();
            for status in Ending::ALL {
                let status = status.as_str();
                drop(metrics.ended.get_or_create(&ByEnding { category, status }));
            }
            drop(metrics.durations.get_or_create(&ByCategory { category }));
            drop(metrics.waits.get_or_create(&ByCategory { category }));
        }
        for provider in Provider::ALL {
            let provider = provider.as_str();
            for operation in Operation::ALL {
                let operation = operation.as_str();
                let labels = ByOperation {
                    provider,
                    operation,
                };
                drop(metrics.calls.get_or_create(&labels));
                drop(metrics.errors.get_or_create(&labels));
            }
            drop(metrics.too_many.get_or_create(&ByProvider { provider }));
            drop(metrics.orphans.get_or_create(&ByProvider { provider }));
        }
        for kind in ["unknown_status", "lost_answer", "lease_lost", "quarantined"] {
            drop(metrics.incidents.get_or_create(&ByKind { kind }));
        }
        metrics
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "executions",
            "Runs and test runs that this process saw to their end, by category and how they ended",
            self.ended.clone(),
        );
        registry.register(
            "execution_duration_seconds",
            "How long they took, from acceptance to the end",
            self.durations.clone(),
        );
        registry.register(
            "execution_queue_wait_seconds",
            "How much of that they waited until their model began; those that never began are absent",
            self.waits.clone(),
        );
        registry.register(
            "provider_api_duration_seconds",
            "How long requests to providers took, failed ones included",
            self.calls.clone(),
        );
        registry.register(
            "provider_errors",
            "Requests to providers that were refused or had no sensible answer",
            self.errors.clone(),
        );
        registry.register(
            "provider_rate_limit_hits",
            "Requests that a provider answered with 429",
            self.too_many.clone(),
        );
        registry.register(
            "provider_orphans",
            "Jobs that were left over when their run had ended, and are called off",
            self.orphans.clone(),
        );
        registry.register(
            "execution_incidents",
            "What should not happen to a run often: a status that is not known, an answer to a \
             submission that was lost, a lease that somebody else had taken over, a run that \
             stopped its worker again and again",
            self.incidents.clone(),
        );
    }
}

impl Observer for RunMetrics {
    fn run_ended(&self, ended: &RunEnded) {
        let category = ended.category.as_str();
        let status = ended.ending.as_str();
        self.ended
            .get_or_create(&ByEnding { category, status })
            .inc();
        let labels = ByCategory { category };
        let took = ended.took.as_secs_f64();
        self.durations.get_or_create(&labels).observe(took);
        if let Some(waited) = ended.waited {
            let waited = waited.as_secs_f64();
            self.waits.get_or_create(&labels).observe(waited);
        }
    }

    fn provider_asked(&self, asked: &ProviderAsked) {
        let provider = asked.provider.as_str();
        let labels = ByOperation {
            provider,
            operation: asked.operation.as_str(),
        };
        let took = asked.took.as_secs_f64();
        self.calls.get_or_create(&labels).observe(took);
        match asked.outcome {
            Asked::Answered => {}
            Asked::TooMany => {
                self.too_many.get_or_create(&ByProvider { provider }).inc();
            }
            Asked::Refused | Asked::Failed => {
                self.errors.get_or_create(&labels).inc();
            }
        }
    }

    fn happened(&self, incident: Incident) {
        let kind = match incident.what {
            Counted::Orphan => {
                let provider = incident.provider.as_str();
                self.orphans.get_or_create(&ByProvider { provider }).inc();
                return;
            }
            Counted::UnknownStatus => "unknown_status",
            Counted::LostAnswer => "lost_answer",
            Counted::LeaseLost => "lease_lost",
            Counted::Quarantined => "quarantined",
        };
        self.incidents.get_or_create(&ByKind { kind }).inc();
    }
}
