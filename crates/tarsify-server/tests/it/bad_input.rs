//! What no honest caller sends, through the real binary: half requests, endless bodies, bombs, masses of
//! keys, bytes that are no text. Each is answered with the right code or let go, in bounded memory, and
//! others are served meanwhile.

mod bombs;
mod floods;
mod keys;
mod text;

use std::fs;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{PATIENCE, Server, Workshop, get};

/// A market and the process that serves it.
struct Target {
    workshop: Workshop,
    server: Server,
}

impl Target {
    async fn open() -> Self {
        let workshop = Workshop::open().await;
        let server = workshop.serve("all").await;
        let target = Self { workshop, server };
        // What is made once and kept is there before anything is measured.
        target.is_served().await;
        target
    }

    /// Others are served as ever.
    async fn is_served(&self) {
        let began = Instant::now();
        let me = get("/api/marketplace/auth/me").by(&self.workshop.consumer);
        self.server.send(me).await.assert_ok(200);
        let market = get("/api/public/models");
        self.server.send(market).await.assert_ok(200);
        let took = began.elapsed();
        // Less than any of what is sent here may take to come, on machines that do other things too.
        assert!(took < Duration::from_secs(10), "others waited for {took:?}");
    }

    /// A line of `/proc/<id>/status` in megabytes.
    fn megabytes(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.server.process.id());
        let status = fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kilobytes = line.split_whitespace().nth(1).unwrap();
        kilobytes.parse::<u64>().unwrap() / 1_024
    }

    /// The most memory that it ever had.
    fn peak(&self) -> u64 {
        self.megabytes("VmHWM:")
    }

    /// It never had more than so many megabytes more than it had then.
    #[track_caller]
    fn assert_grew_at_most(&self, before: u64, most: u64) {
        let peak = self.peak();
        let grew = peak.saturating_sub(before);
        assert!(grew <= most, "from {before} MB to {peak} MB");
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.server.address).await.unwrap()
    }

    /// Sends these bytes and gives the status and the whole of what is answered until the server
    /// closes the connection; 0 and nothing when it did so at once.
    async fn talk(&self, request: &[u8]) -> (u16, String) {
        let (mut reads, mut writes) = self.connect().await.into_split();
        let mut answer = Vec::new();
        // It may answer, and hang up, before all of it came.
        let talking = async {
            let writing = writes.write_all(request);
            let (_, _) = tokio::join!(writing, reads.read_to_end(&mut answer));
        };
        let talked = timeout(PATIENCE, talking).await;
        assert!(talked.is_ok(), "no answer: {}", request.escape_ascii());
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.get(9..12).and_then(|status| status.parse().ok());
        (status.unwrap_or_default(), answer)
    }
}

/// The head of a request whose connection ends with its answer.
fn head(line: &str, headers: &[(&str, &[u8])]) -> Vec<u8> {
    let mut head =
        format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n").into_bytes();
    for (name, value) in headers {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}
