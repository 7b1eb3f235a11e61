//! Connections on which nothing comes, or at whose other end nobody is: they are let go, and
//! everybody else is served meanwhile.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Stream, events};
use crate::support::{Server, Workshop, get, until};

const MANY: usize = 1_000;

/// How many files and connections a process has open.
fn open_files(server: &Server) -> usize {
    let folder = format!("/proc/{}/fd", server.process.id());
    fs::read_dir(folder).unwrap().count()
}

async fn is_served(server: &Server) {
    let began = Instant::now();
    server.send(get("/livez")).await.assert_ok(200);
    server.send(get("/api/public/models")).await.assert_ok(200);
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_thousand_half_open_connections_keep_nobody_out_and_are_let_go() {
    let workshop = Workshop::open().await;
    let slow = json!({"runMs": 3_600_000});
    workshop.gpus.behave("echo", slow).await;
    let server = workshop.serve("all").await;
    is_served(&server).await;
    let before = open_files(&server);

    // Half a request, and then silence.
    let mut halves = Vec::new();
    for _ in 0..MANY {
        let mut half = TcpStream::connect(server.address).await.unwrap();
        half.write_all(b"GET /api/marketplace/events HTTP/1.1\r\nhost: loc")
            .await
            .unwrap();
        halves.push(half);
    }
    is_served(&server).await;

    // Somebody follows and is gone.
    let run = workshop.submit(&server, "echo").await;
    for _ in 0..MANY / 10 {
        let token = workshop.consumer.as_str();
        drop(Stream::open(&server, &events(&run), token, "").await);
        drop(Stream::open(&server, "/api/marketplace/events", token, "").await);
    }
    is_served(&server).await;

    until("all are let go", async || {
        open_files(&server) <= before + 20
    })
    .await;
    is_served(&server).await;
    drop(halves);
    server.stop("KILL").await;
}
