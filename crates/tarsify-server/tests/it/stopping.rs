//! The end of a process: nobody is cut off, and nobody has to kill it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Shop, Store, get, until};

const BODY: &str = r#"{"name": "Ada Lovelace"}"#;

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_process_ends() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    let token = shop.place.token("consumer", "ada@example.com").await;
    let address = shop.server.address;
    let mut slow = TcpStream::connect(address).await.unwrap();
    let (first, second) = BODY.split_at(10);
    let head = format!(
        "POST /api/marketplace/auth/register HTTP/1.1\r\nHost: tarsify\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{first}",
        BODY.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    // An answer to somebody who came later shows that the first request has been taken up.
    shop.server.send(get("/health/ready")).await.assert_ok(200);

    shop.server.process.signal("TERM");
    until("the balancer is told", async || {
        let ready = shop.server.send(get("/health/ready")).await;
        ready.status == 503 && ready.code() == Some("ERR_1005")
    })
    .await;
    shop.server.send(get("/health/live")).await.assert_ok(200);
    until("the port is closed", async || is_closed(address).await).await;

    slow.write_all(second.as_bytes()).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(answer.contains("Ada Lovelace"), "{answer}");
    shop.server.process.ended().await.assert_code(0);
    assert_eq!(store.sql("SELECT count(*) FROM consumers"), "1");
}

#[tokio::test]
async fn ctrl_c_ends_an_idle_server_at_once() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    let asked = Instant::now();
    // The client holds its connection open, as browsers do.
    shop.server.stop("INT").await.assert_code(0);
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(2), "it took {took:?}");
}

async fn is_closed(address: SocketAddr) -> bool {
    TcpStream::connect(address).await.is_err()
}
