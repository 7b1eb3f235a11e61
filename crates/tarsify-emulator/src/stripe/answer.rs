//! Answers as Stripe writes them: an object, or an error with a type, a code and a message.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::{Value, json};

/// An answer, as it is kept under a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl Answer {
    pub(super) const fn object(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            body,
        }
    }

    /// It is wrong through whoever asks.
    pub(super) fn invalid(code: &str, message: &str) -> Self {
        Self::error(
            StatusCode::BAD_REQUEST,
            "invalid_request_error",
            code,
            message,
        )
    }

    pub(super) fn missing(what: &str, id: &str) -> Self {
        let message = format!("No such {what}: '{id}'");
        Self::invalid("resource_missing", &message)
    }

    pub(super) fn not_found(message: &str) -> Self {
        let status = StatusCode::NOT_FOUND;
        Self::error(status, "invalid_request_error", "resource_missing", message)
    }

    pub(super) fn unauthorized() -> Self {
        let status = StatusCode::UNAUTHORIZED;
        let message = "The key is missing or wrong: send the one the emulator was started with.";
        Self::error(status, "invalid_request_error", "", message)
    }

    pub(super) fn too_many() -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::error(
            status,
            "invalid_request_error",
            "rate_limit",
            "Too many requests.",
        )
    }

    pub(super) fn other_parameters(key: &str) -> Self {
        let message = format!("The key `{key}` was used with other parameters before.");
        let status = StatusCode::BAD_REQUEST;
        Self::error(status, "idempotency_error", "", &message)
    }

    pub(super) fn in_use(key: &str) -> Self {
        let message = format!("A request with the key `{key}` is in progress.");
        let status = StatusCode::CONFLICT;
        Self::error(
            status,
            "idempotency_error",
            "idempotency_key_in_use",
            &message,
        )
    }

    pub(super) fn failure() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::error(status, "api_error", "", "A fault was asked for.")
    }

    pub(super) fn down() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::error(status, "api_error", "", "A fault was asked for.")
    }

    fn error(status: StatusCode, kind: &str, code: &str, message: &str) -> Self {
        let mut error = json!({ "type": kind, "message": message });
        if let Some(error) = error.as_object_mut().filter(|_| !code.is_empty()) {
            error.insert("code".to_owned(), code.into());
        }
        Self {
            status,
            body: json!({ "error": error }),
        }
    }

    pub(super) fn response(self) -> HttpResponse {
        HttpResponse::build(self.status).json(self.body)
    }

    /// The same again, marked so.
    pub(super) fn replayed(self) -> HttpResponse {
        HttpResponse::build(self.status)
            .insert_header(("Idempotent-Replayed", "true"))
            .json(self.body)
    }
}
