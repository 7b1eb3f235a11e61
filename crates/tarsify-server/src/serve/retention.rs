//! Removes what is old while nobody asks: a little at a time, so that the database hardly notices,
//! and by one process at a time. Any number of processes may try.

use std::sync::Arc;
use std::time::Duration;

use tarsify_domain::RepoError;
use tarsify_domain::retention::{Perishable, Removal, Removed, Retention};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::books::{Pace, repeat};

/// How often it is looked for what has become old.
const ROUNDS: Pace = Pace::every(Duration::from_secs(10 * 60));
/// How many executions are looked at in one statement.
const BATCH: u32 = 500;
/// The pause after each, for all processes together.
const REST: Duration = Duration::from_millis(200);
/// How many other rows are removed in one statement.
const SWEPT: u32 = 1_000;

/// What is removed, and when.
pub(crate) struct OldThings {
    pub(crate) retention: Arc<dyn Retention>,
    /// How long after the end; for ever when nothing is said.
    pub(crate) events: Option<Duration>,
    pub(crate) payloads: Option<Duration>,
}

/// Removes what is old, at once and then again and again.
pub(super) async fn remove_old(old: OldThings, stop: CancellationToken) {
    let trouble = "what is old stays for now";
    repeat(trouble, ROUNDS, &stop, || round(&old)).await;
}

/// Each of them, also when another one has trouble. Payloads first: they are the larger part, and
/// the more private one.
async fn round(old: &OldThings) -> Result<(), RepoError> {
    let retention = old.retention.as_ref();
    let payloads = remove(retention, Perishable::Payloads, old.payloads).await;
    let events = remove(retention, Perishable::Events, old.events).await;
    let swept = async {
        while retention.sweep(SWEPT).await? >= u64::from(SWEPT) {
            sleep(REST).await;
        }
        Ok(())
    };
    payloads.and(events).and(swept.await)
}

async fn remove(
    retention: &dyn Retention,
    what: Perishable,
    age: Option<Duration>,
) -> Result<(), RepoError> {
    let Some(age) = age else { return Ok(()) };
    let mut limit = BATCH;
    let mut count = 0;
    loop {
        let step = Removal {
            what,
            age,
            limit,
            rest: REST,
        };
        match retention.remove(&step).await {
            // Another process is at it.
            Ok(None) => break,
            Ok(Some(Removed {
                executions,
                is_last,
            })) => {
                count += executions;
                limit = limit.saturating_mul(2).min(BATCH);
                if is_last {
                    break;
                }
            }
            // It may have been more than a statement has time for.
            Err(_) if limit > 1 => limit = (limit / 10).max(1),
            Err(error) => return Err(error),
        }
        sleep(REST).await;
    }
    if count > 0 {
        let what = what.as_str();
        tracing::info!(what, executions = count, "what was old was removed");
    }
    Ok(())
}
