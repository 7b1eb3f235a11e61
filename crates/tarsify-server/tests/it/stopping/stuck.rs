//! Those who would hold a process up for good: a client who takes nothing of what he asked for, one
//! who never sends the rest, and a provider who never answers.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use super::{half_sent, is_stopping};
use crate::support::{Server, Workshop, get, until};

/// What is asked for at once, which is far more than any buffer between us holds.
const ASKED: usize = 200;

/// Somebody who asks for a lot and reads nothing.
async fn deaf(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut deaf = socket.connect(server.address).await.unwrap();
    let asked = "GET /openapi.json HTTP/1.1\r\nhost: tarsify\r\n\r\n".repeat(ASKED);
    deaf.write_all(asked.as_bytes()).await.unwrap();
    deaf
}

#[tokio::test]
async fn nobody_who_stands_still_holds_a_process_up_for_longer_than_it_may() {
    let workshop = Workshop::with(&[("TARSIFY__EXECUTIONS__LOST_ANSWER_GRACE_SECONDS", "1")]).await;
    let silent = json!([{"when": "run", "kind": "delay", "ms": 600_000}]);
    workshop
        .gpus
        .behave("echo", json!({"faults": silent}))
        .await;
    let server = workshop.serve("all").await;
    workshop.submit(&server, "echo").await;
    until("it is being submitted", async || {
        workshop.gpus.count("echo", "run").await == 1
    })
    .await;
    let _deaf = deaf(&server).await;
    let (_slow, _rest) = half_sent(server.address, &workshop.consumer).await;
    server.send(get("/readyz")).await.assert_ok(200);
    let asked = Instant::now();
    server.process.signal("TERM");
    is_stopping(&server).await;
    let said = server.process.ended().await.assert_code(0);
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(30), "it took {took:?}");
    // Who never sends the rest has been told so by then; the other one cannot be told anything.
    said.assert_complains(&[r#""connections":1"#, "are cut off"]);

    // What it could not finish is finished by another one.
    workshop.gpus.behave("echo", json!({})).await;
    let _other = workshop.serve("worker").await;
    workshop.all_ended().await;
}

#[tokio::test]
async fn a_database_that_is_away_holds_nobody_up_and_nothing_is_lost_by_it() {
    let workshop = Workshop::with(&[("TARSIFY__EXECUTIONS__LOST_ANSWER_GRACE_SECONDS", "1")]).await;
    let slow = json!([{"when": "run", "kind": "delay", "ms": 1_500}]);
    workshop.gpus.behave("echo", json!({"faults": slow})).await;
    let server = workshop.serve("all").await;
    workshop.submit(&server, "echo").await;
    until("it is being submitted", async || {
        workshop.gpus.count("echo", "run").await == 1
    })
    .await;
    workshop.store.close();
    let asked = Instant::now();
    server.process.signal("TERM");
    let said = server.process.ended().await.assert_code(0);
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(35), "it took {took:?}");
    said.assert_complains(&["a write waits for the store", "runs in hand are left"]);

    workshop.store.open();
    let _other = workshop.serve("worker").await;
    workshop.all_ended().await;
    assert_eq!(workshop.executions("status = 'COMPLETED'"), 1);
}
