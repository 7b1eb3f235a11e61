//! An emulator on a port of its own, a client for it, and somebody who receives webhooks.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tarsify_emulator::{Emulator, EmulatorSettings, TimeScale};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn quick() -> EmulatorSettings {
    EmulatorSettings {
        time: TimeScale::Zero,
        webhook_retry_pause: Duration::from_millis(10),
        long_poll: Duration::from_millis(300),
        shortest_execution_timeout: Duration::from_millis(1),
        shortest_ttl: Duration::from_millis(1),
        ..EmulatorSettings::default()
    }
}

pub(crate) struct Lab {
    pub(crate) emulator: Emulator,
    address: SocketAddr,
    client: Client,
    stop: CancellationToken,
    server: JoinSet<std::io::Result<()>>,
}

impl Lab {
    pub(crate) fn start(settings: EmulatorSettings) -> Self {
        let emulator = Emulator::new(settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let mut server = JoinSet::new();
        server.spawn(emulator.clone().run(listener, stop.clone()));
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        Self {
            emulator,
            address,
            client,
            stop,
            server,
        }
    }

    pub(crate) fn quick() -> Self {
        Self::start(quick())
    }

    pub(crate) async fn end(mut self) {
        self.stop.cancel();
        self.server.join_next().await.unwrap().unwrap().unwrap();
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        read(
            self.request(Method::POST, path)
                .json(body)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn behave(&self, endpoint: &str, behaviour: &Value) {
        let path = format!("/emulator/endpoints/{endpoint}");
        let answer = self
            .request(Method::PUT, &path)
            .json(behaviour)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }

    /// Submits and gives the id.
    pub(crate) async fn run(&self, endpoint: &str, body: &Value) -> String {
        let (status, answer) = self.post(&format!("/v2/{endpoint}/run"), body).await;
        assert_eq!(
            (status, &answer["status"]),
            (200, &json!("IN_QUEUE")),
            "{answer}"
        );
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Reads the status until it is one of those, and gives the whole body.
    pub(crate) async fn until(&self, endpoint: &str, id: &str, wanted: &str) -> Value {
        let read = async {
            loop {
                let (_, body) = self.get(&format!("/v2/{endpoint}/status/{id}")).await;
                if body["status"] == wanted {
                    return body;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, read)
            .await
            .unwrap_or_else(|_| panic!("{id} never is {wanted}"))
    }

    /// Waits until the job is at that status without reading it over the wire.
    pub(crate) async fn until_kept_as(&self, endpoint: &str, id: &str, wanted: &str) {
        let look = async {
            while self.emulator.statuses(endpoint).get(id).map(String::as_str) != Some(wanted) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, look)
            .await
            .unwrap_or_else(|_| panic!("{id} never is {wanted}"));
    }

    /// Waits until something was counted so often.
    pub(crate) async fn until_counted(&self, endpoint: &str, name: &str, times: u64) {
        let look = async {
            while self.emulator.counts(endpoint).of(name) < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, look)
            .await
            .unwrap_or_else(|_| panic!("{name} is never {times}"));
    }
}

pub(crate) async fn read(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

/// Receives webhooks and answers with the given statuses in turn, then with 200.
pub(crate) struct Mailbox {
    pub(crate) address: String,
    letters: UnboundedReceiver<(String, Value)>,
    _server: JoinSet<()>,
}

impl Mailbox {
    pub(crate) async fn open(statuses: &[u16]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hooks/one/t0ken", listener.local_addr().unwrap());
        let (sender, letters) = unbounded_channel();
        let statuses = statuses.to_vec();
        let mut server = JoinSet::new();
        server.spawn(async move {
            for nth in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let status = statuses.get(nth).copied().unwrap_or(200);
                let letter = receive(&mut stream).await;
                // Noted before it is answered: whoever waits for the answer finds it here.
                sender.send(letter).ok();
                let answer = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).await.ok();
            }
        });
        Self {
            address,
            letters,
            _server: server,
        }
    }

    /// The path and the body of the next webhook.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        tokio::time::timeout(PATIENCE, self.letters.recv())
            .await
            .expect("no webhook came")
            .unwrap()
    }

    pub(crate) fn is_empty(&mut self) -> bool {
        self.letters.try_recv().is_err()
    }
}

async fn receive(stream: &mut tokio::net::TcpStream) -> (String, Value) {
    let (mut read, mut part) = (Vec::new(), [0; 4_096]);
    loop {
        let length = stream.read(&mut part).await.unwrap();
        read.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let expected = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().unwrap())
        });
        if body.len() >= expected.unwrap_or(0) {
            let path = head.split(' ').nth(1).unwrap().to_owned();
            return (
                path,
                serde_json::from_str(body).unwrap_or(Value::String(body.to_owned())),
            );
        }
    }
}
