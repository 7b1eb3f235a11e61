//! A request and its answer.

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

/// A request to some server.
#[derive(Clone)]
pub(crate) struct Ask {
    method: Method,
    path: String,
    token: Option<String>,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

pub(crate) fn get(path: impl Into<String>) -> Ask {
    Ask::new(Method::GET, path)
}

pub(crate) fn post(path: impl Into<String>) -> Ask {
    Ask::new(Method::POST, path)
}

pub(crate) fn patch(path: impl Into<String>) -> Ask {
    Ask::new(Method::PATCH, path)
}

impl Ask {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            token: None,
            headers: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn by(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn request(self, client: &Client, server: &str) -> RequestBuilder {
        let mut request = client.request(self.method, format!("{server}{}", self.path));
        if let Some(token) = self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        match self.body {
            Some(body) => request.json(&body),
            None => request,
        }
    }
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null where there is none.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> reqwest::Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Self {
            status,
            headers,
            body,
        })
    }

    /// It must be a success of this status.
    #[track_caller]
    pub(crate) fn assert_ok(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        assert_eq!(self.body["success"], true, "{self:#?}");
        self
    }

    /// It must be this failure.
    #[track_caller]
    pub(crate) fn assert_failed(self, status: u16, code: &str) -> Self {
        let found = (self.status, self.code());
        assert_eq!(found, (status, Some(code)), "{self:#?}");
        self
    }

    pub(crate) fn code(&self) -> Option<&str> {
        self.body["error"]["code"].as_str()
    }

    pub(crate) fn data(&self) -> &Value {
        &self.body["data"]
    }

    /// The id of what is answered.
    pub(crate) fn id(&self) -> String {
        self.data()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
