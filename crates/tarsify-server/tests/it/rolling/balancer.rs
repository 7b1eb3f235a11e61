//! What stands in front of several processes: it asks each whether it is ready, sends requests to
//! those that were lately, in turn, and sends again only what has reached nobody. What is answered
//! with 5xx, or not at all, has failed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Client;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::{Answer, Ask, PATIENCE, until};

/// The pause between two questions whether a process is ready.
const POLL: Duration = Duration::from_millis(200);

/// What stands in front of several processes.
pub(super) struct Balancer {
    behind: [Behind; 2],
    client: Client,
    turn: AtomicUsize,
    /// How often something was sent again that had reached nobody.
    pub(super) unsent: AtomicUsize,
    _polls: JoinSet<()>,
}

#[derive(Clone)]
struct Behind {
    address: SocketAddr,
    is_ready: Arc<AtomicBool>,
}

impl Balancer {
    pub(super) fn begin(addresses: [SocketAddr; 2]) -> Self {
        let behind = addresses.map(|address| Behind {
            address,
            is_ready: Arc::default(),
        });
        let mut polls = JoinSet::new();
        for one in &behind {
            polls.spawn(one.clone().poll());
        }
        Self {
            behind,
            client: client(Duration::from_secs(40)),
            turn: AtomicUsize::new(0),
            unsent: AtomicUsize::new(0),
            _polls: polls,
        }
    }

    /// Waits until both processes are ready.
    pub(super) async fn sends_to_both(&self) {
        until("both are ready", async || {
            let mut ready = self.behind.iter().map(Behind::is_ready);
            ready.all(|is_ready| is_ready)
        })
        .await;
    }

    /// One that is ready, in turn; it waits until there is one.
    pub(super) async fn choose(&self) -> SocketAddr {
        let began = Instant::now();
        loop {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let mut from_here = [turn % 2, (turn + 1) % 2]
                .map(|place| &self.behind[place])
                .into_iter();
            if let Some(one) = from_here.find(|one| one.is_ready()) {
                return one.address;
            }
            assert!(began.elapsed() < PATIENCE, "nobody is ready");
            sleep(POLL / 10).await;
        }
    }

    /// Has one of them answer; says what became of the request when none does.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Answer, String> {
        loop {
            let server = format!("http://{}", self.choose().await);
            let sent = ask.clone().request(&self.client, &server).send().await;
            let answer = match sent {
                Ok(response) => Answer::read(response).await,
                Err(error) if error.is_connect() => {
                    self.unsent.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                Err(error) => Err(error),
            };
            return answer.map_err(|error| format!("{error:?}"));
        }
    }
}

impl Behind {
    fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }

    async fn poll(self) {
        let client = client(Duration::from_secs(2));
        let question = format!("http://{}/readyz", self.address);
        loop {
            let answer = client.get(&question).send().await;
            let is_ready = answer.is_ok_and(|answer| answer.status().is_success());
            self.is_ready.store(is_ready, Ordering::Relaxed);
            sleep(POLL).await;
        }
    }
}

fn client(timeout: Duration) -> Client {
    let client = Client::builder().no_proxy().timeout(timeout);
    client.build().unwrap()
}
