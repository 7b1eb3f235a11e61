//! A request for each cell: to which address, with which token and body.

use std::time::Duration;

use reqwest::Response;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::callers::Caller;
use super::document::Operation;
use super::rules::{Kind, Object, Side};
use super::world::{World, prompt_of};
use crate::support::{accepted, post};

/// Whatever a stream has to tell of what has been, it tells within this.
const AT_ONCE: Duration = Duration::from_millis(200);

/// What was answered.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) text: String,
    pub(super) body: Value,
    pub(super) is_stream: bool,
}

impl Reply {
    pub(super) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// All that it tells, without what is different each time.
    pub(super) fn told(&self) -> (u16, Value) {
        let mut body = self.body.clone();
        if let Some(error) = body["error"].as_object_mut() {
            error.remove("requestId");
        }
        (self.status, body)
    }
}

/// What a stream tells at once: it has no end that could be waited for.
async fn beginning(mut stream: Response) -> String {
    let mut told = Vec::new();
    let reading = async {
        while let Ok(Some(bytes)) = stream.chunk().await {
            told.extend_from_slice(&bytes);
        }
    };
    let _more_to_come = timeout(AT_ONCE, reading).await;
    String::from_utf8_lossy(&told).into_owned()
}

impl World {
    /// What an operation uses up; what it only looks at is there already.
    async fn used_up(&self, operation: &Operation, kind: Kind, side: Side) -> Option<String> {
        let last = operation.path.rsplit('/').next().unwrap();
        match (kind, last) {
            (Kind::Run | Kind::Execution, "cancel" | "retry") => {
                let run = post("/api/marketplace/models/slow/run")
                    .by(self.consumer(side))
                    .json(json!({"inputs": {"prompt": prompt_of(side)}}));
                Some(accepted(self.send(run).await))
            }
            (Kind::Execution, "refund") => Some(self.make(Kind::Run, side).await),
            (Kind::TarsModel, "archive") => {
                let id = self.make(kind, side).await;
                let publish = post(format!("/api/studio/tars-models/{id}/publish"));
                let publish = publish.by(self.developer(side));
                self.send(publish).await.assert_ok(200);
                Some(id)
            }
            (Kind::TarsModel | Kind::Endpoint | Kind::BaseModel | Kind::Package, _)
                if !operation.is_read() =>
            {
                Some(self.make(kind, side).await)
            }
            _ => None,
        }
    }

    /// The address of an operation on that object. What is to be carried out gets a thing of its own
    /// where it would leave it changed.
    async fn address(
        &self,
        operation: &Operation,
        kind: Kind,
        (object, is_spent): (Object, bool),
    ) -> String {
        let name = match object {
            Object::None => return operation.path.clone(),
            Object::Absent if matches!(kind, Kind::Slug | Kind::Runnable) => {
                "no-such-model".to_owned()
            }
            Object::Absent => "0198b2c4-d5e6-7f80-91a2-b3c4d5e6f7ff".to_owned(),
            Object::Of(side) => {
                let fresh = if is_spent {
                    self.used_up(operation, kind, side).await
                } else {
                    None
                };
                fresh.unwrap_or_else(|| self.things[&(kind, side)].clone())
            }
        };
        let path = operation
            .path
            .replace("{id}", &name)
            .replace("{slug}", &name);
        path.replace("{executionId}", &name)
            .replace("{token}", &"a".repeat(43))
    }

    /// Asks for an operation as its document shows it.
    pub(super) async fn ask(
        &self,
        operation: &Operation,
        caller: &Caller,
        (kind, object, is_granted): (Option<Kind>, Object, bool),
    ) -> Reply {
        let path = match kind {
            Some(kind) => self.address(operation, kind, (object, is_granted)).await,
            None => operation.path.clone(),
        };
        let url = format!("{}{path}", self.server.url());
        let mut request = self.client.request(operation.method.clone(), url);
        if let Some(token) = self.token(operation, caller).await {
            request = request.bearer_auth(token);
        }
        if let Some(body) = self.body(operation) {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type");
        let is_stream = kind.is_some_and(|kind| kind == "text/event-stream");
        let text = if is_stream {
            beginning(response).await
        } else {
            response.text().await.unwrap()
        };
        let body = serde_json::from_str(&text).unwrap_or_default();
        Reply {
            status,
            text,
            body,
            is_stream,
        }
    }

    /// The document's own example, but for names of things that are here or have to be new.
    fn body(&self, operation: &Operation) -> Option<Value> {
        let mut body = operation.example.clone()?;
        let number = self.number();
        let handler = operation.handler.as_str();
        match handler {
            "register_consumer" | "register_developer" => body = json!({}),
            "create_tars_model" => {
                body["baseModelId"] = json!(self.base_model);
                body["slug"] = json!(format!("made-{number}"));
                body["configOverrides"] = json!({});
            }
            "update_tars_model" => body = json!({"title": "Another Title"}),
            "create_endpoint" => body["runpodEndpointId"] = json!(format!("ep-{number}")),
            "update_endpoint" => body = json!({"name": "Another Name"}),
            "create_base_model" => {
                body["endpointId"] = json!(self.endpoint);
                body["slug"] = json!(format!("base-{number}"));
            }
            "update_base_model" => body = json!({"name": "Another Name"}),
            "refund_execution" => body["amount"] = json!(1),
            // The limits on callers are off, but not that on their runs.
            "update_rate_limits" => body = json!({"maxConcurrentRuns": 1_000}),
            _ => {}
        }
        Some(body)
    }
}
