//! How processes tell each other that something has happened to a run. A word on the bus only wakes:
//! the rows are the truth, and a word that is lost is healed by a look at them.

use tokio::sync::watch;

/// Wakes whoever follows runs, in this process and, by some buses, in the others.
pub trait EventBus: Send + Sync {
    /// Says that something has happened. It never waits and never fails.
    fn announce(&self);

    /// Changes whenever something was announced, here or elsewhere. Many announcements that come
    /// together may be one change.
    fn listen(&self) -> watch::Receiver<()>;
}

/// The bus of a single process.
#[derive(Debug)]
pub struct LocalBus {
    sender: watch::Sender<()>,
}

impl Default for LocalBus {
    fn default() -> Self {
        let (sender, _) = watch::channel(());
        Self { sender }
    }
}

impl EventBus for LocalBus {
    fn announce(&self) {
        self.sender.send_replace(());
    }

    fn listen(&self) -> watch::Receiver<()> {
        self.sender.subscribe()
    }
}
