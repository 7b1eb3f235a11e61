//! The least of HTTP/1.1 that it takes to ask our own server: one connection that is kept, one request
//! after the other, and answers that say how long they are.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// Whoever takes longer does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request, as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Ask(Vec<u8>);

impl Ask {
    pub(crate) fn get(path: &str) -> Self {
        Self::write("GET", path, "")
    }

    pub(crate) fn post(path: &str, headers: &str, body: &Value) -> Self {
        Self::with_body("POST", path, headers, body)
    }

    pub(crate) fn put(path: &str, body: &Value) -> Self {
        Self::with_body("PUT", path, "", body)
    }

    fn with_body(method: &str, path: &str, headers: &str, body: &Value) -> Self {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers = format!(
            "{headers}Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        let Self(mut bytes) = Self::write(method, path, &headers);
        bytes.extend(body.into_bytes());
        Self(bytes)
    }

    /// By whom it is.
    pub(crate) fn bearer(token: &str) -> String {
        format!("Authorization: Bearer {token}\r\n")
    }

    pub(crate) fn write(method: &str, path: &str, headers: &str) -> Self {
        Self(format!("{method} {path} HTTP/1.1\r\nHost: bench\r\n{headers}\r\n").into_bytes())
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// What the envelope holds, when the answer is the one that was wanted.
    pub(crate) fn data(&self, wanted: u16) -> anyhow::Result<Value> {
        let text = String::from_utf8_lossy(&self.body);
        ensure!(
            self.status == wanted,
            "answered {} instead of {wanted}: {text}",
            self.status
        );
        let mut envelope: Value =
            serde_json::from_slice(&self.body).context("no JSON was answered")?;
        Ok(envelope
            .get_mut("data")
            .map(Value::take)
            .unwrap_or_default())
    }

    /// Where the next page of a list begins.
    pub(crate) fn next_cursor(&self) -> Option<String> {
        let envelope: Value = serde_json::from_slice(&self.body).ok()?;
        envelope
            .pointer("/meta/nextCursor")?
            .as_str()
            .map(str::to_owned)
    }
}

/// A connection.
pub(crate) struct Line {
    stream: BufReader<TcpStream>,
}

impl Line {
    pub(crate) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).context("nobody listens")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    pub(crate) fn send(&mut self, ask: &Ask) -> anyhow::Result<Answer> {
        self.stream.get_mut().write_all(&ask.0)?;
        let mut line = String::new();
        self.read_line(&mut line)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status = status.with_context(|| format!("no status: {line:?}"))?;
        let (mut length, mut etag) = (0, None);
        loop {
            self.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().context("no length")?,
                "etag" => etag = Some(value.to_owned()),
                "transfer-encoding" => bail!("an answer in pieces is not understood here"),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, etag, body })
    }

    fn read_line(&mut self, line: &mut String) -> anyhow::Result<()> {
        line.clear();
        let read = self.stream.read_line(line)?;
        ensure!(read > 0, "the connection was closed");
        Ok(())
    }
}
