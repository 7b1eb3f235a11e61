//! Emulates what we use of Stripe: checkout sessions, connected accounts, transfers, keys that make
//! repetitions harmless, signed messages, and faults on demand. No money moves.
//!
//! A message leaves only when somebody has something happen: paying a session, refunding,
//! disputing, reversing. What a call makes sends none by itself.

mod answer;
mod books;
mod control;
mod fault;
mod form;
mod http;
mod key;
mod make;
mod message;
mod story;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use actix_web::rt::System;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use serde_json::Value;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use books::Books;
use message::Post;

pub use fault::{StripeFault, StripeOperation};
pub use message::{StripeMessage, sign};
pub use story::{DisputeStep, SessionEnd, StoryError, TransferStep};

const THREADS: usize = 1;

/// What an emulator of Stripe is started with.
#[derive(Clone, Debug)]
pub struct StripeSettings {
    /// Where it listens; port 0 is any that is free.
    pub listen: SocketAddr,
    /// The key that callers send, as a bearer token or as a user name.
    pub secret_key: String,
    /// What messages are signed with, as a whole.
    pub webhook_secret: String,
    /// Where messages are brought, if anywhere.
    pub webhook_url: Option<String>,
    /// The pause before a message that was not answered with 2xx is brought again.
    pub webhook_retry_pause: Duration,
}

impl Default for StripeSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            secret_key: "sk_test_emulated".to_owned(),
            webhook_secret: "whsec_emulated".to_owned(),
            webhook_url: None,
            webhook_retry_pause: Duration::from_secs(1),
        }
    }
}

/// Why an emulator cannot be started.
#[derive(Debug, Error)]
pub enum StripeEmulatorError {
    /// The address cannot be listened on.
    #[error("the emulator cannot listen on {0}: choose an address of this machine that is free")]
    Listen(SocketAddr, #[source] io::Error),
    /// There is no thread for it.
    #[error("the thread of the emulator cannot be started")]
    Thread(#[source] io::Error),
    /// There is no client for messages.
    #[error("the client that brings messages cannot be made")]
    Client(#[source] reqwest::Error),
}

pub(crate) struct Shared {
    secret_key: String,
    base_url: String,
    books: Mutex<Books>,
    post: Post,
    stop: CancellationToken,
}

/// A Stripe of one's own, on a thread of its own. It ends when this is dropped.
pub struct StripeEmulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl StripeEmulator {
    /// Starts one, which has no objects yet.
    ///
    /// # Errors
    /// When its address cannot be listened on, or there is no thread or no client for it.
    pub fn start(settings: StripeSettings) -> Result<Self, StripeEmulatorError> {
        let listen = |error| StripeEmulatorError::Listen(settings.listen, error);
        let listener = TcpListener::bind(settings.listen).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let post = Post::new(&settings).map_err(StripeEmulatorError::Client)?;
        let shared = Arc::new(Shared {
            secret_key: settings.secret_key,
            base_url: format!("http://{address}"),
            books: Mutex::new(Books::new()),
            post,
            stop: CancellationToken::new(),
        });
        let served = Arc::clone(&shared);
        let thread = Builder::new()
            .name("stripe-emulator".to_owned())
            .spawn(move || serve(served, listener))
            .map_err(StripeEmulatorError::Thread)?;
        Ok(Self {
            shared,
            address,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its API is, up to and without `/v1`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// Has the next so many calls of an operation go wrong, after those planned before.
    pub fn fail(&self, operation: StripeOperation, fault: StripeFault, times: u32) {
        self.books().plan(operation, fault, times);
    }

    /// How often an operation was called, whatever came of it.
    #[must_use]
    pub fn calls(&self, operation: StripeOperation) -> u64 {
        self.books().calls(operation)
    }

    /// Forgets the keys of all calls, as Stripe does after a day.
    pub fn forget_keys(&self) {
        self.books().keys.forget();
    }

    /// The checkout sessions that were made, in their order.
    #[must_use]
    pub fn sessions(&self) -> Vec<Value> {
        self.books().sessions.clone()
    }

    /// The accounts that were made, in their order.
    #[must_use]
    pub fn accounts(&self) -> Vec<Value> {
        self.books().accounts.clone()
    }

    /// The transfers that were made, in their order.
    #[must_use]
    pub fn transfers(&self) -> Vec<Value> {
        self.books().transfers.clone()
    }

    /// Has an account with this id, which can be paid.
    pub fn add_account(&self, id: &str) {
        self.books().add_account(id);
    }

    /// Sets where messages are brought from now on.
    pub fn set_webhook_url(&self, url: &str) {
        self.shared.post.set_url(url);
    }

    /// Ends a checkout session, and gives the message about that.
    ///
    /// # Errors
    /// When there is none such, or it cannot end so.
    pub fn end_session(&self, id: &str, end: SessionEnd) -> Result<StripeMessage, StoryError> {
        self.books().end_session(id, end)
    }

    /// Gives so many cents of a payment back, or the rest.
    ///
    /// # Errors
    /// When there is none such, or it was less.
    pub fn refund(&self, payment: &str, cents: Option<i64>) -> Result<StripeMessage, StoryError> {
        self.books().refund(payment, cents)
    }

    /// Takes a step in the dispute about a payment.
    ///
    /// # Errors
    /// When there is no such payment.
    pub fn dispute(&self, payment: &str, step: DisputeStep) -> Result<StripeMessage, StoryError> {
        self.books().dispute(payment, step)
    }

    /// Lets an account be paid out from now on, or no longer.
    ///
    /// # Errors
    /// When there is none such.
    pub fn set_payouts(
        &self,
        account: &str,
        payouts: Payouts,
    ) -> Result<StripeMessage, StoryError> {
        self.books().set_payouts(account, payouts)
    }

    /// Tells of a transfer, having reversed the rest of it if that is the step.
    ///
    /// # Errors
    /// When there is none such.
    pub fn tell_transfer(
        &self,
        transfer: &str,
        step: TransferStep,
    ) -> Result<StripeMessage, StoryError> {
        self.books().tell_transfer(transfer, step)
    }

    /// A message about any object.
    #[must_use]
    pub fn message(&self, kind: &str, object: &Value) -> StripeMessage {
        self.books().message(kind, object)
    }

    /// The header for a message that leaves now.
    #[must_use]
    pub fn signature(&self, message: &StripeMessage) -> String {
        self.shared.post.signature(message)
    }

    /// Brings a message to the address that was set, a few times if need be, and gives the last
    /// status it was answered with.
    pub async fn bring(&self, message: &StripeMessage) -> Option<u16> {
        self.shared.post.bring(message).await
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.shared.books()
    }
}

/// Whether an account is paid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payouts {
    /// It is.
    Enabled,
    /// It is not.
    Disabled,
}

impl Shared {
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StripeEmulator {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // It has told why it failed by itself.
            thread.join().ok();
        }
    }
}

fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let stop = shared.stop.clone();
    let data = Data::from(shared);
    let served = System::new().block_on(async move {
        let server =
            HttpServer::new(move || App::new().app_data(data.clone()).configure(http::routes));
        let server = server
            .workers(THREADS)
            .disable_signals()
            .listen(listener)?
            .run();
        let handle = server.handle();
        let stopped = async {
            stop.cancelled().await;
            // Nobody is worth waiting for: some calls hang on purpose.
            handle.stop(false).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = server => ended,
            () = stopped => Ok(()),
        }
    });
    if let Err(error) = served {
        tracing::error!(%error, "the emulator of Stripe has ended");
    }
}
