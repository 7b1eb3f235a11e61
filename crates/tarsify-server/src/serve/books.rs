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
const SETTLING: Duration = Duration::from_secs(5);
/// How often a checkpoint is made.
const CHECKPOINTS: Duration = Duration::from_secs(60 * 60);
/// When a purchase is given up that never came to a page; the pages are there for a day.
const ABANDONED: Duration = Duration::from_secs(25 * 60 * 60);
/// How many are seen to in one round.
const BATCH: u32 = 1_000;
const DELIVERIES: u32 = 16;
/// How long a delivery may take to be written down once the process stops.
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
    loop {
        let round = books.payouts.deliver_due(DELIVERIES);
        tokio::pin!(round);
        let sent = tokio::select! {
            sent = &mut round => sent,
            () = stop.cancelled() => {
                let _late = timeout(PATIENCE, round).await;
                return;
            }
        };
        let is_busy = matches!(sent, Ok(many) if many > 0);
        failing.note(sent.map(drop));
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
        while books.purchases.claw_back(DELIVERIES).await? >= u64::from(DELIVERIES) {}
        Ok(())
    };
    let expired = async {
        while books.purchases.expire(ABANDONED, BATCH).await? >= u64::from(BATCH) {}
        Ok(())
    };
    let (matured, clawed, expired) = tokio::join!(matured, clawed, expired);
    matured.and(clawed).and(expired)
}

/// Does it at once, and again after each `interval`.
pub(super) async fn repeat<F>(
    trouble: &'static str,
    interval: Duration,
    stop: &CancellationToken,
    mut work: impl FnMut() -> F,
) where
    F: Future<Output = Result<(), RepoError>>,
{
    let mut failing = Failing::new(trouble);
    let repeating = async {
        loop {
            failing.note(work().await);
            sleep(interval).await;
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

    fn note(&mut self, outcome: Result<(), RepoError>) {
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
