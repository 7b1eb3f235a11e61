//! `tarsify doctor`: looks at everything an installation needs and says what is wrong.

mod executions;
mod metrics;
mod money;
mod provider;
mod redis;
mod traces;

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;
use tarsify_domain::health::SchemaState;
use tarsify_domain::{Clock, RepoError};

use crate::clock::SystemClock;
use crate::config::Config;
use crate::logging;
use crate::platform::Platform;
use crate::provider::ProviderAccess;
use crate::store::{Store, Stores};
use crate::terminal;

/// How far the database's clock may be from this machine's.
const SKEW: time::Duration = time::Duration::seconds(5);

/// What a look at one thing found.
#[derive(Clone, Serialize)]
struct Finding {
    part: &'static str,
    ok: bool,
    /// Whether it may be meant so, and should be thought about.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    warning: bool,
    message: String,
}

impl Finding {
    fn good(part: &'static str, message: impl Into<String>) -> Self {
        Self {
            part,
            ok: true,
            warning: false,
            message: message.into(),
        }
    }

    fn warning(part: &'static str, message: impl Into<String>) -> Self {
        Self {
            warning: true,
            ..Self::good(part, message)
        }
    }

    fn bad(part: &'static str, message: impl Into<String>) -> Self {
        Self {
            part,
            ok: false,
            warning: false,
            message: message.into(),
        }
    }
}

pub(crate) async fn run(config: &Config, stores: &Stores, json: bool) -> anyhow::Result<ExitCode> {
    logging::start(config)?;
    let environment = format!("{:?}", config.environment).to_lowercase();
    let mut findings = vec![Finding::good(
        "configuration",
        format!("without faults, for {environment}"),
    )];
    match stores.open().await {
        Ok(store) => {
            findings.extend(Box::pin(look_at_store(config, &store)).await);
            if let Err(error) = store.close().await {
                findings.push(Finding::bad("database", format!("{error:#}")));
            }
        }
        Err(error) => findings.push(Finding::bad("database", format!("{error:#}"))),
    }
    findings.push(redis::look(config).await);
    findings.push(metrics::look(config));
    findings.push(traces::look(config).await);
    let all_good = findings.iter().all(|finding| finding.ok);
    terminal::say(&if json {
        serde_json::to_string_pretty(&findings)?
    } else {
        table(&findings)
    })?;
    Ok(if all_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn table(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| {
        let Finding {
            part,
            ok,
            warning,
            message,
        } = finding;
        let mark = match (ok, warning) {
            (true, false) => "ok   ",
            (true, true) => "think",
            (false, _) => "WRONG",
        };
        format!("{mark}  {part:<14} {message}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

async fn look_at_store(config: &Config, store: &Store) -> Vec<Finding> {
    let databases = match store.connect().await {
        Ok(databases) => databases,
        Err(error) => return vec![Finding::bad("database", format!("{error:#}"))],
    };
    let access = ProviderAccess::configured(config);
    let platform = match Platform::build(config, &databases, access) {
        Ok(platform) => platform,
        Err(error) => return vec![Finding::bad("parts", format!("{error:#}"))],
    };
    let mut findings = vec![schema(platform.services.health.schema_state().await)];
    // What it lacks or does not answer is not to be asked about again.
    if findings.iter().all(|finding| finding.ok) {
        findings.push(clock(platform.services.health.now().await));
        let endpoints = platform.repositories.endpoints.as_ref();
        findings.push(provider::look(config, endpoints).await);
        findings.extend(executions::look(store, &platform.services.engine).await);
        findings.extend(money::look(config, store).await);
    }
    findings.push(keys(config, &platform).await);
    databases.close();
    findings
}

fn schema(state: Result<SchemaState, RepoError>) -> Finding {
    match state {
        Ok(SchemaState::Current) => Finding::good("database", "reachable, its schema is current"),
        Ok(SchemaState::Behind { missing }) => Finding::bad(
            "database",
            format!(
                "lacks the migrations {}: run `tarsify migrate`",
                missing.join(", ")
            ),
        ),
        Ok(SchemaState::Ahead { unknown }) => Finding::good(
            "database",
            format!(
                "reachable, and its schema newer than this program, which does not know {}: that serves for one release, so run the newer one soon",
                unknown.join(", ")
            ),
        ),
        Err(error) => Finding::bad("database", chain(&error)),
    }
}

fn clock(answer: Result<tarsify_domain::Timestamp, RepoError>) -> Finding {
    match answer {
        Ok(theirs) => {
            let skew = (theirs - SystemClock.now()).abs();
            if skew <= SKEW {
                Finding::good("clock", "agrees with the database's")
            } else {
                let seconds = skew.whole_seconds();
                Finding::bad(
                    "clock",
                    format!("is {seconds} s away from the database's: synchronise both with NTP"),
                )
            }
        }
        Err(error) => Finding::bad("clock", chain(&error)),
    }
}

/// Fetches the keys that ID tokens are checked with, where any are needed.
async fn keys(config: &Config, platform: &Platform) -> Finding {
    let identity = &config.identity;
    let projects =
        identity.firebase_users_project_id.is_some() || identity.firebase_devs_project_id.is_some();
    if !projects || identity.firebase_emulator_host.is_some() {
        return Finding::good("keys", "local identities only: no key has to be fetched");
    }
    let fetched = tokio::time::timeout(Duration::from_secs(10), platform.keys.refresh()).await;
    match fetched {
        Ok(Ok(())) => Finding::good(
            "keys",
            format!("fetched from {}", identity.firebase_jwks_url),
        ),
        Ok(Err(error)) => Finding::bad(
            "keys",
            format!("{}: {}", identity.firebase_jwks_url, chain(&error)),
        ),
        Err(_elapsed) => Finding::bad(
            "keys",
            format!("{} did not answer within 10 s", identity.firebase_jwks_url),
        ),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
