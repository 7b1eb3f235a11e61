//! The process between ready and gone: whom it still serves, whom it sends elsewhere, and how many
//! are still there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::dev::Extensions;
use tokio_util::sync::CancellationToken;

/// How long who followed waits at least before he comes back. Until the farewell is over he would be
/// turned away here, which a browser takes for the end; then another process has taken him, or
/// nobody listens, and he tries again by himself.
const RETURN: Duration = Lifecycle::FAREWELL.saturating_add(Duration::from_millis(200));
/// How many come back in a second.
const RETURNS_A_SECOND: u32 = 2_000;
/// Nobody is kept away for longer, however many there are.
const LATEST_RETURN: Duration = Duration::from_secs(30);

/// Where the process is in its life.
#[derive(Debug, Default)]
pub struct Lifecycle {
    draining: CancellationToken,
    leaving: CancellationToken,
    connections: Arc<AtomicUsize>,
    sent_off: AtomicU32,
}

impl Lifecycle {
    /// How long those who still come are told to go elsewhere, from [`Self::turn_away`] on, before
    /// nobody answers them any more. Whoever ends the process keeps to it: those who are sent off are
    /// told to stay away for longer.
    pub const FAREWELL: Duration = Duration::from_secs(2);

    /// The process is about to stop: it answers, but asks not to be sent anything new, and
    /// whoever waits for something is told how it stands. Every answer from now on is the last one
    /// on its connection.
    pub fn drain(&self) {
        self.draining.cancel();
    }

    /// Who has not heard of it by now learns it the hard way: requests on new connections are
    /// refused, and who follows is sent off. Those on older connections are still answered.
    pub fn turn_away(&self) {
        self.drain();
        self.leaving.cancel();
    }

    /// Takes note of a new connection, in what belongs to it; for [`actix_web::HttpServer::on_connect`].
    pub fn meet(&self, connection: &mut Extensions) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        connection.insert(Connection {
            came_late: self.leaving.is_cancelled(),
            open: Arc::clone(&self.connections),
        });
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Ends when the process is about to stop.
    pub(crate) async fn drained(&self) {
        self.draining.cancelled().await;
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Ends when those who follow are to go, and says after how long each should come back: one after
    /// the other, so that not all of them stand at the next process at once.
    pub(crate) async fn sent_off(&self) -> Duration {
        self.leaving.cancelled().await;
        let before = self.sent_off.fetch_add(1, Ordering::Relaxed);
        let later = Duration::from_secs(u64::from(before)) / RETURNS_A_SECOND;
        RETURN.saturating_add(later).min(LATEST_RETURN)
    }
}

/// What a connection knows of its beginning; it is counted for as long as this lives.
#[derive(Debug)]
pub(crate) struct Connection {
    came_late: bool,
    open: Arc<AtomicUsize>,
}

impl Connection {
    /// Whether it came when nobody should come any more.
    pub(crate) const fn came_late(&self) -> bool {
        self.came_late
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
