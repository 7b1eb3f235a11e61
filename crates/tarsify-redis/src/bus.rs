//! Carries the word that something has happened to a run between processes. A word may be lost and
//! many may become one; none ever waits, and none is kept.

use std::sync::Arc;
use std::time::Duration;

use fred::error::Error;
use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use fred::types::{Message, Value};
use tarsify_engine::{EventBus, LocalBus};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::connection::{Redis, impatient, random};

/// What is announced within this time is one message.
const GATHERING: Duration = Duration::from_millis(10);
/// How long a message or a subscription may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// The pause after one that failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Wakes listeners in this process at once, and those in others through Redis.
pub struct RedisBus {
    local: Arc<LocalBus>,
    /// Holds one permit at most: however much is announced, one message is waiting to be sent.
    waiting: Arc<Notify>,
    /// Aborted with this value.
    _carrying: JoinSet<()>,
}

impl RedisBus {
    /// Begins to carry, in the background.
    ///
    /// It has to be called from within a Tokio runtime, which lives as long as the bus.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        let local = Arc::new(LocalBus::default());
        let waiting = Arc::new(Notify::new());
        let wire = Wire {
            redis: redis.clone(),
            channel: format!("{}:events", redis.prefix()),
            // Our own messages come back to us, and have woken everybody here long before.
            own: format!("{:08x}{:08x}", random(), random()),
        };
        let mut carrying = JoinSet::new();
        carrying.spawn(wire.clone().send(Arc::clone(&waiting)));
        carrying.spawn(wire.receive(Arc::clone(&local)));
        Self {
            local,
            waiting,
            _carrying: carrying,
        }
    }
}

impl EventBus for RedisBus {
    fn announce(&self) {
        self.local.announce();
        self.waiting.notify_one();
    }

    fn listen(&self) -> watch::Receiver<()> {
        self.local.listen()
    }
}

#[derive(Clone)]
struct Wire {
    redis: Redis,
    channel: String,
    own: String,
}

impl Wire {
    /// Sends a message for whatever was announced since the last one; again and again, when it
    /// fails, for those who came back before us.
    async fn send(self, waiting: Arc<Notify>) {
        loop {
            waiting.notified().await;
            while !self.publish().await {
                sleep(PAUSE).await;
            }
            sleep(GATHERING).await;
        }
    }

    async fn publish(&self) -> bool {
        let client = self.redis.client().with_options(&impatient());
        let sending = client.publish::<i64, _, _>(self.channel.as_str(), self.own.as_str());
        matches!(timeout(PATIENCE, sending).await, Ok(Ok(_heard_by)))
    }

    /// Subscribes to each connection anew, and wakes everybody then: something may have been missed.
    async fn receive(self, local: Arc<LocalBus>) {
        let client = self.redis.client();
        loop {
            let mut connections = client.reconnect_rx();
            let mut messages = client.message_rx();
            if !self.subscribe().await {
                sleep(PAUSE).await;
                continue;
            }
            local.announce();
            loop {
                tokio::select! {
                    message = messages.recv() => match message {
                        Ok(message) if self.is_own(&message) => {}
                        Ok(_) | Err(RecvError::Lagged(_)) => local.announce(),
                        Err(RecvError::Closed) => break,
                    },
                    _anew = connections.recv() => break,
                }
            }
        }
    }

    async fn subscribe(&self) -> bool {
        let client = self.redis.client().with_options(&impatient());
        let subscribing = client.subscribe(self.channel.as_str());
        let subscribed: Option<Result<(), Error>> = timeout(PATIENCE, subscribing).await.ok();
        matches!(subscribed, Some(Ok(())))
    }

    fn is_own(&self, message: &Message) -> bool {
        matches!(&message.value, Value::String(text) if *text == self.own.as_str())
    }
}
