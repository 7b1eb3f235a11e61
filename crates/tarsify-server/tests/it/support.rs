//! What the tests stand on: a database each, the binary as a child with nothing of our own
//! environment, requests over TCP, a pretended Firebase, and waiting that always ends.

mod ask;
mod bank;
mod database;
mod firebase;
mod gpus;
mod open_files;
mod place;
mod process;
mod server;
mod shop;
mod workshop;

use std::time::{Duration, Instant};

pub(crate) use ask::{Answer, Ask, get, patch, post};
pub(crate) use bank::{Bank, DEAR, add_dear_model, assert_money_adds_up, onboard, unix_now};
pub(crate) use database::Store;
pub(crate) use firebase::{
    Firebase, claims, hmac_token, signed_token, strangers_token, unsigned_token,
};
pub(crate) use gpus::Gpus;
pub(crate) use open_files::{assert_may_open, open_files};
pub(crate) use place::{BINARY, Place, log_line};
pub(crate) use process::{Process, Said};
pub(crate) use server::Server;
pub(crate) use shop::{Shop, base_model_body, endpoint_body, tars_model_body};
pub(crate) use workshop::{Workshop, accepted};

/// Long enough for two cores under load; only a failure waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until the answer is yes; tells how long that took.
pub(crate) async fn until(what: &str, happened: impl AsyncFnMut() -> bool) -> Duration {
    until_within(PATIENCE, what, happened).await
}

/// The same with another patience.
pub(crate) async fn until_within(
    patience: Duration,
    what: &str,
    mut happened: impl AsyncFnMut() -> bool,
) -> Duration {
    let started = Instant::now();
    while !happened().await {
        assert!(started.elapsed() < patience, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    started.elapsed()
}
