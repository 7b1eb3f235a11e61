//! A collector of traces that a test can look into: it takes what OTLP sends over HTTP, or is silent,
//! or answers nonsense.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What it does with what it gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Takes it.
    Takes,
    /// Reads it and never answers.
    Silent,
    /// Answers something that is no answer.
    Nonsense,
}

/// A span as it came.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) trace: String,
    pub(super) span: String,
    pub(super) parent: String,
    pub(super) name: String,
    pub(super) is_error: bool,
    pub(super) attributes: BTreeMap<String, String>,
    /// What is said of who sent it.
    pub(super) sender: BTreeMap<String, String>,
    pub(super) events: usize,
}

impl Seen {
    /// An attribute; empty where there is none.
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

#[derive(Default)]
struct Heard {
    spans: Vec<Seen>,
    /// All of it, as it came over the line.
    bytes: Vec<u8>,
    requests: usize,
}

/// A collector. It ends when it is dropped.
pub(super) struct Collector {
    pub(super) url: String,
    heard: Arc<Mutex<Heard>>,
    _tasks: JoinSet<()>,
}

impl Collector {
    pub(super) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::<Mutex<Heard>>::default();
        let (mut tasks, ears) = (JoinSet::new(), Arc::clone(&heard));
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(listen(stream, manner, Arc::clone(&ears)));
            }
        });
        Self {
            url,
            heard,
            _tasks: tasks,
        }
    }

    /// What it has of a trace.
    pub(super) fn of(&self, trace: &str) -> Vec<Seen> {
        let mut spans = self.all();
        spans.retain(|span| span.trace == trace);
        spans
    }

    pub(super) fn all(&self) -> Vec<Seen> {
        self.heard.lock().unwrap().spans.clone()
    }

    /// How often somebody came.
    pub(super) fn requests(&self) -> usize {
        self.heard.lock().unwrap().requests
    }

    /// Everything that was ever sent to it, headers included, as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap().bytes).into_owned()
    }
}

async fn listen(mut stream: TcpStream, manner: Manner, heard: Arc<Mutex<Heard>>) {
    let mut read = Vec::new();
    while let Some((head, body)) = next_request(&mut stream, &mut read).await {
        {
            let mut heard = heard.lock().unwrap();
            heard.requests += 1;
            heard.bytes.extend_from_slice(head.as_bytes());
            heard.bytes.extend_from_slice(&body);
            assert!(head.starts_with("POST /v1/traces "), "{head}");
            let sent = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
            heard.spans.extend(spans_of(sent));
        }
        let answer: &[u8] = match manner {
            Manner::Takes => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            Manner::Silent => std::future::pending().await,
            Manner::Nonsense => {
                b"HTTP/1.1 500 Oops\r\ncontent-length: 12\r\n\r\n<html>\xff\xfe\0!!!"
            }
        };
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

async fn next_request(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = loop {
        let end = read.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            break end + 4;
        }
        if stream.read_buf(read).await.unwrap_or(0) == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    let length = head
        .to_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    while read.len() < end + length {
        if stream.read_buf(read).await.unwrap_or(0) == 0 {
            return None;
        }
    }
    let rest = read.split_off(end + length);
    let body = read.split_off(end);
    *read = rest;
    Some((head, body))
}

fn spans_of(sent: ExportTraceServiceRequest) -> Vec<Seen> {
    let mut seen = Vec::new();
    for resource in sent.resource_spans {
        let sender = table(resource.resource.unwrap_or_default().attributes);
        for span in resource.scope_spans.into_iter().flat_map(|s| s.spans) {
            seen.push(Seen {
                trace: hex(&span.trace_id),
                span: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                name: span.name,
                is_error: span
                    .status
                    .is_some_and(|status| status.code() == StatusCode::Error),
                attributes: table(span.attributes),
                sender: sender.clone(),
                events: span.events.len(),
            });
        }
    }
    seen
}

fn table(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let pairs = attributes.into_iter().map(|pair| {
        let value = match pair.value.and_then(|value| value.value) {
            Some(Value::StringValue(text)) => text,
            Some(Value::IntValue(number)) => number.to_string(),
            Some(Value::BoolValue(flag)) => flag.to_string(),
            other => format!("{other:?}"),
        };
        (pair.key, value)
    });
    pairs.collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
