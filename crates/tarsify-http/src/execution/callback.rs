//! What providers call when a job has ended. The token in the address is the credential; what
//! the body says is believed no further than "look now", so a good token is thanked whatever
//! comes with it, and anything else finds nothing here.

use std::time::Duration;

use actix_web::rt::time::timeout;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::BytesMut;
use futures_util::StreamExt;
use serde::Deserialize;
use tarsify_domain::ErrorCode;
use tarsify_domain::execution::Known;
use tarsify_domain::id::ExecutionId;
use tarsify_engine::Engine;
use uuid::Uuid;

use crate::error::ApiError;

/// Bytes of a body that are looked at; a result may be large, and the job's id stands anywhere.
const MOST_BYTES: usize = 25_000_000;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(15);

/// Takes note that the provider has news.
pub(crate) async fn receive_runpod_callback(
    request: HttpRequest,
    body: Payload,
    engine: Data<Engine>,
) -> Result<HttpResponse, ApiError> {
    let part = |name| request.match_info().get(name).unwrap_or_default();
    // What is no id is looked for as well, so that it takes as long as any other.
    let nobody = || ExecutionId::from_uuid(Uuid::nil());
    let id = part("executionId")
        .parse()
        .unwrap_or_else(|_ignored| nobody());
    let known = engine.find_callback(id, part("token")).await?;
    let known = known.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
    let job = read_job(body, known).await;
    engine.hint(id, known, job.as_deref()).await?;
    Ok(HttpResponse::Ok().finish())
}

/// The id of the job that the body names, if we need it and it does. The body is read to its
/// end, as far as that is sensible, so that the connection stays good.
async fn read_job(body: Payload, known: Known) -> Option<String> {
    let bytes = timeout(PATIENCE, read(body, known)).await.ok().flatten()?;
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    let callback: Callback = serde_json::from_slice(&bytes).ok().filter(|_| is_object)?;
    callback.id
}

/// All that we read of a body.
#[derive(Deserialize)]
struct Callback {
    #[serde(default)]
    id: Option<String>,
}

/// The body, if it is of any use and could be read.
async fn read(mut body: Payload, known: Known) -> Option<BytesMut> {
    let mut bytes = BytesMut::new();
    let mut length = 0_usize;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.ok()?;
        length = length.saturating_add(chunk.len());
        if length > MOST_BYTES {
            return None;
        }
        if !known.has_job {
            bytes.extend_from_slice(&chunk);
        }
    }
    (!known.has_job).then_some(bytes)
}
