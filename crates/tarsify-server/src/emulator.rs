//! `tarsify emulator`: a stand-in for RunPod on this machine.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use tarsify_emulator::{Emulator, EmulatorSettings, Script};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::logging;
use crate::serve::Signals;
use crate::terminal;

pub(crate) async fn run(
    config: &Config,
    listen: SocketAddr,
    api_key: Option<String>,
    script: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    if !listen.ip().is_loopback() && api_key.is_none() {
        bail!(
            "{listen} can be reached by others: give them a key with --api-key, or listen on 127.0.0.1"
        );
    }
    logging::start(config)?;
    let settings = EmulatorSettings {
        api_key,
        script: script.map(read).transpose()?,
        ..EmulatorSettings::default()
    };
    let emulator = Emulator::new(settings).context("the emulator cannot be started")?;
    let listener = TcpListener::bind(listen)
        .with_context(|| format!("cannot listen on {listen}: choose another with --listen"))?;
    let address = listener
        .local_addr()
        .context("the listening socket cannot be used")?;
    let mut signals = Signals::receive()?;
    terminal::say(&format!("The emulator listens on http://{address}/v2"))?;
    let stop = CancellationToken::new();
    let stopped = async {
        signals.next().await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(emulator.run(listener, stop.clone()), stopped);
    ended.context("the emulator failed")?;
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<Script> {
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("{shown} cannot be read"))?;
    Script::parse(&text).with_context(|| format!("{shown} cannot be used"))
}
