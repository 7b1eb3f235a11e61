//! The served document, operation by operation.

use reqwest::Method;
use serde_json::Value;

/// One operation at one address.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: String,
    /// The name of its handler.
    pub(super) handler: String,
    /// Whose token it says that it wants.
    pub(super) scheme: Option<String>,
    /// The body that it shows as an example.
    pub(super) example: Option<Value>,
    responses: Value,
}

impl Operation {
    /// How people call it.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(super) fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    /// Whether it says that it may answer so.
    pub(super) fn declares(&self, status: u16, code: Option<&str>) -> bool {
        let response = &self.responses[status.to_string()];
        let examples = &response["content"]["application/json"]["examples"];
        match code {
            Some(code) => examples.get(code).is_some(),
            None => response.is_object(),
        }
    }
}

/// All of them, in the order of the document.
pub(super) fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let handler = id.split("_at_").next().unwrap();
            let security = operation["security"][0].as_object();
            let body = &operation["requestBody"]["content"]["application/json"];
            all.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                handler: handler.trim_end_matches("_by_put").to_owned(),
                scheme: security.map(|scheme| scheme.keys().next().unwrap().clone()),
                example: body.get("example").cloned(),
                responses: operation["responses"].clone(),
            });
        }
    }
    all
}
