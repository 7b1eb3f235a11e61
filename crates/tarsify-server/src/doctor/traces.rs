//! Whether traces are sent anywhere, and whether anybody takes them there.

use super::Finding;
use crate::config::Config;
use crate::traces::{self, Collector};

const PART: &str = "traces";

pub(super) async fn look(config: &Config) -> Finding {
    let Some(endpoint) = &config.traces.endpoint else {
        return Finding::good(
            PART,
            "nothing is traced: OTEL_EXPORTER_OTLP_ENDPOINT is not set",
        );
    };
    let percent = config.traces.sample_percent;
    match traces::knock(config, endpoint).await {
        Collector::Takes => Finding::good(
            PART,
            format!("{endpoint} takes traces; {percent} in a hundred are recorded"),
        ),
        Collector::Refuses(status) => Finding::warning(
            PART,
            format!(
                "{endpoint} answers traces with {status}: see to OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS"
            ),
        ),
        Collector::IsSilent => Finding::warning(
            PART,
            format!(
                "{endpoint} does not answer: see to OTEL_EXPORTER_OTLP_ENDPOINT and what listens there; everything else works without it"
            ),
        ),
    }
}
