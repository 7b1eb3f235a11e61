//! `tarsify ledger verify`: whether all money is where its transfers say.

use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;
use tarsify_db::PgLedgerVerifier;
use tarsify_domain::ledger::{LedgerReport, LedgerVerifier};

use crate::cli::LedgerAction;
use crate::config::Config;
use crate::logging;
use crate::migrate;
use crate::store::{Store, Stores};
use crate::terminal;

pub(crate) async fn run(
    config: &Config,
    stores: &Stores,
    action: LedgerAction,
    json: bool,
) -> anyhow::Result<ExitCode> {
    logging::start(config)?;
    let store = stores.open().await?;
    let report = match action {
        LedgerAction::Verify => verify(config, &store).await,
    };
    store.close().await?;
    let report = report?;
    terminal::say(&if json {
        serde_json::to_string_pretty(&ReportOut::from(&report))?
    } else {
        tell(&report)
    })?;
    Ok(if report.is_sound() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn verify(config: &Config, store: &Store) -> anyhow::Result<LedgerReport> {
    migrate::require_current(config, store).await?;
    let database = store.connect_patiently().await?;
    let report = PgLedgerVerifier::new(database.clone()).verify().await;
    database.close();
    report.context("the ledger cannot be read")
}

fn tell(report: &LedgerReport) -> String {
    let LedgerReport {
        accounts,
        transfers,
        faults_total,
        faults,
        took,
    } = report;
    let looked_at = format!(
        "{accounts} accounts and {transfers} transfers, looked at in {} ms",
        took.as_millis()
    );
    if report.is_sound() {
        return format!("The money is right: {looked_at}.");
    }
    let mut lines = vec![format!(
        "The money is NOT right, in {faults_total} places: {looked_at}."
    )];
    let told = faults.iter();
    lines.extend(
        told.map(|fault| format!("{:<14} {}: {}", fault.rule, fault.subject, fault.detail)),
    );
    lines.push("Nothing was changed. Keep the database as it is and report this: it is a defect of Tarsify, or somebody wrote past it.".to_owned());
    lines.join("\n")
}

/// The report for scripts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportOut<'a> {
    sound: bool,
    accounts: u64,
    transfers: u64,
    faults_total: u64,
    faults: Vec<FaultOut<'a>>,
    took_ms: u128,
}

#[derive(Serialize)]
struct FaultOut<'a> {
    rule: &'a str,
    subject: &'a str,
    detail: &'a str,
}

impl<'a> From<&'a LedgerReport> for ReportOut<'a> {
    fn from(report: &'a LedgerReport) -> Self {
        let faults = report.faults.iter();
        Self {
            sound: report.is_sound(),
            accounts: report.accounts,
            transfers: report.transfers,
            faults_total: report.faults_total,
            faults: faults
                .map(|fault| FaultOut {
                    rule: &fault.rule,
                    subject: &fault.subject,
                    detail: &fault.detail,
                })
                .collect(),
            took_ms: report.took.as_millis(),
        }
    }
}
