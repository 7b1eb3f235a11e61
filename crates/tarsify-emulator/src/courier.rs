//! Brings webhooks: a POST that wants 200, twice more after a pause. It follows no redirect.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode, redirect};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::EmulatorSettings;
use crate::endpoint::Endpoint;
use crate::faults::{FaultKind, Fired};

const TRIES: u32 = 3;
const LATE_MS: u64 = 2_000;

/// A webhook that is due.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) job: String,
    pub(crate) address: String,
    pub(crate) body: String,
    pub(crate) faults: Fired,
}

/// The tasks that nobody waits for; they end when the emulator does.
#[derive(Clone, Default)]
pub(crate) struct Background {
    tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Background {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = task => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

/// Brings webhooks.
#[derive(Clone)]
pub(crate) struct Courier {
    client: Client,
    pause: Duration,
}

impl Courier {
    pub(crate) fn new(settings: &EmulatorSettings) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(settings.webhook_timeout)
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            pause: settings.webhook_retry_pause,
        })
    }

    /// Brings a webhook as its faults will have it.
    pub(crate) async fn bring(&self, endpoint: &Arc<Endpoint>, letter: Letter) {
        if let Some(late) = letter.faults.find(FaultKind::Late) {
            tokio::time::sleep(late.duration(LATE_MS)).await;
        }
        if letter.faults.has(FaultKind::ForgedPath) {
            self.try_once(endpoint, &forged(&letter.address), &letter.body)
                .await;
        }
        let duplicate = letter.faults.find(FaultKind::Duplicate);
        let copies = duplicate.map_or(1, |fault| fault.copies.unwrap_or(2));
        if !letter.faults.has(FaultKind::None) {
            for _ in 0..copies {
                self.bring_copy(endpoint, &letter).await;
            }
        }
        endpoint.webhook_settled(&letter.job);
    }

    async fn bring_copy(&self, endpoint: &Arc<Endpoint>, letter: &Letter) {
        for nth in 1..=TRIES {
            if self.try_once(endpoint, &letter.address, &letter.body).await {
                endpoint.count("webhooksDelivered");
                return;
            }
            if nth < TRIES {
                tokio::time::sleep(self.pause).await;
            }
        }
        endpoint.count("webhooksAbandoned");
        tracing::debug!(job = letter.job, "a webhook was not answered with 200");
    }

    /// Sends once; true when it was answered with 200.
    pub(crate) async fn try_once(
        &self,
        endpoint: &Arc<Endpoint>,
        address: &str,
        body: &str,
    ) -> bool {
        endpoint.count("webhookTries");
        let request = self
            .client
            .post(address)
            .header(CONTENT_TYPE, "application/json");
        match request.body(body.to_owned()).send().await {
            Ok(answer) => answer.status() == StatusCode::OK,
            Err(_) => false,
        }
    }
}

/// The address with its last part, where a token would be, turned around.
fn forged(address: &str) -> String {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let (path, rest) = address.split_at(end);
    let (before, token) = path.rsplit_once('/').unwrap_or((path, ""));
    let turned: String = token.chars().rev().collect();
    let mark = if turned == token { "x" } else { "" };
    format!("{before}/{turned}{mark}{rest}")
}

#[cfg(test)]
mod tests;
