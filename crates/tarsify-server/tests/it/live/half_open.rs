//! Connections on which nothing comes, or at whose other end nobody is: they are let go, and
//! everybody else is served meanwhile.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Stream, events};
use crate::support::{Server, Workshop, assert_may_open, get, open_files, until};

const MANY: usize = 1_000;

async fn is_served(server: &Server) {
    let began = Instant::now();
    server.send(get("/livez")).await.assert_ok(200);
    server.send(get("/api/public/models")).await.assert_ok(200);
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_thousand_half_open_connections_keep_nobody_out_and_are_let_go() {
    assert_may_open(MANY);
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
