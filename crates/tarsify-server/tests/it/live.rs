//! Runs that are followed through the real binary: over real connections, on one process and on
//! another than the one that works.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::timeout;

use crate::support::{Server, Workshop};

mod crowds;
mod half_open;
mod held_up;

/// A good deal more than anything takes here.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream that is read event by event.
pub(crate) struct Stream {
    lines: Lines<BufReader<OwnedReadHalf>>,
    retry: u64,
    /// The connection lives as long as both of its halves.
    _writes: tokio::net::tcp::OwnedWriteHalf,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Stream {
    /// Asks for the stream; `last` is the id of the last event that came.
    pub(crate) async fn open(server: &Server, path: &str, token: &str, last: &str) -> Self {
        Self::at(server.address, path, token, last).await
    }

    pub(crate) async fn at(address: SocketAddr, path: &str, token: &str, last: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (reads, mut writes) = stream.into_split();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             accept: text/event-stream\r\naccept-encoding: gzip, br\r\nlast-event-id: {last}\r\n\r\n"
        );
        writes.write_all(request.as_bytes()).await.unwrap();
        let mut stream = Self {
            lines: BufReader::new(reads).lines(),
            retry: 0,
            _writes: writes,
        };
        let status = stream.line().await.unwrap();
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        assert_eq!(stream.next().await.unwrap().event, "connected");
        stream
    }

    async fn line(&mut self) -> Option<String> {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("the stream goes on").ok().flatten()
    }

    /// The next event; none when the stream is over.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        let mut told = Told {
            id: String::new(),
            event: String::new(),
            data: Value::Null,
        };
        loop {
            let line = self.line().await?;
            // The lengths of chunks and the headers stand between the fields.
            if let Some(id) = line.strip_prefix("id: ") {
                told.id = id.to_owned();
            } else if let Some(retry) = line.strip_prefix("retry: ") {
                self.retry = retry.parse().unwrap();
            } else if let Some(event) = line.strip_prefix("event: ") {
                told.event = event.to_owned();
            } else if let Some(data) = line.strip_prefix("data: ") {
                told.data = serde_json::from_str(data).unwrap();
                return Some(told);
            }
        }
    }

    /// After how many milliseconds its client was last told to come back.
    pub(crate) const fn retry(&self) -> u64 {
        self.retry
    }

    /// The kinds of all that comes until `end`.
    pub(crate) async fn kinds_until_end(self) -> Vec<String> {
        self.until_event("end").await
    }

    /// The kinds of all that comes before the first event of this kind.
    pub(crate) async fn until_event(mut self, kind: &str) -> Vec<String> {
        let mut kinds = Vec::new();
        loop {
            let told = self.next().await.expect("it comes to its end");
            if told.event == kind {
                return kinds;
            }
            kinds.push(told.event);
        }
    }
}

pub(crate) fn events(run: &str) -> String {
    format!("/api/marketplace/runs/{run}/events")
}

#[tokio::test]
async fn a_run_submitted_on_one_process_is_watched_on_another() {
    let workshop = Workshop::open().await;
    let (one, two) = tokio::join!(workshop.serve("api"), workshop.serve("api"));
    let run = workshop.submit(&one, "echo").await;
    let token = workshop.consumer.as_str();
    let watched = Stream::open(&two, &events(&run), token, "").await;
    let mut all = Stream::open(&two, "/api/marketplace/events", token, "").await;
    let worker = workshop.serve("worker").await;
    let kinds = watched.kinds_until_end().await;
    assert_eq!(kinds.first().map(String::as_str), Some("queued"));
    assert_eq!(kinds.last().map(String::as_str), Some("completed"));
    let mut last = Told {
        id: String::new(),
        event: String::new(),
        data: Value::Null,
    };
    while last.event != "completed" {
        last = all.next().await.unwrap();
        assert_eq!(last.data["executionId"], run.as_str());
    }
    // Cut off, and on at the other process.
    let second = workshop.submit(&one, "echo").await;
    let mut again = Stream::open(&one, "/api/marketplace/events", token, &last.id).await;
    let next = again.next().await.unwrap();
    assert_eq!(next.event, "queued");
    assert_eq!(next.data["executionId"], second.as_str());
    for server in [one, two, worker] {
        server.stop("TERM").await.assert_code(0);
    }
    workshop.assert_sound();
}

#[tokio::test]
async fn a_process_that_stops_lets_go_of_who_watches() {
    let workshop = Workshop::open().await;
    let server = workshop.serve("api").await;
    let run = workshop.submit(&server, "echo").await;
    let token = workshop.consumer.as_str();
    let mut watched = Stream::open(&server, &events(&run), token, "").await;
    assert_eq!(watched.next().await.unwrap().event, "queued");
    let began = Instant::now();
    let (stopped, more) = tokio::join!(server.stop("TERM"), watched.next());
    stopped.assert_code(0);
    assert_eq!(more, None, "it is no end: the run goes on");
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    // Another process goes on with it.
    let other = workshop.serve("all").await;
    let rest = Stream::open(&other, &events(&run), token, "1").await;
    let kinds = rest.kinds_until_end().await;
    assert_eq!(kinds.last().map(String::as_str), Some("completed"));
    assert!(!kinds.contains(&"queued".to_owned()));
    other.stop("TERM").await.assert_code(0);
}

#[tokio::test]
async fn many_who_are_cut_off_while_processes_die_see_everything_once() {
    let workshop = Workshop::open().await;
    let mut servers = vec![workshop.serve("all").await, workshop.serve("all").await];
    let mut runs = Vec::new();
    for _ in 0..40 {
        runs.push(workshop.submit(&servers[0], "echo").await);
    }
    let token = workshop.consumer.as_str();
    for (number, run) in runs.iter().enumerate() {
        let mut last = String::new();
        let mut seen = Vec::new();
        let mut cuts = 0;
        'ended: loop {
            let server = &servers[(number + cuts) % 2];
            let mut stream = Stream::open(server, &events(run), token, &last).await;
            // Cut off after one event, again and again.
            match stream.next().await {
                Some(told) if told.event == "end" => break 'ended,
                Some(told) => {
                    last.clone_from(&told.id);
                    seen.push((told.id, told.event));
                }
                None => {}
            }
            cuts += 1;
            if number == 10 && cuts == 1 {
                servers.remove(0).stop("KILL").await;
                servers.insert(0, workshop.serve("all").await);
            }
        }
        let stored = workshop.store.sql(&format!(
            "SELECT string_agg(seq || ' ' || kind, ',' ORDER BY seq) \
             FROM execution_events WHERE execution_id = '{run}'"
        ));
        let seen: Vec<_> = seen
            .iter()
            .map(|(id, kind)| format!("{id} {kind}"))
            .collect();
        assert_eq!(seen.join(","), stored);
    }
    workshop.all_ended().await;
    for server in servers {
        server.stop("TERM").await.assert_code(0);
    }
    workshop.assert_sound();
}
