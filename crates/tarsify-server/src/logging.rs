//! The log: readable on a terminal, JSON in production.

use std::io::IsTerminal;

use anyhow::Context;
use tarsify_domain::trace::TRACES;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::config::Config;
use crate::config::{Environment, LogFormat};
use crate::traces::{Traces, WithTrace};

/// Starts the log. Panics go there too.
pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    start_with(config, None)
}

/// The same, and traces beside it where there are any.
pub(crate) fn start_with(config: &Config, traces: Option<&Traces>) -> anyhow::Result<()> {
    // Spans for traces are no part of the log at any level. Without traces nobody wants them then, and
    // they are never made.
    let without_spans = format!("{TRACES}=off")
        .parse()
        .context("the spans of traces cannot be kept out of the log")?;
    let filter = EnvFilter::try_new(&config.log.level)
        .context("log.level cannot be used")?
        .add_directive(without_spans);
    let lines = lines(config, traces.is_some());
    let started = match traces {
        None => tracing_subscriber::registry()
            .with(lines)
            .with(filter)
            .try_init(),
        Some(traces) => tracing_subscriber::registry()
            .with(lines.with_filter(filter))
            .with(traces.layer())
            .try_init(),
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

type Lines = Box<dyn Layer<Registry> + Send + Sync>;

fn lines(config: &Config, is_traced: bool) -> Lines {
    let as_json = match config.log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => config.environment == Environment::Production,
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    if as_json {
        let lines = lines.json().flatten_event(true).with_current_span(false);
        if is_traced {
            return lines.map_event_format(WithTrace).boxed();
        }
        return lines.boxed();
    }
    let lines = lines
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    if is_traced {
        return lines.map_event_format(WithTrace).boxed();
    }
    lines.boxed()
}
