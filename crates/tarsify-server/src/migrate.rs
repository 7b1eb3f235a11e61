//! `tarsify migrate`, and what other commands ask of the schema before they begin.

use std::process::ExitCode;

use anyhow::Context;
use tarsify_domain::health::SchemaState;

use crate::config::{Config, Environment};
use crate::logging;
use crate::store::{Store, Stores};
use crate::terminal;

pub(crate) async fn run(config: &Config, stores: &Stores, check: bool) -> anyhow::Result<ExitCode> {
    logging::start(config)?;
    let store = stores.open().await?;
    let outcome = if check {
        check_only(&store).await
    } else {
        migrate(&store).await
    };
    store.close().await?;
    outcome
}

/// The database lacks something that this program needs.
#[derive(Debug, thiserror::Error)]
#[error("the database lacks the migrations {}: run `tarsify migrate` first", .missing.join(", "))]
pub(crate) struct SchemaBehind {
    missing: Vec<String>,
}

async fn migrate(store: &Store) -> anyhow::Result<ExitCode> {
    if let SchemaState::Ahead { unknown } = state(store).await? {
        return say_newer(&unknown);
    }
    let applied = apply(store).await?;
    if applied.is_empty() {
        return say_current();
    }
    terminal::say(&format!("Ran {}.", applied.join(", ")))
}

async fn check_only(store: &Store) -> anyhow::Result<ExitCode> {
    match state(store).await? {
        SchemaState::Current => say_current(),
        SchemaState::Behind { missing } => Err(SchemaBehind { missing }.into()),
        SchemaState::Ahead { unknown } => say_newer(&unknown),
    }
}

fn say_current() -> anyhow::Result<ExitCode> {
    terminal::say("The schema is current.")
}

/// That is no failure: whoever goes back to the last release runs its `migrate` as well.
fn say_newer(unknown: &[String]) -> anyhow::Result<ExitCode> {
    terminal::say(&format!(
        "The schema is newer than this program, which does not know {}: nothing was changed. It serves the release before it, and none that is older.",
        unknown.join(", ")
    ))
}

/// Makes sure that the schema has what this program needs. In development it is made so; in
/// production migrations are a step of their own, so that many processes can start at once.
///
/// A schema that is newer serves: during an upgrade both releases run on it, and after a step back
/// the older one does alone.
pub(crate) async fn require_current(config: &Config, store: &Store) -> anyhow::Result<()> {
    match state(store).await? {
        SchemaState::Behind { missing } if config.environment == Environment::Production => {
            Err(SchemaBehind { missing }.into())
        }
        SchemaState::Behind { .. } => {
            let applied = apply(store).await?;
            tracing::info!(
                migrations = applied.join(", "),
                "the schema was brought up to date"
            );
            Ok(())
        }
        SchemaState::Ahead { unknown } => {
            tracing::warn!(
                migrations = unknown.join(", "),
                "the database is newer than this program: that serves for one release, not for two"
            );
            Ok(())
        }
        SchemaState::Current => Ok(()),
    }
}

async fn state(store: &Store) -> anyhow::Result<SchemaState> {
    store
        .migrator()?
        .check()
        .await
        .context("the schema cannot be read")
}

async fn apply(store: &Store) -> anyhow::Result<Vec<String>> {
    store
        .migrator()?
        .run()
        .await
        .context("the schema cannot be brought up to date")
}
