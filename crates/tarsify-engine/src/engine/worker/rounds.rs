//! The steps, again and again, until somebody asks to stop.

use std::time::Duration;

use tarsify_domain::RepoError;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{BATCH, Batch, Kind, after_failures, token_of};
use crate::engine::{Engine, Told};

/// The pause between two sweeps; the end of what is past its deadline may take a minute.
const SWEEP: Duration = Duration::from_secs(5);

/// The pause between two tallies.
const TALLY: Duration = Duration::from_secs(1);
/// The pause between two notes of whose output somebody watches: a third of how long they hold.
const RENEWAL: Duration = Duration::from_secs(5);
/// The shortest pause between two readings of the log: what happens meanwhile is read together.
const BREATH: Duration = Duration::from_millis(10);
/// How soon the log is read again where something is not settled; twice as long each time that
/// nothing has come of it.
const SETTLING: Duration = Duration::from_millis(25);

impl Engine {
    /// Runs every worker step as it is due, until `shutdown`. What is in hand then is seen to
    /// its next write, which takes as long as a provider may take to answer.
    pub async fn run_workers(&self, shutdown: CancellationToken) {
        tokio::join!(self.run_work(&shutdown), self.run_watch(shutdown.clone()));
    }

    /// The same without [`Engine::run_watch`], for those who go on telling what happens when they
    /// take nothing new in hand any more.
    pub async fn run_work(&self, shutdown: &CancellationToken) {
        let work = async {
            tokio::join!(
                self.attend(Kind::Submit, shutdown),
                self.attend(Kind::Look, shutdown),
                self.attend(Kind::Sweep, shutdown),
                self.run_tally(shutdown),
            );
        };
        // Not before it is known who else is here: until then each of us would take the whole of what
        // providers allow.
        let Some(came_at) = shutdown.run_until_cancelled(self.come()).await else {
            return;
        };
        // What is in hand after `shutdown` still asks providers: until it is over we are here.
        tokio::select! {
            () = work => {}
            () = self.stay(came_at) => {}
        }
        self.go().await;
    }

    /// Tells those who wait and follow here what happens, whichever process brings it about, until
    /// `shutdown`. A process that runs no workers needs only this.
    ///
    /// The log is read whatever is announced: a word may be lost, and not every process has a bus
    /// to the others.
    pub async fn run_watch(&self, shutdown: CancellationToken) {
        tokio::join!(self.read_on(&shutdown), self.run_renewal(&shutdown));
    }

    async fn run_renewal(&self, shutdown: &CancellationToken) {
        let mut failures = 0;
        while shutdown.run_until_cancelled(sleep(RENEWAL)).await.is_some() {
            match self.renew_watches().await {
                Ok(()) => failures = 0,
                Err(error) => {
                    report(&error, failures);
                    failures += 1;
                }
            }
        }
    }

    async fn read_on(&self, shutdown: &CancellationToken) {
        let patrol = self.shared.settings.patrol;
        let mut announced = self.shared.bus.listen();
        let mut failures = 0;
        let (mut breath, mut settling) = (BREATH, SETTLING);
        while !shutdown.is_cancelled() {
            announced.borrow_and_update();
            let rest = match self.tell_followers().await {
                Ok(Told { new, unsettled }) => {
                    failures = 0;
                    // All that is unsettled is read again each time.
                    let backlog = u32::try_from(unsettled / 1_000).unwrap_or(u32::MAX);
                    breath = BREATH
                        .saturating_mul(backlog.saturating_add(1))
                        .min(patrol.max(BREATH));
                    settling = if new > 0 {
                        SETTLING
                    } else {
                        settling.saturating_mul(2)
                    };
                    // It settles without a word.
                    if unsettled > 0 {
                        settling.min(patrol)
                    } else {
                        patrol
                    }
                }
                Err(error) => {
                    report(&error, failures);
                    failures += 1;
                    patrol.max(after_failures(failures))
                }
            };
            // With nobody there is nothing to hurry for, until somebody comes.
            let has_followers = self.has_followers();
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(rest) => {}
                () = self.shared.came.notified(), if failures == 0 && !has_followers => {}
                Ok(()) = announced.changed(), if failures == 0 && has_followers => {}
            }
            sleep(breath).await;
        }
    }

    async fn run_tally(&self, shutdown: &CancellationToken) {
        let mut failures = 0;
        loop {
            let rest = match self.tally_due().await {
                Ok(_) => {
                    failures = 0;
                    TALLY
                }
                Err(error) => {
                    report(&error, failures);
                    failures += 1;
                    TALLY.max(after_failures(failures))
                }
            };
            if shutdown.run_until_cancelled(sleep(rest)).await.is_none() {
                return;
            }
        }
    }

    async fn attend(&self, kind: Kind, shutdown: &CancellationToken) {
        let mut in_hand = JoinSet::new();
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            while let Some(ended) = in_hand.try_join_next() {
                look_for_panic(ended);
            }
            let taken = u32::try_from(in_hand.len()).unwrap_or(u32::MAX);
            let room = self
                .shared
                .settings
                .in_hand
                .saturating_sub(taken)
                .min(BATCH);
            let rest = match self.take(kind, room, &mut in_hand).await {
                Ok(claimed) => {
                    failures = 0;
                    if room > 0 && claimed >= room {
                        continue;
                    }
                    match kind {
                        Kind::Sweep => SWEEP,
                        Kind::Submit | Kind::Look => self.shared.settings.patrol,
                    }
                }
                Err(error) => {
                    report(&error, failures);
                    failures += 1;
                    after_failures(failures)
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.asked(kind), if room > 0 && failures == 0 => {}
                Some(ended) = in_hand.join_next(), if room == 0 => look_for_panic(ended),
                () = sleep(rest) => {}
            }
        }
        while let Some(ended) = in_hand.join_next().await {
            look_for_panic(ended);
        }
    }

    /// Leases what there is room for and sets out with it.
    async fn take(
        &self,
        kind: Kind,
        room: u32,
        in_hand: &mut JoinSet<()>,
    ) -> Result<u32, RepoError> {
        if room == 0 {
            return Ok(0);
        }
        let Batch {
            claimed,
            mut tokens,
        } = self.claim(kind, room).await?;
        let count = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        for claimed in claimed {
            let token = token_of(&claimed, &mut tokens);
            let engine = self.clone();
            in_hand.spawn(async move { engine.drive(claimed, token).await });
        }
        Ok(count)
    }

    /// Ends when somebody says that something is due.
    async fn asked(&self, kind: Kind) {
        match kind {
            Kind::Submit => self.shared.submissions.notified().await,
            Kind::Look => self.shared.looks.notified().await,
            // Time alone brings a deadline.
            Kind::Sweep => std::future::pending().await,
        }
    }
}

/// A panic takes one execution with it for as long as its lease holds, and never a worker.
fn look_for_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a worker stopped in the middle of an execution");
    }
}

/// Once in a row of failures, not several times a second.
fn report(error: &RepoError, failures: u32) {
    if failures == 0 {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(%error, cause, "the workers wait for the store");
    }
}
