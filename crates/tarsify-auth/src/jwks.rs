//! The keys that an issuer publishes, kept while they are fresh and a while longer when he cannot
//! be reached. However many callers ask, one request at a time goes out, and no token can cause
//! more than one in 30 seconds.

mod download;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration as Span;

use tarsify_domain::clock::{Clock, Timestamp};
use time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::choose_cryptography;
use crate::issuer::KeyOfEpoch;
use crate::keys::KeySet;

use download::{Download, KeyServer};
pub use download::{JwksSettings, KeyFetchError};

/// Between two requests for keys that a token named and nobody knows.
const UNKNOWN_KEY_PAUSE: Duration = Duration::seconds(30);
/// Between a failed request and the next, while there are keys.
const RETRY_PAUSE: Duration = Duration::seconds(30);
/// The same while there are none, and every caller is turned away.
const URGENT_RETRY_PAUSE: Duration = Duration::seconds(5);
/// How long keys count after they have expired, when no newer ones can be had.
const GRACE: Duration = Duration::hours(24);
/// The longest time before their expiry at which keys are asked for again.
const MAX_HEAD_START: Duration = Duration::minutes(5);
/// How often the background loop looks at the clock. A long sleep would miss a clock that jumps.
const TICK: Span = Span::from_secs(1);

/// No keys could be had, or those at hand have expired too long ago.
#[derive(Debug, thiserror::Error)]
#[error("there are no keys to check tokens with")]
pub struct KeysUnavailable {
    #[source]
    last_failure: Option<Arc<KeyFetchError>>,
}

/// Why there is no key.
#[derive(Debug)]
pub(crate) enum KeyError {
    /// The issuer has no key of that id.
    Unknown,
    /// It cannot be known.
    Unavailable(KeysUnavailable),
}

/// The keys at an address. Clones share them.
#[derive(Clone)]
pub struct JwksCache {
    inner: Arc<Inner>,
}

struct Inner {
    server: KeyServer,
    clock: Arc<dyn Clock>,
    state: RwLock<State>,
    tasks: TaskTracker,
}

#[derive(Default)]
struct State {
    published: Option<Published>,
    tried_at: Option<Timestamp>,
    sought_at: Option<Timestamp>,
    /// Why the last request failed, if it did.
    failure: Option<Arc<KeyFetchError>>,
    flight: Option<Flight>,
}

/// A request that is under way. The channel closes when it has ended, however it ended.
type Flight = watch::Receiver<()>;

#[derive(Clone)]
struct Published {
    keys: Arc<KeySet>,
    /// Counts the changes of the keys.
    epoch: u64,
    refresh_at: Timestamp,
    expires_at: Timestamp,
}

/// What a request is for.
#[derive(Clone, Copy)]
enum Wish<'a> {
    /// Keys that are due, or missing.
    Due,
    /// A key nobody knows.
    Key(&'a str),
}

impl JwksCache {
    /// An empty cache. Keys are asked for when [`JwksCache::run`] starts or a token comes.
    ///
    /// # Errors
    /// When the address is not one, is neither https nor on this machine, or no HTTP client can
    /// be built.
    pub fn new(settings: JwksSettings, clock: Arc<dyn Clock>) -> Result<Self, KeyFetchError> {
        choose_cryptography();
        let inner = Inner {
            server: KeyServer::new(settings)?,
            clock,
            state: RwLock::default(),
            tasks: TaskTracker::new(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Fetches the keys at once and again before they expire, until the token is cancelled. The
    /// cache works without it, but then a caller waits for the keys when they have expired.
    pub async fn run(&self, shutdown: CancellationToken) {
        loop {
            let round = async {
                if let Some(flight) = self.start(Wish::Due) {
                    landed(flight).await;
                }
                tokio::time::sleep(TICK).await;
            };
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = round => {}
            }
        }
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Fetches the keys if that is due, and waits for them.
    ///
    /// # Errors
    /// When there are no keys that count, with the reason.
    pub async fn refresh(&self) -> Result<(), KeysUnavailable> {
        if let Some(flight) = self.start(Wish::Due) {
            landed(flight).await;
        }
        if self.has_keys() {
            return Ok(());
        }
        let last_failure = self.read().failure.clone();
        Err(KeysUnavailable { last_failure })
    }

    /// Whether there are keys that count.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.usable(self.inner.clock.now()).is_some()
    }

    /// The age of the keys, while they are fresh.
    pub(crate) fn epoch(&self, now: Timestamp) -> Option<u64> {
        let state = self.read();
        let published = state.published.as_ref()?;
        (now < published.expires_at).then_some(published.epoch)
    }

    /// The key of that id, asked for when it is not at hand and may be asked for.
    pub(crate) async fn find(&self, id: &str) -> Result<KeyOfEpoch, KeyError> {
        let now = self.inner.clock.now();
        let mut has_waited = false;
        if self.epoch(now).is_none() {
            let flight = self.start(Wish::Due);
            // In an outage old keys serve at once; nobody waits for a server that does not answer.
            let old_keys_serve = self.is_failing() && self.usable(now).is_some();
            if let (Some(flight), false) = (flight, old_keys_serve) {
                landed(flight).await;
                has_waited = true;
            }
        }
        if let Some(key) = self.find_at_hand(id)? {
            return Ok(key);
        }
        if has_waited {
            return Err(KeyError::Unknown);
        }
        if let Some(flight) = self.start(Wish::Key(id)) {
            landed(flight).await;
        }
        self.find_at_hand(id)?.ok_or(KeyError::Unknown)
    }

    fn find_at_hand(&self, id: &str) -> Result<Option<KeyOfEpoch>, KeyError> {
        let Some(published) = self.usable(self.inner.clock.now()) else {
            let last_failure = self.read().failure.clone();
            return Err(KeyError::Unavailable(KeysUnavailable { last_failure }));
        };
        let key = published.keys.find(id);
        let epoch = published.epoch;
        Ok(key.map(|key| KeyOfEpoch { key, epoch }))
    }

    fn usable(&self, now: Timestamp) -> Option<Published> {
        let state = self.read();
        state.usable(now).cloned()
    }

    fn is_failing(&self) -> bool {
        self.read().failure.is_some()
    }

    /// Joins the request that is under way, or starts one if the wish allows it now.
    fn start(&self, wish: Wish<'_>) -> Option<Flight> {
        let now = self.inner.clock.now();
        let mut state = self.write();
        // The channel of a request that ended is closed, even if its task was dropped halfway.
        let under_way = state.flight.clone();
        if let Some(flight) = under_way.filter(|flight| flight.has_changed().is_ok()) {
            return Some(flight);
        }
        if !state.allows(wish, now) {
            return None;
        }
        state.tried_at = Some(now);
        if let Wish::Key(_) = wish {
            state.sought_at = Some(now);
        }
        let (ends_with_task, flight) = watch::channel(());
        state.flight = Some(flight.clone());
        drop(state);
        // Not on the caller's own future: a caller who hangs up must not stop the others' request.
        let cache = self.clone();
        self.inner.tasks.spawn(async move {
            let outcome = cache.inner.server.download().await;
            cache.store(outcome, now);
            drop(ends_with_task);
        });
        Some(flight)
    }

    fn store(&self, outcome: Result<Download, KeyFetchError>, asked_at: Timestamp) {
        let mut state = self.write();
        match outcome {
            Ok(download) => {
                if state.failure.take().is_some() {
                    tracing::info!("the keys to check tokens with can be had again");
                }
                state.publish(download, asked_at);
            }
            Err(error) => {
                let error = Arc::new(error);
                state.failure = Some(Arc::clone(&error));
                let has_keys = state.usable(self.inner.clock.now()).is_some();
                drop(state);
                let error: &(dyn std::error::Error + 'static) = &*error;
                tracing::warn!(
                    error,
                    has_keys,
                    "the keys to check tokens with could not be fetched"
                );
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        let state = self.inner.state.read();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        let state = self.inner.state.write();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn usable(&self, now: Timestamp) -> Option<&Published> {
        let published = self.published.as_ref()?;
        let until = published.expires_at.saturating_add(GRACE);
        (now < until).then_some(published)
    }

    fn allows(&self, wish: Wish<'_>, now: Timestamp) -> bool {
        let published = self.usable(now);
        match wish {
            Wish::Due => {
                let is_due = published.is_none_or(|published| now >= published.refresh_at);
                let pause = match (&self.failure, published) {
                    (None, _) => Duration::ZERO,
                    (Some(_), Some(_)) => RETRY_PAUSE,
                    (Some(_), None) => URGENT_RETRY_PAUSE,
                };
                is_due && has_passed(pause, self.tried_at, now)
            }
            Wish::Key(id) => {
                let is_unknown =
                    published.is_none_or(|published| published.keys.find(id).is_none());
                is_unknown && has_passed(UNKNOWN_KEY_PAUSE, self.sought_at, now)
            }
        }
    }

    fn publish(&mut self, download: Download, asked_at: Timestamp) {
        let Download { keys, lifetime } = download;
        let head_start = (lifetime / 5_i32).min(MAX_HEAD_START);
        let epoch = match &self.published {
            Some(before) if before.keys.is_same_as(&keys) => before.epoch,
            Some(before) => before.epoch.wrapping_add(1),
            None => 0,
        };
        self.published = Some(Published {
            keys: Arc::new(keys),
            epoch,
            refresh_at: asked_at.saturating_add(lifetime - head_start),
            expires_at: asked_at.saturating_add(lifetime),
        });
    }
}

/// Whether the pause is over. A clock that was set back does not lengthen it.
fn has_passed(pause: Duration, since: Option<Timestamp>, now: Timestamp) -> bool {
    since.is_none_or(|since| now < since || now - since >= pause)
}

async fn landed(mut flight: Flight) {
    // Nothing is ever sent: the only news is the end, which comes as an error.
    while flight.changed().await.is_ok() {}
}
