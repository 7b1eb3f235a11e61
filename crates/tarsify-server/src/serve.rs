//! `tarsify serve`: the REST API and the workers, from the first listening socket to the last
//! answer and the last write.

mod background;
mod books;
mod ended;
mod health_only;
mod leaving;
mod pulse;
mod retention;
mod signals;

use std::net::TcpListener;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::{App, HttpServer};
use anyhow::{Context, anyhow};
use tarsify_engine::Engine;
use tarsify_http::{HttpSettings, Services, answer, configure, cors, limit, turn_away};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::background::{forget_keys, watch_limits, watch_market};
pub(crate) use self::books::Books;
use self::books::keep_books;
pub(crate) use self::ended::{Ended, close, finish};
use self::health_only::health_only;
use self::leaving::{InHand, Leaving, SERVER_PATIENCE_SECONDS};
use self::pulse::take_pulse;
pub(crate) use self::retention::OldThings;
use self::retention::remove_old;
pub(crate) use self::signals::{Asked, Signals};
use crate::config::{Config, Environment, Role};
use crate::exit::{Misconfigured, Served};
use crate::logging;
use crate::migrate;
use crate::platform::Platform;
use crate::provider::ProviderAccess;
use crate::store::Stores;
use crate::traces::Traces;

/// How long a connection without requests is kept. Whoever stands in front of us keeps his for up
/// to a minute: were we the first to close one, he could lose a request on it.
const IDLE: Duration = Duration::from_secs(75);
/// How long somebody may take nothing of what is sent to him.
#[cfg(target_os = "linux")]
const STALLED: Duration = Duration::from_secs(30);
/// How long what goes on beside requests and runs may take to end, once nothing else goes on.
const BACKGROUND_PATIENCE: Duration = Duration::from_secs(5);

pub(crate) async fn run(config: &Config, stores: &Stores) -> anyhow::Result<ExitCode> {
    let traces = Traces::configured(config)?;
    logging::start_with(config, traces.as_ref())?;
    finish(traces, open_and_serve(config, stores).await).await
}

async fn open_and_serve(config: &Config, stores: &Stores) -> anyhow::Result<Ended> {
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
    close(store, served).await
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
        let missing = Misconfigured(
            "workers cannot call RunPod without a key: set RUNPOD_API_KEY, or serve with --role api where others do the work",
        );
        return Err(missing.into());
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
) -> anyhow::Result<Ended> {
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
    let Beside {
        mut duties,
        mut watches,
    } = run_beside(config, platform, &stop_work, &stop);
    let server = answer_on(listener, services, http, role)?;
    let handle = server.handle();
    let mut server = pin!(server);
    // Before anybody hears that we are ready: a signal that comes later finds us listening.
    let mut signals = Signals::receive()?;
    warn_of_missing_key(config);
    tracing::info!(%address, role = role.as_str(), "ready");
    let served = tokio::select! {
        ended = &mut server => ended.context("the server failed").map(|()| Served::ToTheEnd),
        Some(ended) = workers.join_next() => Err(anyhow!("the workers failed: {ended:?}")),
        asked = signals.next() => {
            let leaving = Leaving {
                lifecycle: Arc::clone(&lifecycle),
                handle,
                stop_work: stop_work.clone(),
                address,
                // A person at the terminal is in front of no balancer, and neither is a worker.
                notice: Some(config.server.notice)
                    .filter(|_| asked == Asked::Terminate && role.serves()),
            };
            let in_hand = InHand { runs: &mut workers, duties: &mut duties };
            let in_order = async {
                let ended = leaving.run(server.as_mut(), in_hand).await;
                stop.cancel();
                let_end(&mut watches).await;
                ended.context("the server failed").map(|()| Served::ToTheEnd)
            };
            tokio::select! {
                served = in_order => served,
                _again = signals.next() => {
                    let connections = lifecycle.connections();
                    tracing::warn!(connections, "asked to stop a second time: everything in hand is left");
                    Ok(Served::CutShort)
                }
            }
        }
    };
    workers.abort_all();
    if served.is_err() {
        stop_work.cancel();
        stop.cancel();
        tokio::join!(let_end(&mut duties), let_end(&mut watches));
    }
    served.map(|served| Ended { served, signals })
}

/// Waits until all of that is over, or has to be.
async fn let_end(background: &mut JoinSet<()>) {
    let over = async { while background.join_next().await.is_some() {} };
    if timeout(BACKGROUND_PATIENCE, over).await.is_err() {
        tracing::warn!("what goes on in the background is left where it stands");
    }
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
    engine.run_work(&stop).await;
}

/// What goes on beside requests and runs.
struct Beside {
    /// What begins something of its own, and begins nothing any more once the process stops.
    duties: JoinSet<()>,
    /// What requests and runs need to the last.
    watches: JoinSet<()>,
}

/// Starts what goes on beside requests and runs: duties until `stop_work`, watches until `stop`.
fn run_beside(
    config: &Config,
    platform: Platform,
    stop_work: &CancellationToken,
    stop: &CancellationToken,
) -> Beside {
    let Platform {
        services,
        watched_market,
        watched_limits,
        old_keys,
        old_things,
        books,
        pulse,
        keys,
        ..
    } = platform;
    let role = config.server.role;
    let identity = &config.identity;
    let (mut duties, mut watches) = (JoinSet::new(), JoinSet::new());
    if role.works() {
        duties.spawn(forget_keys(old_keys, stop_work.clone()));
        duties.spawn(remove_old(old_things, stop_work.clone()));
        duties.spawn(keep_books(books, stop_work.clone()));
        watches.spawn(take_pulse(pulse, stop.clone()));
    }
    if role.serves() {
        // Whoever waits or follows here hears of what workers write, here and elsewhere; for as long
        // as he is here, which is longer than we work.
        let (engine, until) = (services.engine, stop.clone());
        watches.spawn(async move { engine.run_watch(until).await });
        let interval = config.market.poll_interval;
        watches.spawn(watch_market(watched_market, interval, stop.clone()));
        let limits = Arc::clone(services.caller_limits.limits());
        watches.spawn(watch_limits(limits, watched_limits, stop.clone()));
        if identity.firebase_users_project_id.is_some()
            || identity.firebase_devs_project_id.is_some()
        {
            let stop = stop.clone();
            watches.spawn(async move { keys.run(stop).await });
        }
    }
    Beside { duties, watches }
}

fn answer_on(
    listener: TcpListener,
    services: Services,
    http: HttpSettings,
    role: Role,
) -> anyhow::Result<Server> {
    let lifecycle = Arc::clone(&services.lifecycle);
    let server = HttpServer::new(move || {
        App::new()
            .wrap(Condition::new(!role.serves(), from_fn(health_only)))
            .wrap(from_fn(limit))
            .wrap(from_fn(turn_away))
            .wrap(Compress::default())
            .wrap(cors(&http))
            .wrap(from_fn(answer))
            .configure(configure(services.clone(), http.clone()))
    })
    .disable_signals()
    .on_connect(move |_connection, data| lifecycle.meet(data))
    .keep_alive(IDLE)
    .shutdown_timeout(SERVER_PATIENCE_SECONDS)
    .listen(listener)
    .context("the listening socket cannot be used")?;
    Ok(server.run())
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
