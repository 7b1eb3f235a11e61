//! The log: readable on a terminal, JSON in production.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::config::{Environment, LogFormat};

/// Starts the log. Panics go there too.
pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log.level).context("log.level cannot be used")?;
    let as_json = match config.log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => config.environment == Environment::Production,
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = if as_json {
        log.json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init()
    } else {
        log.with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .try_init()
    };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = text.unwrap_or("no message");
        tracing::error!(place, message, "a thread panicked");
    }));
    started.map_err(|error| anyhow::anyhow!("the log was started already: {error}"))
}
