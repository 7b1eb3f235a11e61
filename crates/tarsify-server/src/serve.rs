//! `tarsify serve`: the REST API and the workers, from the first listening socket to the last
//! answer and the last write.

mod background;
mod books;
mod health_only;
mod retention;
mod signals;

use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::{App, HttpServer};
use anyhow::{Context, anyhow, bail};
use tarsify_engine::Engine;
use tarsify_http::{HttpSettings, Services, answer, configure, cors, limit};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::background::{forget_keys, watch_limits, watch_market};
pub(crate) use self::books::Books;
use self::books::keep_books;
use self::health_only::health_only;
pub(crate) use self::retention::OldThings;
use self::retention::remove_old;
pub(crate) use self::signals::{Asked, Signals};
use crate::config::{Config, Environment, Role};
use crate::logging;
use crate::migrate;
use crate::platform::Platform;
use crate::provider::ProviderAccess;
use crate::store::Stores;

/// How long requests may take to finish once the process stops, in seconds, and runs in hand to
/// reach their next write. A provider may take 20 to answer.
const PATIENCE_SECONDS: u64 = 25;
/// How long a connection without requests is kept. Whoever stands in front of us keeps his for up
/// to a minute: were we the first to close one, he could lose a request on it.
const IDLE: Duration = Duration::from_secs(75);
/// How long somebody may take nothing of what is sent to him.
#[cfg(target_os = "linux")]
const STALLED: Duration = Duration::from_secs(30);
/// How long a load balancer may take to see that the process is no longer ready.
const NOTICE: Duration = Duration::from_secs(2);

pub(crate) async fn run(config: &Config, stores: &Stores) -> anyhow::Result<ExitCode> {
    logging::start(config)?;
    require_key(config)?;
    let listener = listen(config)?;
    let store = stores.open().await?;
    let served = async {
        migrate::require_current(config, &store).await?;
        let databases = store.connect().await?;
        let address = listener
            .local_addr()
            .context("the listening socket cannot be used")?;
        let access = ProviderAccess::listening_at(config, address);
        let platform = Platform::build(config, &databases, access)?;
        let outcome = serve(config, platform, listener).await;
        databases.close();
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
    let_go_of_the_stalled(&listener).context("the listening socket cannot be used")?;
    Ok(listener)
}

/// Has the system end connections whose other side takes nothing, though it should, for a while: no
/// write of ours would fail, and what waits to be sent would wait for good. Who is let in through
/// this inherits it. Other systems have no such thing.
fn let_go_of_the_stalled(listener: &TcpListener) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(listener).set_tcp_user_timeout(Some(STALLED))?;
    let _ = listener;
    Ok(())
}

/// Workers without a key would only make every run wait for its deadline.
fn require_key(config: &Config) -> anyhow::Result<()> {
    if config.environment == Environment::Production && lacks_key(config) {
        bail!(
            "workers cannot call RunPod without a key: set RUNPOD_API_KEY, or serve with --role api where others do the work"
        );
    }
    Ok(())
}

fn lacks_key(config: &Config) -> bool {
    config.server.role.works() && config.runpod.lacks_key()
}

/// Answers requests and sees to runs, as the role says, until somebody asks the process to stop.
pub(crate) async fn serve(
    config: &Config,
    platform: Platform,
    listener: TcpListener,
) -> anyhow::Result<()> {
    let address = listener
        .local_addr()
        .context("the listening socket cannot be used")?;
    let role = config.server.role;
    let settled = platform.executions.settle_restored().await;
    settled.context("the events of a restored database cannot be settled")?;
    let lifecycle = Arc::clone(&platform.services.lifecycle);
    let engine = platform.services.engine.clone();
    let (stop, stop_work) = (CancellationToken::new(), CancellationToken::new());
    let mut workers = JoinSet::new();
    if role.works() {
        workers.spawn(work(engine.clone(), stop_work.clone()));
    }
    let (services, http) = (platform.services.clone(), platform.http.clone());
    let mut background = run_beside(config, platform, &stop);
    let server = answer_on(listener, services, http, role)?;
    let handle = server.handle();
    let mut server = pin!(server);
    // Before anybody hears that we are ready: a signal that comes later finds us listening.
    let mut signals = Signals::receive()?;
    warn_of_missing_key(config);
    tracing::info!(%address, role = role.as_str(), "ready");
    let ended = tokio::select! {
        ended = &mut server => ended.context("the server failed"),
        Some(ended) = workers.join_next() => Err(anyhow!("the workers failed: {ended:?}")),
        asked = signals.next() => {
            // First of all: what is leased from here on would only have to be given back.
            stop_work.cancel();
            lifecycle.drain();
            // Dropped, the server would cut everybody off; it goes on until it has let go of all,
            // or until somebody asks a second time.
            let leaving = async {
                tokio::join!(server, leave(&handle, asked, address), finish(&mut workers)).0
            };
            tokio::select! {
                ended = leaving => ended.context("the server failed"),
                _again = signals.next() => Ok(()),
            }
        }
    };
    workers.abort_all();
    stop.cancel();
    while background.join_next().await.is_some() {}
    ended
}

/// Said when everything else is in order, so that a failed start has only its own message.
fn warn_of_missing_key(config: &Config) {
    if lacks_key(config) {
        tracing::warn!(
            "RUNPOD_API_KEY is not set: RunPod refuses every run. Set it, or RUNPOD_BASE_URL to that of `tarsify emulator`"
        );
    }
}

async fn work(engine: Engine, stop: CancellationToken) {
    engine.run_workers(stop).await;
}

/// Starts what goes on beside requests and runs.
fn run_beside(config: &Config, platform: Platform, stop: &CancellationToken) -> JoinSet<()> {
    let Platform {
        services,
        watched_market,
        watched_limits,
        old_keys,
        old_things,
        books,
        keys,
        ..
    } = platform;
    let role = config.server.role;
    let identity = &config.identity;
    let mut background = JoinSet::new();
    if role.works() {
        background.spawn(forget_keys(old_keys, stop.clone()));
        background.spawn(remove_old(old_things, stop.clone()));
        background.spawn(keep_books(books, stop.clone()));
    } else {
        // Those who wait here are woken by what workers elsewhere write.
        let (engine, stop) = (services.engine, stop.clone());
        background.spawn(async move { engine.run_watch(stop).await });
    }
    if role.serves() {
        let interval = config.market.poll_interval;
        background.spawn(watch_market(watched_market, interval, stop.clone()));
        let limits = Arc::clone(services.caller_limits.limits());
        background.spawn(watch_limits(limits, watched_limits, stop.clone()));
        if identity.firebase_users_project_id.is_some()
            || identity.firebase_devs_project_id.is_some()
        {
            let stop = stop.clone();
            background.spawn(async move { keys.run(stop).await });
        }
    }
    background
}

fn answer_on(
    listener: TcpListener,
    services: Services,
    http: HttpSettings,
    role: Role,
) -> anyhow::Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .wrap(Condition::new(!role.serves(), from_fn(health_only)))
            .wrap(from_fn(limit))
            .wrap(Compress::default())
            .wrap(cors(&http))
            .wrap(from_fn(answer))
            .configure(configure(services.clone(), http.clone()))
    })
    .disable_signals()
    .keep_alive(IDLE)
    .shutdown_timeout(PATIENCE_SECONDS)
    .listen(listener)
    .context("the listening socket cannot be used")?;
    Ok(server.run())
}

async fn leave(handle: &ServerHandle, asked: Asked, address: SocketAddr) {
    tracing::info!(%address, "stopping");
    if asked == Asked::Terminate {
        tokio::time::sleep(NOTICE).await;
    }
    handle.stop(true).await;
    tracing::info!("stopped");
}

/// Lets the runs in hand reach their next write, which gives their leases back. What takes
/// longer than it may is taken over by another worker when its lease has run out.
async fn finish(workers: &mut JoinSet<()>) {
    let written = async { while workers.join_next().await.is_some() {} };
    if timeout(Duration::from_secs(PATIENCE_SECONDS), written)
        .await
        .is_err()
    {
        tracing::warn!("runs in hand are left to other workers");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
