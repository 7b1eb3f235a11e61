//! The `tarsify` binary: reads the configuration, builds everything from it, and runs one
//! command. No rule of the business lives here.

mod admin;
mod cli;
mod clock;
mod config;
mod demo;
mod doctor;
mod documents;
mod emulator;
mod exit;
mod ledger;
mod logging;
mod metrics;
mod migrate;
mod payments;
mod platform;
mod provider;
mod redis;
mod seed;
mod serve;
mod store;
mod terminal;
mod token;
mod traces;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::config::Loaded;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return fail(&anyhow::Error::new(error).context("no thread could be started"));
        }
    };
    let (mut variables, base_folder) = config::read_process();
    if let Command::Openapi { markdown } = cli.command {
        return end(documents::print(markdown));
    }
    cli.command.put_into(&mut variables);
    let search_path = variables.get("PATH").cloned();
    let loaded = match config::load(&variables, &base_folder) {
        Ok(loaded) => loaded,
        Err(faults) => {
            terminal::complain(&format!("The configuration cannot be used:\n{faults}"));
            return exit::misused();
        }
    };
    let outcome = runtime.block_on(run(cli.command, loaded, search_path));
    // Nothing that still runs may hold up the end.
    runtime.shutdown_background();
    end(outcome)
}

async fn run(
    command: Command,
    loaded: Loaded,
    search_path: Option<String>,
) -> anyhow::Result<ExitCode> {
    let Loaded { config, effective } = loaded;
    let stores = store::Stores::new(&config, search_path);
    match command {
        Command::Serve { .. } => serve::run(&config, &stores).await,
        Command::Demo { .. } => demo::run(&config, &stores).await,
        Command::Migrate { check } => migrate::run(&config, &stores, check).await,
        Command::Seed { file } => seed::run(&config, &stores, file.as_deref()).await,
        Command::Token { kind, email } => token::run(&config, kind, email.as_deref()),
        Command::Admin { action, email } => admin::run(&config, &stores, action, &email).await,
        Command::Ledger { action, json } => ledger::run(&config, &stores, action, json).await,
        Command::Doctor { json } => Box::pin(doctor::run(&config, &stores, json)).await,
        Command::Emulator {
            listen,
            api_key,
            script,
        } => emulator::run(&config, listen, api_key, script.as_deref()).await,
        Command::Config { json: true } => terminal::say(&effective.render_json()),
        Command::Config { json: false } => terminal::say(&effective.render_text()),
        Command::Openapi { markdown } => documents::print(markdown),
    }
}

fn end(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| fail(&error))
}

/// One line: what failed, and why, down to the cause.
fn fail(error: &anyhow::Error) -> ExitCode {
    terminal::complain(&format!("tarsify: {error:#}"));
    exit::failed(error)
}
