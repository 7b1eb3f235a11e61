//! An HTTP server that publishes keys, counts who asks, and fails on demand.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the server answers.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Answer {
    /// Keys that are fresh for that many seconds.
    pub(crate) fn fresh_for(seconds: u32, body: String) -> Self {
        Self {
            status: 200,
            headers: format!("cache-control: public, max-age={seconds}\r\n"),
            body,
        }
    }

    /// A failure.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: String::new(),
            body: String::new(),
        }
    }
}

struct Shared {
    answer: Mutex<Answer>,
    held: watch::Sender<bool>,
    requests: watch::Sender<usize>,
}

/// The server. It ends when it is dropped.
pub(crate) struct KeyServer {
    pub(crate) url: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl KeyServer {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            answer: Mutex::new(answer),
            held: watch::Sender::new(false),
            requests: watch::Sender::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&shared)));
        Self {
            url,
            shared,
            _tasks: tasks,
        }
    }

    /// Answers differently from now on.
    pub(crate) fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// Holds all answers back.
    pub(crate) fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    /// Lets the answers go.
    pub(crate) fn release(&self) {
        self.shared.held.send_replace(false);
    }

    /// How many requests have come.
    pub(crate) fn requests(&self) -> usize {
        *self.shared.requests.borrow()
    }

    /// Waits for so many requests.
    pub(crate) async fn requested(&self, count: usize) {
        let mut requests = self.shared.requests.subscribe();
        requests.wait_for(|seen| *seen >= count).await.unwrap();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(reply(stream, Arc::clone(&shared)));
    }
}

async fn reply(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    shared.requests.send_modify(|count| *count += 1);
    let mut held = shared.held.subscribe();
    held.wait_for(|held| !held).await.unwrap();
    let Answer {
        status,
        headers,
        body,
    } = shared.answer.lock().unwrap().clone();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Said\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    // The client may have given up.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
    let _ = stream.shutdown().await;
}
