//! One request and its answer.

use std::future::{IntoFuture, poll_fn};
use std::net::SocketAddr;

use actix_web::body::{MessageBody, to_bytes};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::test::TestRequest;
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use super::{Shop, document};

/// A request that is being written.
#[derive(Clone)]
pub(crate) struct Ask<'a> {
    shop: &'a Shop,
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Bytes>,
    peer: Option<SocketAddr>,
    is_brief: bool,
}

impl<'a> Ask<'a> {
    pub(crate) const fn new(shop: &'a Shop, method: Method, path: String) -> Self {
        Self {
            shop,
            method,
            path,
            headers: Vec::new(),
            body: None,
            peer: None,
            is_brief: false,
        }
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// From which address the connection comes.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.peer = Some(SocketAddr::new(address.parse().unwrap(), 4711));
        self
    }

    pub(crate) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        self.headers.push((HeaderName::from_static(name), value));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.bytes(body.to_string())
    }

    /// A body that says it is JSON, whatever it holds.
    pub(crate) fn bytes(self, body: impl Into<Bytes>) -> Self {
        self.header("content-type", "application/json").raw(body)
    }

    /// A body without a media type, of a declared length.
    pub(crate) fn raw(mut self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        self.headers
            .push((header::CONTENT_LENGTH, HeaderValue::from(body.len())));
        self.body = Some(body);
        self
    }

    /// A body whose length nobody declares.
    pub(crate) fn chunked(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", "application/json")
            .header("transfer-encoding", "chunked")
    }

    /// Reads only the beginning of an answer that may have no end.
    pub(crate) fn briefly(mut self) -> Self {
        self.is_brief = true;
        self
    }

    async fn send(self) -> Reply {
        let length = |(name, _): &(HeaderName, HeaderValue)| *name == header::CONTENT_LENGTH;
        let is_declared = self.headers.iter().any(length);
        let mut request = TestRequest::default()
            .method(self.method.clone())
            .uri(&self.path);
        for (name, value) in self.headers {
            request = request.append_header((name, value));
        }
        if let Some(peer) = self.peer {
            request = request.peer_addr(peer);
        }
        if let Some(body) = self.body {
            request = request.set_payload(body);
        }
        let mut request = request.to_request();
        if !is_declared {
            // The builder declares a length by itself; a streamed body has none.
            request.headers_mut().remove(header::CONTENT_LENGTH);
        }
        let response = self.shop.call(request).await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = if self.is_brief && headers.contains_key("x-accel-buffering") {
            let mut body = std::pin::pin!(response.into_body());
            let begin = poll_fn(|context| body.as_mut().poll_next(context)).await;
            begin.unwrap().ok().unwrap()
        } else {
            to_bytes(response.into_body()).await.ok().unwrap()
        };
        let reply = Reply {
            status,
            headers,
            body,
        };
        document::check(&self.method, &self.path, &reply);
        reply
    }
}

impl<'a> IntoFuture for Ask<'a> {
    type Output = Reply;
    type IntoFuture = LocalBoxFuture<'a, Reply>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The header's value, empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn etag(&self) -> &str {
        let tag = self.header("etag");
        assert!(
            tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'),
            "no strong tag: {tag:?}"
        );
        tag
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// What stands in `data`, of a success.
    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        let body = self.json();
        assert_eq!(body["success"], true, "{body}");
        body["data"].clone()
    }

    /// The status with the code of the failure; the code is empty for a success.
    pub(crate) fn outcome(&self) -> (u16, String) {
        if self.body.is_empty() || self.status < 400 {
            return (self.status, String::new());
        }
        let code = self.json()["error"]["code"].as_str().unwrap().to_owned();
        (self.status, code)
    }

    #[track_caller]
    pub(crate) fn assert(&self, status: u16, code: &str) -> &Self {
        assert_eq!(self.outcome(), (status, code.to_owned()), "{}", self.text());
        self
    }

    /// The faults that are named, by path and rule.
    pub(crate) fn issues(&self) -> Vec<(String, String)> {
        let body = self.json();
        let issues = body["error"]["details"]["issues"].as_array();
        issues
            .into_iter()
            .flatten()
            .map(|issue| {
                let text = |key: &str| issue[key].as_str().unwrap().to_owned();
                assert!(!text("message").is_empty());
                (text("path"), text("code"))
            })
            .collect()
    }

    /// Refused with `ERR_1001` and exactly these faults.
    #[track_caller]
    pub(crate) fn assert_faults(&self, faults: &[(&str, &str)]) {
        self.assert(400, "ERR_1001");
        let owned = |&(path, code): &(&str, &str)| (path.to_owned(), code.to_owned());
        let mut faults: Vec<_> = faults.iter().map(owned).collect();
        faults.sort();
        let mut issues = self.issues();
        issues.sort();
        assert_eq!(issues, faults, "{}", self.text());
    }
}
