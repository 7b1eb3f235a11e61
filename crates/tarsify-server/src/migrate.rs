//! `tarsify migrate`, and what other commands ask of the schema before they begin.

use std::process::ExitCode;

use anyhow::{Context, bail};
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

async fn migrate(store: &Store) -> anyhow::Result<ExitCode> {
    refuse_newer(&state(store).await?)?;
    let applied = apply(store).await?;
    if applied.is_empty() {
        return terminal::say("The schema is current.");
    }
    terminal::say(&format!("Ran {}.", applied.join(", ")))
}

async fn check_only(store: &Store) -> anyhow::Result<ExitCode> {
    match state(store).await? {
        SchemaState::Current => terminal::say("The schema is current."),
        SchemaState::Behind { missing } => bail!(
            "the schema lacks {}: run `tarsify migrate`",
            missing.join(", ")
        ),
        newer @ SchemaState::Ahead { .. } => refuse_newer(&newer).map(|()| ExitCode::SUCCESS),
    }
}

/// Makes sure that the schema is the one this program needs. In development it is made so; in
/// production migrations are a step of their own, so that many processes can start at once.
pub(crate) async fn require_current(config: &Config, store: &Store) -> anyhow::Result<()> {
    let state = state(store).await?;
    refuse_newer(&state)?;
    match state {
        SchemaState::Behind { missing } if config.environment == Environment::Production => {
            bail!(
                "the database lacks the migrations {}: run `tarsify migrate` first",
                missing.join(", ")
            )
        }
        SchemaState::Behind { .. } => {
            let applied = apply(store).await?;
            tracing::info!(
                migrations = applied.join(", "),
                "the schema was brought up to date"
            );
            Ok(())
        }
        SchemaState::Current | SchemaState::Ahead { .. } => Ok(()),
    }
}

fn refuse_newer(state: &SchemaState) -> anyhow::Result<()> {
    if let SchemaState::Ahead { unknown } = state {
        bail!(
            "the database is newer than this program, which does not know {}: run the version of Tarsify that made it",
            unknown.join(", ")
        );
    }
    Ok(())
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
