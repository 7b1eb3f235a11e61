//! What only a real connection can show: how a HEAD, a large body, a cut-off body and a panic
//! look on the wire.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer};
use tarsify_http::{answer, configure, cors};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::failures::panicking;
use crate::support::{Shop, endpoint_body};

/// A server on a port of its own.
struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    run: JoinSet<std::io::Result<()>>,
}

impl Server {
    fn start(shop: &Shop) -> Self {
        let (services, settings) = (shop.services.clone(), shop.settings.clone());
        let server = HttpServer::new(move || {
            App::new()
                .configure(configure(services.clone(), settings.clone()))
                .wrap(Compress::default())
                .wrap(cors(&settings))
                .wrap(from_fn(answer))
        })
        .workers(1)
        .disable_signals()
        .bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        let mut run = JoinSet::new();
        run.spawn(server);
        Self {
            address,
            handle,
            run,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends the bytes on a connection of their own and reads until the server closes it.
    async fn talk(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let reading = stream.read_to_end(&mut answer);
        // Only a server that never answers takes as long as this.
        let read = tokio::time::timeout(Duration::from_secs(10), reading).await;
        read.expect("the server does not answer").unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn stop(mut self) {
        self.handle.stop(false).await;
        let ended = self.run.join_next().await.unwrap();
        ended.unwrap().unwrap();
    }
}

fn request(line: &str, headers: &[String], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{line} HTTP/1.1\r\nHost: tarsify\r\nConnection: close\r\n{headers}\r\n{body}").into()
}

fn parts(answer: &str) -> (&str, &str) {
    answer.split_once("\r\n\r\n").unwrap()
}

#[actix_web::test]
async fn a_head_has_the_length_of_the_body_and_no_body() {
    let shop = Shop::open().await;
    let server = Server::start(&shop);
    for path in ["/health", "/api/marketplace/models", "/nowhere"] {
        let got = server.talk(&request(&format!("GET {path}"), &[], "")).await;
        let head = server
            .talk(&request(&format!("HEAD {path}"), &[], ""))
            .await;
        let (_, body) = parts(&got);
        let (headers, nothing) = parts(&head);
        assert_eq!(nothing, "", "{path}");
        let length = format!("content-length: {}", body.len());
        assert!(headers.to_lowercase().contains(&length), "{headers}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_large_body_is_refused_before_it_is_sent() {
    let shop = Shop::open().await;
    let server = Server::start(&shop);
    let mut headers = vec![
        format!("Authorization: Bearer {}", shop.admin()),
        "Content-Type: application/json".to_owned(),
        "Content-Length: 1000000000000".to_owned(),
    ];
    let line = "POST /api/admin/endpoints";
    let answer = server.talk(&request(line, &headers, "{")).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("ERR_1009"));
    headers.remove(0);
    let answer = server.talk(&request(line, &headers, "{")).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    server.stop().await;
}

#[actix_web::test]
async fn a_body_without_a_length_is_taken_and_bounded() {
    let shop = Shop::open().await;
    let server = Server::start(&shop);
    let headers = [
        format!("Authorization: Bearer {}", shop.admin()),
        "Content-Type: application/json".to_owned(),
        "Transfer-Encoding: chunked".to_owned(),
    ];
    let line = "POST /api/admin/endpoints";
    let body = endpoint_body("ep-chunked").to_string();
    let (one, other) = body.split_at(20);
    let chunks = format!(
        "{:x}\r\n{one}\r\n{:x}\r\n{other}\r\n0\r\n\r\n",
        one.len(),
        other.len()
    );
    let answer = server.talk(&request(line, &headers, &chunks)).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");

    let mut stream = server.connect().await;
    stream
        .write_all(&request(line, &headers, ""))
        .await
        .unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let writing = async {
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
        // The server may stop listening at any of these; that is the point.
        for _ in 0..40 {
            if writer.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
    };
    let reading = async {
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        while !answer.ends_with(b"}}") {
            let read = tokio::time::timeout(Duration::from_secs(10), reader.read(&mut part));
            match read.await.expect("the server does not answer") {
                Ok(0) | Err(_) => break,
                Ok(length) => answer.extend_from_slice(&part[..length]),
            }
        }
        String::from_utf8_lossy(&answer).into_owned()
    };
    let ((), answer) = tokio::join!(writing, reading);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    server.stop().await;
}

#[actix_web::test]
async fn a_body_that_ends_early_changes_nothing() {
    let shop = Shop::open().await;
    let server = Server::start(&shop);
    let body = endpoint_body("ep-cut").to_string();
    let headers = [
        format!("Authorization: Bearer {}", shop.admin()),
        "Content-Type: application/json".to_owned(),
        format!("Content-Length: {}", body.len() + 10),
    ];
    let mut stream = server.connect().await;
    let bytes = request("POST /api/admin/endpoints", &headers, &body);
    stream.write_all(&bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(!answer.contains(" 201 "), "{answer}");
    assert_eq!(shop.store.writes(), 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_panic_is_answered_on_its_connection_which_stays_open() {
    let shop = Shop::planned(panicking()).await;
    let server = Server::start(&shop);
    let mut stream = server.connect().await;
    for (path, status) in [
        ("/api/marketplace/models", "500"),
        ("/health/live", "200"),
        ("/api/marketplace/models", "500"),
    ] {
        let line = format!("GET {path} HTTP/1.1\r\nHost: tarsify\r\n\r\n");
        stream.write_all(line.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        while !answer.ends_with(b"}}") {
            let length = stream.read(&mut part).await.unwrap();
            assert_ne!(length, 0, "the connection was closed");
            answer.extend_from_slice(&part[..length]);
        }
        let text = String::from_utf8(answer).unwrap();
        assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{text}");
        assert!(!text.contains("canary"));
    }
    server.stop().await;
}

/// Somebody who sends a byte now and then must not hold a place for ever.
#[actix_web::test]
async fn a_body_that_does_not_arrive_is_refused_in_time() {
    let shop = Shop::open().await;
    let server = Server::start(&shop);
    let headers = [
        format!("Authorization: Bearer {}", shop.admin()),
        "Content-Type: application/json".to_owned(),
        "Content-Length: 100".to_owned(),
    ];
    let head = request("POST /api/admin/endpoints", &headers, "{");
    let mut stream = server.connect().await;
    stream.write_all(&head).await.unwrap();
    let mut answer = [0; 4_096];
    let begun = tokio::time::timeout(Duration::from_secs(25), stream.read(&mut answer)).await;
    let length = begun.expect("the server waits for ever").unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        answer.contains("did not arrive within 15 seconds"),
        "{answer}"
    );
    drop(stream);
    server.stop().await;
}
