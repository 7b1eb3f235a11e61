//! The end of a process: nobody is cut off who could be served, nobody has to kill it, and nothing
//! holds it up for longer than it may.

mod line;
mod stuck;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use self::line::Line;
use crate::live::{Stream, events};
use crate::support::{Place, Server, Shop, Store, Workshop, get, until};

const BODY: &str = r#"{"name": "Ada Lovelace"}"#;
const MODELS: &str = "/api/marketplace/models";

/// The beginning of a registration, and what is still to be sent of it.
async fn half_sent(address: SocketAddr, token: &str) -> (TcpStream, &'static str) {
    let mut slow = TcpStream::connect(address).await.unwrap();
    let (first, second) = BODY.split_at(10);
    let head = format!(
        "POST /api/marketplace/auth/register HTTP/1.1\r\nHost: tarsify\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{first}",
        BODY.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    (slow, second)
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_process_ends() {
    let store = Store::migrated().await;
    let shop = Shop::open(&store).await;
    let token = shop.place.token("consumer", "ada@example.com").await;
    let address = shop.server.address;
    let (mut slow, rest) = half_sent(address, &token).await;
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

    slow.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(answer.contains("Ada Lovelace"), "{answer}");
    shop.server.process.ended().await.assert_code(0);
    assert_eq!(store.sql("SELECT count(*) FROM consumers"), "1");
}

#[tokio::test]
async fn who_comes_is_served_then_turned_away_and_who_was_there_is_served_throughout() {
    let store = Store::migrated().await;
    let server = Shop::open(&store).await.server;
    let address = server.address;
    let mut early = Line::open(address).await;
    let mut patient = Line::open(address).await;
    for line in [&mut early, &mut patient] {
        let (head, _) = line.ask(MODELS).await;
        assert!(!head.contains("connection: close"), "{head}");
    }
    server.process.signal("TERM");
    until("it is not ready", async || {
        let (head, _) = Line::open(address).await.ask("/readyz").await;
        head.starts_with("HTTP/1.1 503 ")
    })
    .await;
    // The balancer may not have seen it yet.
    for line in [&mut early, &mut Line::open(address).await] {
        let (head, _) = line.ask(MODELS).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("connection: close"), "{head}");
        assert!(line.is_closed().await);
    }
    let mut refusal = Default::default();
    until("who comes now is turned away", async || {
        refusal = Line::open(address).await.ask(MODELS).await;
        refusal.0.starts_with("HTTP/1.1 503 ")
    })
    .await;
    let (head, _) = patient.ask(MODELS).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let (head, body) = refusal;
    assert!(head.contains("retry-after: "), "{head}");
    assert!(head.contains("connection: close"), "{head}");
    assert!(body.contains("ERR_1005"), "{body}");
    until("the port is closed", async || is_closed(address).await).await;
    server.process.ended().await.assert_code(0);
}

#[tokio::test]
async fn who_waits_for_a_run_is_told_at_once_how_it_stands() {
    // A loaded machine may take its time.
    let workshop = Workshop::with(&[("TARSIFY__SERVER__NOTICE_SECONDS", "8")]).await;
    let endless = json!({"runMs": 3_600_000});
    workshop.gpus.behave("echo", endless).await;
    let server = workshop.serve("all").await;
    let waiting = workshop.run("echo").header("prefer", "wait=60");
    let (answer, asked) = tokio::join!(server.send(waiting), async {
        until("it is at the provider", async || {
            workshop.gpus.count("echo", "run").await == 1
        })
        .await;
        server.process.signal("TERM");
        Instant::now()
    });
    let took = asked.elapsed();
    let answer = answer.assert_ok(202);
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(took < Duration::from_secs(2), "he was let wait {took:?}");
    // Who comes now is served, and his run is left to those who stay.
    workshop.submit(&server, "echo").await;
    server.process.ended().await.assert_code(0);
    assert_eq!(workshop.executions("stage = 'created'"), 1);
    assert_eq!(workshop.gpus.count("echo", "run").await, 1);
    workshop.assert_sound();
}

#[tokio::test]
async fn who_follows_hears_on_until_he_is_sent_off_and_knows_when_to_come_back() {
    // A loaded machine may take its time.
    let workshop = Workshop::with(&[("TARSIFY__SERVER__NOTICE_SECONDS", "8")]).await;
    let (one, two) = tokio::join!(workshop.serve("all"), workshop.serve("api"));
    let token = workshop.consumer.as_str();
    let mut all = Stream::open(&one, "/api/marketplace/events", token, "").await;
    one.process.signal("TERM");
    until("it is not ready", async || {
        one.send(get("/readyz")).await.status == 503
    })
    .await;
    let run = workshop.submit(&two, "echo").await;
    let told = all.next().await.unwrap();
    assert_eq!(
        (told.event.as_str(), &told.data["executionId"]),
        ("queued", &json!(run))
    );
    // Who comes before the balancer has seen it follows for a moment, too.
    let mut late = Stream::open(&one, &events(&run), token, "").await;
    assert_eq!(late.next().await.unwrap().event, "queued");
    assert_eq!((all.next().await, late.next().await), (None, None));
    let mut returns = [all.retry(), late.retry()];
    returns.sort_unstable();
    assert_eq!(returns, [2_200, 2_200], "milliseconds");
    one.process.ended().await.assert_code(0);

    let worker = workshop.serve("worker").await;
    let rest = Stream::open(&two, "/api/marketplace/events", token, &told.id).await;
    let next = rest.until_event("completed").await;
    assert!(!next.contains(&"queued".to_owned()), "{next:?}");
    for server in [two, worker] {
        server.stop("TERM").await.assert_code(0);
    }
}

#[tokio::test]
async fn another_worker_goes_on_at_once_with_what_a_stopped_one_had_in_hand() {
    let workshop = Workshop::open().await;
    let (api, leaving) = tokio::join!(workshop.serve("api"), workshop.serve("worker"));
    let slow = json!([{"when": "run", "kind": "delay", "ms": 3_000}]);
    workshop.gpus.behave("echo", json!({"faults": slow})).await;
    for _ in 0..10 {
        workshop.submit(&api, "echo").await;
    }
    until("all are being submitted", async || {
        workshop.gpus.count("echo", "run").await == 10
    })
    .await;
    let staying = workshop.serve("worker").await;
    leaving.stop("TERM").await.assert_code(0);
    let ended = Instant::now();
    workshop.all_ended().await;
    // Leases are for 30 seconds, and were taken a moment ago.
    let took = ended.elapsed();
    assert!(took < Duration::from_secs(20), "taken over after {took:?}");
    assert_eq!(workshop.gpus.count("echo", "run").await, 10, "none twice");
    assert_eq!(workshop.executions("status = 'COMPLETED'"), 10);
    staying.stop("TERM").await.assert_code(0);
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

#[tokio::test]
async fn who_is_asked_twice_leaves_everything_at_once_and_says_so() {
    let store = Store::migrated().await;
    let place = Place::on(&store);
    let token = place.token("consumer", "ada@example.com").await;
    for (first, second) in [("TERM", "TERM"), ("INT", "INT"), ("TERM", "INT")] {
        let server = place.serve().await;
        let (mut slow, _rest) = half_sent(server.address, &token).await;
        server.send(get("/health/ready")).await.assert_ok(200);
        server.process.signal(first);
        is_stopping(&server).await;
        let asked = Instant::now();
        let said = server.stop(second).await.assert_code(130);
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(2), "it took {took:?}");
        said.assert_complains(&["second time", "is left"]);
        let mut answer = String::new();
        // It is cut off, whether by a word or without one.
        let _cut = slow.read_to_string(&mut answer).await;
        assert_eq!(answer, "");
    }
}

async fn is_stopping(server: &Server) {
    let said = |log: &str| log.contains(r#""message":"stopping""#).then_some(());
    server.process.wait_for_err(said).await;
}

async fn is_closed(address: SocketAddr) -> bool {
    TcpStream::connect(address).await.is_err()
}
