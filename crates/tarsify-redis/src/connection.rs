//! The one connection to Redis: made in the background, watched, and made anew for ever. It never
//! keeps a process from starting, and tells of a trouble once, when it begins and when it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fred::clients::Client;
use fred::error::Error;
use fred::interfaces::{ClientLike, EventInterface, LuaInterface};
use fred::types::InfoKind;
use fred::types::config::{ConnectionConfig, Options, ReconnectPolicy};
use tarsify_domain::health::PartHealth;
use tokio::sync::broadcast::Receiver;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::address::RedisAddress;
use crate::limiter::SCRIPT;

/// How long it may take to connect, and then to be let in.
const CONNECTING: Duration = Duration::from_secs(2);
/// The first pause between attempts, in milliseconds; each is twice as long as the one before.
const FIRST_PAUSE: u32 = 50;
/// The longest pause, in milliseconds. As much again, at most, is added for each process, so that
/// not all of them come back at the same moment.
const LONGEST_PAUSE: u32 = 1_000;
/// How long a question whether it is there may take.
const ANSWERING: Duration = Duration::from_millis(500);
/// How often it is asked while it answers, and while it does not.
const ASKING: Duration = Duration::from_secs(1);
const ASKING_AGAIN: Duration = Duration::from_millis(100);
/// How long it is silent until that is a trouble. It covers the first moments of a process.
const TROUBLE: Duration = Duration::from_millis(300);
/// How long an open connection is silent until it is given up.
const LOST: Duration = Duration::from_secs(3);
/// How many questions the latency is the best of.
const SAMPLES: u32 = 5;

/// A connection to Redis, or the attempt to have one. It ends with the last of its clones.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    prefix: String,
    state: watch::Receiver<State>,
    /// Aborted with this value.
    _watching: JoinSet<()>,
}

/// How Redis is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Nobody knows yet.
    Unknown,
    Answering,
    /// Why, where that is known.
    Silent(Option<Error>),
}

/// What Redis says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisReport {
    /// Its version.
    pub version: String,
    /// How long a question takes at best.
    pub latency: Duration,
}

/// Redis does not answer.
#[derive(Debug, thiserror::Error)]
#[error("Redis does not answer")]
pub struct RedisTrouble {
    /// What went wrong last, where that is known.
    #[source]
    cause: Option<Error>,
}

impl Redis {
    /// Begins to connect, in the background. What is kept there or said there has a name that begins
    /// with `prefix`, so that several installations can share one server.
    ///
    /// It has to be called from within a Tokio runtime, which lives as long as this connection.
    #[must_use]
    pub fn connect(address: &RedisAddress, prefix: &str) -> Self {
        let connection = ConnectionConfig {
            connection_timeout: CONNECTING,
            internal_command_timeout: CONNECTING,
            max_command_attempts: 1,
            reconnect_on_auth_error: true,
            ..ConnectionConfig::default()
        };
        let longest = LONGEST_PAUSE.saturating_add(random() % LONGEST_PAUSE);
        let pauses = ReconnectPolicy::new_exponential(0, FIRST_PAUSE, longest, 2);
        let client = Client::new(address.config.clone(), None, Some(connection), Some(pauses));
        let (sender, state) = watch::channel(State::Unknown);
        let mut watching = JoinSet::new();
        watching.spawn(keep(client.clone(), sender));
        Self {
            shared: Arc::new(Shared {
                client,
                prefix: prefix.to_owned(),
                state,
                _watching: watching,
            }),
        }
    }

    /// Waits until it answers.
    pub async fn answers(&self) {
        let mut state = self.shared.state.clone();
        // The sender lives as long as this connection.
        let _answering = state.wait_for(|state| *state == State::Answering).await;
    }

    /// Asks how it is.
    ///
    /// # Errors
    /// When it does not answer within `patience`.
    pub async fn look(&self, patience: Duration) -> Result<RedisReport, RedisTrouble> {
        let client = self.client().with_options(&impatient());
        let asking = async {
            self.answers().await;
            let told: String = client.info(Some(InfoKind::Server)).await?;
            // It may answer, and not be allowed to count or have no room for it.
            let key = format!("{}:limit:look", self.prefix());
            let _counted: Vec<i64> = client.eval(SCRIPT, key, vec![1_i64, 1]).await?;
            let mut latency = Duration::MAX;
            for _ in 0..SAMPLES {
                let asked = Instant::now();
                let _pong: String = client.ping(None).await?;
                latency = latency.min(asked.elapsed());
            }
            let version = told
                .lines()
                .find_map(|line| line.strip_prefix("redis_version:"))
                .unwrap_or("unknown");
            Ok::<_, Error>(RedisReport {
                version: version.to_owned(),
                latency,
            })
        };
        match timeout(patience, asking).await {
            Ok(report) => report.map_err(|error| RedisTrouble { cause: Some(error) }),
            Err(_elapsed) => Err(RedisTrouble {
                cause: match &*self.shared.state.borrow() {
                    State::Silent(cause) => cause.clone(),
                    State::Unknown | State::Answering => None,
                },
            }),
        }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.shared.client
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.shared.prefix
    }
}

impl PartHealth for Redis {
    fn is_answering(&self) -> bool {
        *self.shared.state.borrow() == State::Answering
    }
}

/// For what is better not done than done late: once, and only over an open connection.
pub(crate) fn impatient() -> Options {
    Options {
        max_attempts: Some(1),
        fail_fast: true,
        ..Options::default()
    }
}

/// A number that differs from process to process. Without randomness it is always the same, which
/// only makes processes come back together.
pub(crate) fn random() -> u32 {
    getrandom::u32().unwrap_or_default()
}

/// Keeps a connection, and makes another one when it has ended or hangs: the client mends what it
/// sees broken, and does not see a server that stands still.
async fn keep(client: Client, state: watch::Sender<State>) {
    let mut watched = Watched {
        state,
        silent_since: Instant::now(),
        cause: None,
    };
    loop {
        // Before the connection is begun, so that nothing of it is missed.
        let errors = client.error_rx();
        let connection = AbortOnDropHandle::new(client.connect());
        watched.see(&client, errors, &connection).await;
        drop(connection);
        sleep(ASKING_AGAIN).await;
    }
}

struct Watched {
    state: watch::Sender<State>,
    silent_since: Instant,
    cause: Option<Error>,
}

impl Watched {
    /// Returns when the connection has ended, or hangs.
    async fn see<T>(
        &mut self,
        client: &Client,
        mut errors: Receiver<(Error, Option<fred::types::config::Server>)>,
        connection: &AbortOnDropHandle<T>,
    ) {
        let asked = client.with_options(&impatient());
        let mut open_since = Instant::now();
        loop {
            while let Ok((error, _server)) = errors.try_recv() {
                self.cause = Some(error);
            }
            if matches!(
                timeout(ANSWERING, asked.ping::<String>(None)).await,
                Ok(Ok(_pong))
            ) {
                self.answered();
                open_since = Instant::now();
                sleep(ASKING).await;
                continue;
            }
            self.stayed_silent();
            if !client.is_connected() {
                open_since = Instant::now();
            }
            if connection.is_finished() || open_since.elapsed() > LOST {
                return;
            }
            sleep(ASKING_AGAIN).await;
        }
    }

    fn answered(&mut self) {
        self.silent_since = Instant::now();
        self.cause = None;
        let before = self.state.send_replace(State::Answering);
        match before {
            State::Unknown => tracing::info!("Redis answers"),
            State::Silent(_) => {
                tracing::info!("Redis answers again: processes count and tell each other together");
            }
            State::Answering => {}
        }
    }

    fn stayed_silent(&mut self) {
        if self.silent_since.elapsed() < TROUBLE {
            return;
        }
        let cause = self.cause.clone();
        let before = self.state.send_replace(State::Silent(cause));
        if !matches!(before, State::Silent(_)) {
            let cause = self.cause.as_ref().map(ToString::to_string);
            tracing::warn!(
                cause,
                "Redis does not answer: each process counts requests alone and looks for news of runs; it is tried again and again"
            );
        }
    }
}
