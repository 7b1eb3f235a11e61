//! The two ways of asking a process to stop.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Who asked the process to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Something that waits for us to drain.
    Terminate,
    /// A person at the terminal.
    Interrupt,
}

/// The two ways of asking a process to stop.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn receive() -> anyhow::Result<Self> {
        let receive = |kind| signal(kind).context("signals cannot be received");
        Ok(Self {
            terminate: receive(SignalKind::terminate())?,
            interrupt: receive(SignalKind::interrupt())?,
        })
    }

    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Terminate,
            _ = self.interrupt.recv() => Asked::Interrupt,
        }
    }
}
