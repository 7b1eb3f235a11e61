//! Whether the money is right, and whether somebody takes it.

use tarsify_db::PgLedgerVerifier;
use tarsify_domain::ledger::{LedgerReport, LedgerVerifier};

use super::{Finding, chain};
use crate::config::{Config, Environment};
use crate::store::Store;

const LEDGER: &str = "ledger";
const PAYMENTS: &str = "payments";

pub(super) async fn look(config: &Config, store: &Store) -> Vec<Finding> {
    vec![payments(config), ledger(store).await]
}

fn payments(config: &Config) -> Finding {
    let stripe = &config.stripe;
    match (&stripe.secret_key, config.environment) {
        (Some(_), _) => Finding::good(
            PAYMENTS,
            format!(
                "Stripe, at {}; its messages are checked with {} signing secrets",
                stripe.base_url,
                stripe.webhook_secrets.len()
            ),
        ),
        (None, Environment::Development) => Finding::good(
            PAYMENTS,
            "a test card that costs nothing: STRIPE_SECRET_KEY is not set",
        ),
        (None, Environment::Production) => Finding::good(
            PAYMENTS,
            "nobody can buy credits and nobody is paid out: STRIPE_SECRET_KEY is not set",
        ),
    }
}

async fn ledger(store: &Store) -> Finding {
    let database = match store.connect_patiently().await {
        Ok(database) => database,
        Err(error) => return Finding::bad(LEDGER, format!("{error:#}")),
    };
    let report = PgLedgerVerifier::new(database.clone()).verify().await;
    database.close();
    match report {
        Ok(report) if report.is_sound() => {
            Finding::good(LEDGER, format!("{} transfers add up", report.transfers))
        }
        Ok(report) => Finding::bad(LEDGER, tell(&report)),
        Err(error) => Finding::bad(LEDGER, chain(&error)),
    }
}

fn tell(report: &LedgerReport) -> String {
    let first = report.faults.first();
    let first = first.map_or_else(String::new, |fault| {
        format!(
            " The first: {}, {}: {}.",
            fault.rule, fault.subject, fault.detail
        )
    });
    format!(
        "is not right in {} places.{first} `tarsify ledger verify` tells all. Change nothing and report it: this is a defect of Tarsify, or somebody wrote past it",
        report.faults_total
    )
}
