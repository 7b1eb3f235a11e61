//! A process that is about to stop: what it says on each connection, to those who were there and
//! to those who come late.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer};
use tarsify_http::{answer, configure, cors, limit, turn_away};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::Shop;

const MODELS: &str = "/api/marketplace/models";

/// A server that takes note of connections.
fn start(shop: &Shop) -> (SocketAddr, JoinSet<std::io::Result<()>>) {
    let (services, settings) = (shop.services.clone(), shop.settings.clone());
    let lifecycle = Arc::clone(&services.lifecycle);
    let server = HttpServer::new(move || {
        App::new()
            .configure(configure(services.clone(), settings.clone()))
            .wrap(from_fn(limit))
            .wrap(from_fn(turn_away))
            .wrap(Compress::default())
            .wrap(cors(&settings))
            .wrap(from_fn(answer))
    })
    .on_connect(move |_connection, data| lifecycle.meet(data))
    .workers(1)
    .disable_signals()
    .bind((Ipv4Addr::LOCALHOST, 0))
    .unwrap();
    let address = server.addrs()[0];
    let mut run = JoinSet::new();
    run.spawn(server.run());
    (address, run)
}

/// A connection that somebody keeps.
struct Line(TcpStream);

impl Line {
    async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// The head of the answer and all of its body.
    async fn ask(&mut self, path: &str) -> (String, String) {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: tarsify\r\norigin: https://shop.example\r\n\r\n");
        self.0.write_all(request.as_bytes()).await.unwrap();
        let mut text = Vec::new();
        loop {
            let read = timeout(Duration::from_secs(10), self.0.read_buf(&mut text)).await;
            assert_ne!(
                read.unwrap().unwrap(),
                0,
                "it ends in the middle of an answer"
            );
            let said = String::from_utf8(text.clone()).unwrap();
            let Some((head, body)) = said.split_once("\r\n\r\n") else {
                continue;
            };
            let mut lengths = head
                .lines()
                .filter_map(|line| line.strip_prefix("content-length: "));
            let length: usize = lengths.next().unwrap().parse().unwrap();
            if body.len() == length {
                return (head.to_owned(), body.to_owned());
            }
        }
    }

    /// Whether the other side has closed it.
    async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        let read = timeout(Duration::from_secs(10), self.0.read_to_end(&mut rest)).await;
        read.is_ok_and(|read| read.is_ok()) && rest.is_empty()
    }
}

#[actix_web::test]
async fn each_answer_of_a_process_that_is_about_to_stop_is_the_last_on_its_connection() {
    let shop = Shop::open().await;
    let (address, _run) = start(&shop);
    let mut kept = Line::open(address).await;
    for _ in 0..2 {
        let (head, _) = kept.ask(MODELS).await;
        assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("connection: close"));
    }
    let mut older = Line::open(address).await;
    older.ask(MODELS).await;
    let mut failing = Line::open(address).await;
    failing.ask(MODELS).await;
    shop.services.lifecycle.drain();
    let mut newcomer = Line::open(address).await;
    for (line, path, status) in [
        (&mut kept, MODELS, "200"),
        (&mut newcomer, MODELS, "200"),
        (&mut failing, "/nowhere", "404"),
    ] {
        let (head, _) = line.ask(path).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(head.contains("\r\nconnection: close"), "{head}");
        assert!(line.is_closed().await, "{path}");
    }

    shop.services.lifecycle.turn_away();
    let (head, body) = Line::open(address).await.ask(MODELS).await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(head.contains("\r\nconnection: close"), "{head}");
    assert!(head.contains("\r\nretry-after: 1"), "{head}");
    assert!(
        body.contains("ERR_1005") && body.contains("another connection"),
        "{body}"
    );
    for (path, status) in [("/livez", "200"), ("/health", "200"), ("/readyz", "503")] {
        let (head, _) = Line::open(address).await.ask(path).await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {head}"
        );
    }
    let (head, _) = older.ask(MODELS).await;
    assert!(
        head.starts_with("HTTP/1.1 200 "),
        "who was there is served: {head}"
    );
}
