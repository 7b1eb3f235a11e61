//! The end of a process that was asked to stop, step by step: whoever can be served is served, who
//! cannot is told where to go, and all of it takes no longer than it may.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use tarsify_http::Lifecycle;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

/// How long everything in hand may take, from the signal on: requests to be answered, runs to reach
/// their next write, and payouts to be noted. A provider may take 20 seconds to answer; whoever stops
/// us waits 30 as a rule.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long the server waits for requests by itself. Ours is over sooner, and says what is left.
pub(super) const SERVER_PATIENCE_SECONDS: u64 = 60;
/// What is said of runs and of duties that took longer than they may.
const RUNS_LEFT: &str =
    "runs in hand are left: other workers take them over as soon as their leases have run out";
const DUTIES_LEFT: &str = "what was begun beside runs is left: another process goes on with it";

/// What has to be told that the process stops.
pub(super) struct Leaving {
    pub(super) lifecycle: Arc<Lifecycle>,
    pub(super) handle: ServerHandle,
    pub(super) stop_work: CancellationToken,
    pub(super) address: SocketAddr,
    /// How long a load balancer may take to see that the process is no longer ready; none where
    /// nobody has to. Until then whoever comes is served, so that nobody loses anything by what the
    /// balancer has not seen yet.
    pub(super) notice: Option<Duration>,
}

/// What is still being worked on, and takes on nothing new once the process stops.
pub(super) struct InHand<'a> {
    pub(super) runs: &'a mut JoinSet<()>,
    /// What is done beside runs, such as sending payouts.
    pub(super) duties: &'a mut JoinSet<()>,
}

impl Leaving {
    /// Lets go of everybody, of the runs in hand and of what was begun beside them.
    pub(super) async fn run(self, server: Pin<&mut Server>, in_hand: InHand<'_>) -> io::Result<()> {
        tracing::info!(address = %self.address, "stopping");
        let until = Instant::now() + PATIENCE;
        // First of all: what is leased from here on would only have to be given back.
        self.stop_work.cancel();
        self.lifecycle.drain();
        let answered = self.answer_the_last(server, until);
        let InHand { runs, duties } = in_hand;
        let (answered, (), ()) = tokio::join!(
            answered,
            finish(runs, RUNS_LEFT, until),
            finish(duties, DUTIES_LEFT, until)
        );
        tracing::info!("stopped");
        answered
    }

    async fn answer_the_last(&self, server: Pin<&mut Server>, until: Instant) -> io::Result<()> {
        let closed = async {
            // Dropped, the server would cut everybody off; it goes on until it has let go of all.
            let (ended, ()) = tokio::join!(server, self.close());
            ended
        };
        timeout_at(until, closed).await.unwrap_or_else(|_elapsed| {
            let connections = self.lifecycle.connections();
            tracing::warn!(
                connections,
                "connections are cut off: their requests took longer than a process may take to stop"
            );
            Ok(())
        })
    }

    async fn close(&self) {
        if let Some(notice) = self.notice {
            sleep(notice).await;
        }
        self.lifecycle.turn_away();
        if self.notice.is_some() {
            sleep(Lifecycle::FAREWELL).await;
        }
        self.handle.stop(true).await;
    }
}

/// Lets what is in hand reach its next write: that of runs gives their leases back. What takes longer
/// than it may is taken over by another process.
async fn finish(in_hand: &mut JoinSet<()>, left: &'static str, until: Instant) {
    let written = async { while in_hand.join_next().await.is_some() {} };
    if timeout_at(until, written).await.is_err() {
        tracing::warn!("{left}");
    }
}
