//! The demo's GPUs: an emulator of RunPod in this process, at a port that was free.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;
use tarsify_emulator::{Behaviour, Emulator, EmulatorSettings};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Whose models take their time, so that a run can be watched and called off.
const SLOW: &str = "demo-whisper";
const SLOW_MS: u64 = 10_000;

/// An emulator that listens.
pub(super) struct Gpus {
    emulator: Emulator,
    listener: TcpListener,
}

impl Gpus {
    pub(super) fn on_this_machine() -> anyhow::Result<Self> {
        let emulator = Emulator::new(EmulatorSettings::default());
        let emulator = emulator.context("the emulator cannot be started")?;
        let slow = Behaviour {
            run_ms: Some(SLOW_MS),
            progress_steps: Some(4),
            ..Behaviour::default()
        };
        emulator
            .set_behaviour(SLOW, slow)
            .context("the emulator cannot be started")?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .context("there is no free port for the emulator")?;
        Ok(Self { emulator, listener })
    }

    /// Where it speaks RunPod's protocol.
    pub(super) fn base_url(&self) -> anyhow::Result<Url> {
        let address = self.listener.local_addr();
        let address = address.context("the emulator's socket cannot be used")?;
        Url::parse(&format!("http://{address}/v2")).context("the emulator has no address")
    }

    /// Serves until it is asked to stop.
    pub(super) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let ran = self.emulator.run(self.listener, stop).await;
        ran.context("the emulator failed")
    }
}
