//! Answers as they leave, and the one that never does.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header::ContentType;
use actix_web::web::Bytes;

/// A body that breaks before its first byte. The server has sent nothing by then, not even the
/// status, so all that the client sees is that the connection ends.
struct Severed;

impl MessageBody for Severed {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}

/// No answer: the connection is dropped.
pub(super) fn severed() -> HttpResponse {
    HttpResponse::Ok().body(Severed)
}

/// A text that should be JSON, and may have been spoiled.
pub(super) fn json_text(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .body(text)
}
