//! What a process does beside answering and working: it learns of changes, and forgets what
//! nobody needs any more.

use std::sync::Arc;
use std::time::Duration;

use tarsify_domain::RepoError;
use tarsify_domain::catalog::Market;
use tarsify_domain::idempotency::IdempotencyRepository;
use tarsify_domain::limits::{LimitSettingsRepository, Limits};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether an administrator has changed the limits; five seconds are
/// promised.
const LIMITS: Duration = Duration::from_secs(2);
/// How long an idempotency key is remembered.
const KEYS_LIVE: Duration = Duration::from_secs(24 * 60 * 60);
/// How often old keys are looked for.
const FORGETTING: Duration = Duration::from_secs(60 * 60);
/// How many are forgotten in one statement, so that none takes long.
const BATCH: u32 = 1_000;

/// Learns of what other processes change in the market.
pub(super) async fn watch_market(market: Market, interval: Duration, stop: CancellationToken) {
    let mut failing = false;
    while stop.run_until_cancelled(sleep(interval)).await.is_some() {
        match market.observe_changes().await {
            Ok(()) => failing = false,
            // Once, not twice a second: the health check tells the rest.
            Err(error) if !failing => {
                failing = true;
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "changes of other processes are not seen for now");
            }
            Err(_) => {}
        }
    }
}

/// Learns of limits that an administrator has changed elsewhere; at once, and then again and again.
/// What is known stays in force while the database fails.
pub(super) async fn watch_limits(
    limits: Arc<Limits>,
    repository: Arc<dyn LimitSettingsRepository>,
    stop: CancellationToken,
) {
    let mut failing = false;
    let watching = async {
        loop {
            match limits.refresh_through(repository.as_ref()).await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, "the limits on callers stay as they were last seen");
                }
                Err(_) => {}
            }
            sleep(LIMITS).await;
        }
    };
    let _stopped: Option<()> = stop.run_until_cancelled(watching).await;
}

/// Forgets idempotency keys that are a day old. Any number of processes may do so at once.
pub(super) async fn forget_keys(keys: Arc<dyn IdempotencyRepository>, stop: CancellationToken) {
    let forgetting = async {
        loop {
            match forget_old(keys.as_ref()).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "old idempotency keys were forgotten"),
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(%error, cause, "old idempotency keys stay for another hour");
                }
            }
            sleep(FORGETTING).await;
        }
    };
    let _stopped: Option<()> = stop.run_until_cancelled(forgetting).await;
}

async fn forget_old(keys: &dyn IdempotencyRepository) -> Result<u64, RepoError> {
    let mut count = 0;
    loop {
        let forgotten = keys.forget(KEYS_LIVE, BATCH).await?;
        count += forgotten;
        if forgotten < u64::from(BATCH) {
            return Ok(count);
        }
    }
}
