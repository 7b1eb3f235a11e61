//! Whom `/metrics` is for.

use super::Finding;
use crate::config::{Config, Environment};

const PART: &str = "metrics";

pub(super) fn look(config: &Config) -> Finding {
    if config.metrics.auth_token.is_some() {
        return Finding::good(PART, "/metrics is for whoever has METRICS_AUTH_TOKEN");
    }
    if config.environment == Environment::Development {
        return Finding::good(PART, "/metrics is for everybody on this machine");
    }
    Finding::warning(
        PART,
        "/metrics is open to whoever reaches the port: set METRICS_AUTH_TOKEN, or keep the port from strangers",
    )
}
