//! `tarsify serve`: the REST API, from the first listening socket to the last answer.

use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer};
use anyhow::Context;
use tarsify_domain::catalog::Market;
use tarsify_http::{answer, configure, cors};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::logging;
use crate::migrate;
use crate::platform::Platform;
use crate::store::Stores;

/// How long requests may take to finish once the process stops.
const PATIENCE_SECONDS: u64 = 25;
/// How long a load balancer may take to see that the process is no longer ready.
const NOTICE: Duration = Duration::from_secs(2);

pub(crate) async fn run(config: &Config, stores: &Stores) -> anyhow::Result<ExitCode> {
    logging::start(config)?;
    let listener = listen(config)?;
    let store = stores.open().await?;
    let served = async {
        migrate::require_current(config, &store).await?;
        let database = store.connect().await?;
        let platform = Platform::build(config, &database)?;
        let outcome = serve(config, platform, listener).await;
        database.close();
        outcome
    }
    .await;
    store.close().await?;
    served.map(|()| ExitCode::SUCCESS)
}

/// Takes the address before anything else is started, so that a taken port is told at once.
pub(crate) fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    let address = config.server.listen_address();
    let listener = TcpListener::bind(address).with_context(|| {
        format!("cannot listen on {address}: choose another port with --port or PORT, or end what uses it")
    })?;
    listener
        .set_nonblocking(true)
        .context("the listening socket cannot be used")?;
    Ok(listener)
}

/// Answers requests until somebody asks the process to stop.
pub(crate) async fn serve(
    config: &Config,
    platform: Platform,
    listener: TcpListener,
) -> anyhow::Result<()> {
    let address = listener
        .local_addr()
        .context("the listening socket cannot be used")?;
    let Platform {
        services,
        http,
        keys,
        watched_market,
        ..
    } = platform;
    let lifecycle = Arc::clone(&services.lifecycle);
    let stop = CancellationToken::new();
    let mut background = JoinSet::new();
    background.spawn(watch_market(
        watched_market,
        config.market.poll_interval,
        stop.clone(),
    ));
    if config.identity.firebase_users_project_id.is_some()
        || config.identity.firebase_devs_project_id.is_some()
    {
        let stop = stop.clone();
        background.spawn(async move { keys.run(stop).await });
    }
    let server = HttpServer::new(move || {
        App::new()
            .wrap(Compress::default())
            .wrap(cors(&http))
            .wrap(from_fn(answer))
            .configure(configure(services.clone(), http.clone()))
    })
    .disable_signals()
    .shutdown_timeout(PATIENCE_SECONDS)
    .listen(listener)
    .context("the listening socket cannot be used")?
    .run();
    let handle = server.handle();
    let mut server = pin!(server);
    // Before anybody hears that we are ready: a signal that comes later finds us listening.
    let mut signals = Signals::receive()?;
    tracing::info!(%address, "ready");
    let ended = tokio::select! {
        ended = &mut server => ended,
        asked = signals.next() => {
            lifecycle.drain();
            // Dropped, the server would cut everybody off; it goes on until it has let go of all,
            // or until somebody asks a second time.
            tokio::select! {
                (ended, ()) = async { tokio::join!(server, leave(&handle, asked, address)) } => ended,
                _again = signals.next() => Ok(()),
            }
        }
    };
    stop.cancel();
    while background.join_next().await.is_some() {}
    ended.context("the server failed")
}

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

async fn leave(handle: &ServerHandle, asked: Asked, address: SocketAddr) {
    tracing::info!(%address, "stopping");
    if asked == Asked::Terminate {
        tokio::time::sleep(NOTICE).await;
    }
    handle.stop(true).await;
    tracing::info!("stopped");
}

/// Learns of what other processes change in the market.
async fn watch_market(market: Market, interval: Duration, stop: CancellationToken) {
    let mut failing = false;
    while stop
        .run_until_cancelled(tokio::time::sleep(interval))
        .await
        .is_some()
    {
        match market.observe_changes().await {
            Ok(()) => failing = false,
            // Once, not twice a second: the health check tells the rest.
            Err(error) if !failing => {
                failing = true;
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "changes of other processes are not seen for now");
            }
            Err(_) => {}
        }
    }
}
