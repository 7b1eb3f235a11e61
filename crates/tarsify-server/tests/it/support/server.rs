//! The binary while it serves.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Client;

use super::{Answer, Ask, Process, Said, log_line};

/// A process that serves.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    client: Client,
}

impl Server {
    /// Waits until the process has said where it listens.
    pub(crate) async fn ready(process: Process) -> Self {
        let address = process.wait_for_err(find_address).await;
        Self {
            process,
            address,
            client: client(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a request; it must be answered, whatever the answer is.
    pub(crate) async fn send(&self, ask: Ask) -> Answer {
        self.try_send(ask).await.unwrap()
    }

    /// The status of an answer and its body as it is.
    pub(crate) async fn text(&self, ask: Ask) -> (u16, String) {
        let answer = ask.request(&self.client, &self.url()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub(crate) async fn try_send(&self, ask: Ask) -> reqwest::Result<Answer> {
        Answer::read(ask.request(&self.client, &self.url()).send().await?).await
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(self, signal: &str) -> Said {
        self.process.signal(signal);
        self.process.ended().await
    }
}

fn find_address(log: &str) -> Option<SocketAddr> {
    let ready = log
        .lines()
        .filter_map(log_line)
        .find(|line| line["message"] == "ready")?;
    ready["address"].as_str()?.parse().ok()
}

fn client() -> Client {
    Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(40))
        .build()
        .unwrap()
}
