//! What this process measures of itself and of the installation: the registry, what is counted
//! while runs are driven, and what is looked up when somebody asks. No label holds anything that
//! callers, people or providers can choose.

mod collected;
mod process;
mod pulse;
mod runs;

use std::sync::Arc;

use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tarsify_engine::Observer;
use tarsify_http::Metrics;

use self::collected::Collected;
pub(crate) use self::collected::Sources;
use self::process::ThisProcess;
pub(crate) use self::pulse::PulseWatch;
use self::runs::RunMetrics;
use crate::config::Secret;

/// The registry while it is being filled.
pub(crate) struct Instruments {
    registry: Registry,
    runs: Arc<RunMetrics>,
}

impl Instruments {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What runs here", version);
        let runs = RunMetrics::new();
        runs.register(&mut registry);
        Self {
            registry,
            runs: Arc::new(runs),
        }
    }

    /// What has to be told of runs and of providers.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        Arc::<RunMetrics>::clone(&self.runs)
    }

    /// The page of all that is measured, for whoever has the token.
    pub(crate) fn published(mut self, sources: Sources, token: Option<&Secret<String>>) -> Metrics {
        let collected = Box::new(Collected::of(sources));
        self.registry.register_collector(collected);
        self.registry.register_collector(Box::new(ThisProcess));
        Metrics::new(self.registry, token.map(|token| token.expose().as_str()))
    }
}
