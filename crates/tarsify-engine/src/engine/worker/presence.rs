//! This process among those that work on the same store: what providers allow is divided by how
//! many there are.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::engine::Engine;
use crate::provider::SILENCE;

/// The pause between two words that we are here.
const BEAT: Duration = Duration::from_secs(1);

impl Engine {
    /// Comes among those that work on the store, and answers when that was. Whoever is here already
    /// has all of what providers allow until he hears of us, which takes a beat: we take nothing
    /// before that. So there is never more than the whole, but for calls that are under way just
    /// then.
    pub(super) async fn come(&self) -> Instant {
        loop {
            if let Some(moment) = self.check_in(BEAT).await {
                return moment;
            }
            sleep(BEAT).await;
        }
    }

    /// Says that we are here, for as long as the answer is kept.
    pub(super) async fn stay(&self, came_at: Instant) {
        let mut heard_at = came_at;
        loop {
            sleep(BEAT).await;
            let is_silent = heard_at.elapsed() > SILENCE;
            let rest = if is_silent { BEAT } else { Duration::ZERO };
            heard_at = self.check_in(rest).await.unwrap_or(heard_at);
        }
    }

    /// Makes room for those who stay. Without a word of it they make room for themselves when we
    /// have been silent for long enough.
    pub(super) async fn go(&self) {
        let shared = &self.shared;
        if let Err(error) = shared.crew.check_out(shared.worker).await {
            tracing::debug!(%error, "nobody was told that this worker is gone");
        }
    }

    /// While the store does not answer, providers let nothing through after [`SILENCE`].
    async fn check_in(&self, rest: Duration) -> Option<Instant> {
        let shared = &self.shared;
        match shared.crew.check_in(shared.worker).await {
            Ok(crew) => {
                for provider in &shared.providers {
                    provider.share(crew, rest);
                }
                Some(Instant::now())
            }
            Err(error) => {
                tracing::debug!(%error, "it is not known how many workers there are");
                None
            }
        }
    }
}
