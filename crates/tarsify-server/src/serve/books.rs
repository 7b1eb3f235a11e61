//! What has to be done about money while nobody asks: payouts leave, earnings mature, lost disputes
//! are followed up, and the platform's accounts get their checkpoints. Any number of processes may
//! do so at once.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tarsify_db::PgCheckpoints;
use tarsify_domain::RepoError;
use tarsify_domain::earnings::{EarningsRepository, Payouts};
use tarsify_domain::payments::PurchaseRepository;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How often something to send is looked for.
const SENDING: Duration = Duration::from_secs(1);
/// How often earnings and disputes are looked at.
const SETTLING: Pace = Pace::every(Duration::from_secs(5));
/// How often a checkpoint is made.
const CHECKPOINTS: Pace = Pace::every(Duration::from_secs(60 * 60));
/// When a purchase is given up that never came to a page; the pages are there for a day.
const ABANDONED: Duration = Duration::from_secs(25 * 60 * 60);
/// How many are seen to in one round.
const BATCH: u32 = 1_000;
const CLAWED: u32 = 16;
/// How long a delivery may take to be written down once the process stops, which is less than
/// everything in hand may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What keeps the books.
pub(crate) struct Books {
    pub(crate) payouts: Payouts,
    pub(crate) earnings: Arc<dyn EarningsRepository>,
    pub(crate) purchases: Arc<dyn PurchaseRepository>,
    pub(crate) checkpoints: PgCheckpoints,
    /// How long earnings wait.
    pub(crate) mature_after: Duration,
}

/// Keeps the books until it is asked to stop.
pub(super) async fn keep_books(books: Books, stop: CancellationToken) {
    tokio::join!(
        send(&books, &stop),
        repeat("earnings and disputes wait", SETTLING, &stop, || settle(
            &books
        )),
        repeat("no checkpoint was made", CHECKPOINTS, &stop, || async {
            books.checkpoints.advance().await.map(drop)
        }),
    );
}

/// What was begun is written down before the process ends; what cannot be is looked up by the next.
async fn send(books: &Books, stop: &CancellationToken) {
    let mut failing = Failing::new("payouts wait");
    while !stop.is_cancelled() {
        // One at a time: another one of the same round would be begun after we were asked to stop.
        let round = books.payouts.deliver_due(1);
        tokio::pin!(round);
        let sent = tokio::select! {
            sent = &mut round => sent,
            () = stop.cancelled() => {
                if timeout(PATIENCE, round).await.is_err() {
                    tracing::warn!(
                        "a payout is left on its way: whether it arrived is looked up before it is sent again"
                    );
                }
                return;
            }
        };
        let is_busy = matches!(sent, Ok(many) if many > 0);
        failing.note(&sent.map(drop));
        if !is_busy && stop.run_until_cancelled(sleep(SENDING)).await.is_none() {
            return;
        }
    }
}

async fn settle(books: &Books) -> Result<(), RepoError> {
    // Each of them, also when another one has trouble.
    let matured = async {
        while books.earnings.mature(books.mature_after, BATCH).await? >= u64::from(BATCH) {}
        Ok(())
    };
    let clawed = async {
        while books.purchases.claw_back(CLAWED).await? >= u64::from(CLAWED) {}
        Ok(())
    };
    let expired = async {
        while books.purchases.expire(ABANDONED, BATCH).await? >= u64::from(BATCH) {}
        Ok(())
    };
    let (matured, clawed, expired) = tokio::join!(matured, clawed, expired);
    matured.and(clawed).and(expired)
}

/// How often something is done.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    after_success: Duration,
    after_failure: Duration,
}

impl Pace {
    /// As often as this, whatever comes of it.
    pub(super) const fn every(interval: Duration) -> Self {
        Self {
            after_success: interval,
            after_failure: interval,
        }
    }

    /// The same, but again after this pause where it failed.
    pub(super) const fn or_after_failure(self, pause: Duration) -> Self {
        Self {
            after_failure: pause,
            ..self
        }
    }

    const fn after(self, outcome: &Result<(), RepoError>) -> Duration {
        match outcome {
            Ok(()) => self.after_success,
            Err(_) => self.after_failure,
        }
    }
}

/// Does it at once, and again and again at that pace.
pub(super) async fn repeat<F>(
    trouble: &'static str,
    pace: Pace,
    stop: &CancellationToken,
    mut work: impl FnMut() -> F,
) where
    F: Future<Output = Result<(), RepoError>>,
{
    let mut failing = Failing::new(trouble);
    let repeating = async {
        loop {
            let outcome = work().await;
            failing.note(&outcome);
            sleep(pace.after(&outcome)).await;
        }
    };
    let _stopped: Option<()> = stop.run_until_cancelled(repeating).await;
}

/// Tells a trouble when it begins and not again: the health check tells the rest.
struct Failing {
    trouble: &'static str,
    is_told: bool,
}

impl Failing {
    const fn new(trouble: &'static str) -> Self {
        Self {
            trouble,
            is_told: false,
        }
    }

    fn note(&mut self, outcome: &Result<(), RepoError>) {
        match outcome {
            Ok(()) => self.is_told = false,
            Err(error) if !self.is_told => {
                self.is_told = true;
                let cause = error.source().map(ToString::to_string);
                tracing::warn!(%error, cause, "{}", self.trouble);
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
