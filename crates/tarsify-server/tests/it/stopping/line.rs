//! A connection that somebody keeps, and every byte that is said on it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::PATIENCE;

/// A connection that somebody keeps.
pub(crate) struct Line(TcpStream);

impl Line {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// The head of the answer and all of its body.
    pub(crate) async fn ask(&mut self, path: &str) -> (String, String) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: tarsify\r\n\r\n");
        self.0.write_all(request.as_bytes()).await.unwrap();
        let mut text = Vec::new();
        loop {
            let read = timeout(PATIENCE, self.0.read_buf(&mut text)).await;
            assert_ne!(read.unwrap().unwrap(), 0, "{path}: no answer");
            let said = String::from_utf8(text.clone()).unwrap();
            let Some((head, body)) = said.split_once("\r\n\r\n") else {
                continue;
            };
            let length = |line: &str| line.strip_prefix("content-length: ")?.parse().ok();
            let length: usize = head.lines().find_map(length).unwrap();
            if body.len() == length {
                return (head.to_owned(), body.to_owned());
            }
        }
    }

    /// Whether the other side has closed it, without another word.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await;
        read.is_ok_and(|read| read.is_ok()) && rest.is_empty()
    }
}
