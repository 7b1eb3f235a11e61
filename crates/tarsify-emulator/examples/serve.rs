//! Serves an emulator at the address given as its first argument, with the key given as its second,
//! until it is interrupted.

use std::net::TcpListener;

use tarsify_emulator::{Emulator, EmulatorSettings};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next();
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:8090"))?;
    let emulator = Emulator::new(EmulatorSettings {
        api_key: arguments.next(),
        ..EmulatorSettings::default()
    })?;
    let shutdown = CancellationToken::new();
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_ok() {
            shutdown.cancel();
        }
    };
    let (served, ()) = tokio::join!(emulator.run(listener, shutdown.clone()), interrupted);
    Ok(served?)
}
