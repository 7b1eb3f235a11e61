//! What clients call: submitting jobs, reading them, cancelling them, trying them again.

use std::time::Duration;

use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;

use super::answer::json_text;
use super::call::{Call, Opening};
use super::refusal::Refusal;
use super::submission::submit;
use crate::emulator::Shared;
use crate::faults::{FaultKind, Fired};
use crate::job::{Entrance, Job, JobStatus, StreamBody, StreamChunk};
use crate::limits::Operation;

const REORDERED_PATIENCE: Duration = Duration::from_secs(30);

/// A job and where it is.
#[derive(Serialize)]
struct JobAnswer<'a> {
    id: &'a str,
    status: JobStatus,
}

#[derive(Serialize)]
struct PurgeAnswer {
    removed: usize,
    status: &'static str,
}

#[derive(Deserialize)]
pub(super) struct Wait {
    wait: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Ttl {
    ttl: Option<u64>,
}

type Answer = Result<HttpResponse, Refusal>;

pub(super) async fn run(
    request: HttpRequest,
    shared: Data<Shared>,
    endpoint: Path<String>,
    payload: Payload,
) -> Answer {
    let opening = Opening {
        endpoint: &endpoint,
        operation: Operation::Run,
        job: None,
    };
    let mut call = Call::open(&shared, &request, opening).await?;
    let id = submit(&shared, &mut call, payload, Entrance::Run).await?;
    wait_for_webhook(&call, &id).await;
    let answer = HttpResponse::Ok().json(JobAnswer {
        id: &id,
        status: JobStatus::InQueue,
    });
    call.answer(answer).await
}

pub(super) async fn runsync(
    request: HttpRequest,
    shared: Data<Shared>,
    endpoint: Path<String>,
    query: Query<Wait>,
    payload: Payload,
) -> Answer {
    let opening = Opening {
        endpoint: &endpoint,
        operation: Operation::Runsync,
        job: None,
    };
    let mut call = Call::open(&shared, &request, opening).await?;
    let id = submit(&shared, &mut call, payload, Entrance::Runsync).await?;
    let patience = Duration::from_millis(query.wait.unwrap_or(90_000).clamp(1_000, 300_000));
    let ended = || {
        let look = |job: &mut Job| job.status.is_final().then(|| job.status_text());
        // A job that is gone will never end.
        call.endpoint
            .with_job(&id, look)
            .map_or(Some(None), |text| text.map(Some))
    };
    let ended = call.endpoint.wait_for(patience, ended).await.flatten();
    let text = ended.or_else(|| call.endpoint.with_job(&id, |job| job.status_text()));
    let answer = text.map_or_else(
        || {
            HttpResponse::Ok().json(JobAnswer {
                id: &id,
                status: JobStatus::InQueue,
            })
        },
        json_text,
    );
    call.answer(answer).await
}

pub(super) async fn read_status(
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String)>,
    query: Query<Ttl>,
) -> Answer {
    let (endpoint, id) = path.into_inner();
    let opening = Opening {
        endpoint: &endpoint,
        operation: Operation::Status,
        job: Some(&id),
    };
    let call = Call::open(&shared, &request, opening).await?;
    if call.fired.has(FaultKind::Lost) {
        return Err(Refusal::NoJob(id));
    }
    let read = |job: &mut Job| {
        if let Some(ttl) = query.ttl {
            job.expires_at = Instant::now().checked_add(Duration::from_millis(ttl));
        }
        status_text(job, &call.fired)
    };
    let text = call
        .endpoint
        .with_job(&id, read)
        .ok_or(Refusal::NoJob(id))?;
    call.answer(json_text(text)).await
}

pub(super) async fn read_stream(
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String)>,
) -> Answer {
    let (endpoint, id) = path.into_inner();
    let opening = Opening {
        endpoint: &endpoint,
        operation: Operation::Stream,
        job: Some(&id),
    };
    let call = Call::open(&shared, &request, opening).await?;
    if call.fired.has(FaultKind::Lost) {
        return Err(Refusal::NoJob(id));
    }
    let drain = |job: &mut Job| {
        let output = |output| StreamChunk { output };
        StreamBody {
            stream: job.drain_stream().into_iter().map(output).collect(),
            status: job.status,
        }
    };
    let body = call
        .endpoint
        .with_job(&id, drain)
        .ok_or(Refusal::NoJob(id))?;
    call.answer(HttpResponse::Ok().json(body)).await
}

pub(super) async fn cancel(
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String)>,
) -> Answer {
    let (endpoint, id) = path.into_inner();
    let opening = Opening {
        endpoint: &endpoint,
        operation: Operation::Cancel,
        job: Some(&id),
    };
    let call = Call::open(&shared, &request, opening).await?;
    let Some(status) = call.endpoint.cancel(&id, &call.fired) else {
        return Err(Refusal::NoJob(id));
    };
    let answer = HttpResponse::Ok().json(JobAnswer { id: &id, status });
    call.answer(answer).await
}

pub(super) async fn retry(
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String)>,
) -> Answer {
    let (endpoint, id) = path.into_inner();
    let opening = Opening {
        endpoint: &endpoint,
        operation: Operation::Retry,
        job: Some(&id),
    };
    let call = Call::open(&shared, &request, opening).await?;
    match call.endpoint.retry(&id, Instant::now()) {
        None => Err(Refusal::NoJob(id)),
        Some(Err(status)) => Err(Refusal::Bad(format!(
            "the job is {}: only a job that is FAILED or TIMED_OUT can be tried again",
            status.name()
        ))),
        Some(Ok(())) => {
            let answer = HttpResponse::Ok().json(JobAnswer {
                id: &id,
                status: JobStatus::InQueue,
            });
            call.answer(answer).await
        }
    }
}

pub(super) async fn purge_queue(
    request: HttpRequest,
    shared: Data<Shared>,
    endpoint: Path<String>,
) -> Answer {
    let opening = Opening {
        endpoint: &endpoint,
        operation: Operation::PurgeQueue,
        job: None,
    };
    let call = Call::open(&shared, &request, opening).await?;
    let answer = HttpResponse::Ok().json(PurgeAnswer {
        removed: call.endpoint.purge(),
        status: "completed",
    });
    call.answer(answer).await
}

pub(super) async fn read_health(
    request: HttpRequest,
    shared: Data<Shared>,
    endpoint: Path<String>,
) -> Answer {
    let opening = Opening {
        endpoint: &endpoint,
        operation: Operation::Health,
        job: None,
    };
    let call = Call::open(&shared, &request, opening).await?;
    let answer = HttpResponse::Ok().json(call.endpoint.health(Instant::now()));
    call.answer(answer).await
}

/// Where a fault wants the webhook first, waits for it.
async fn wait_for_webhook(call: &Call, id: &str) {
    let first = |job: &mut Job| job.made_of.webhook_faults.has(FaultKind::Reordered);
    if call.endpoint.with_job(id, first) == Some(true) {
        let settled = || {
            call.endpoint
                .with_job(id, |job| job.webhook_settled)?
                .then_some(())
        };
        call.endpoint.wait_for(REORDERED_PATIENCE, settled).await;
    }
}

/// A status, or what a fault puts in its place.
fn status_text(job: &Job, fired: &Fired) -> String {
    if fired.has(FaultKind::Backwards) {
        job.false_status_text("IN_QUEUE", None)
    } else if fired.has(FaultKind::LateProgress) {
        job.false_status_text("IN_PROGRESS", Some(json!({ "percent": 90 })))
    } else if fired.has(FaultKind::UnknownStatus) {
        job.false_status_text("HIBERNATING", None)
    } else {
        job.status_text()
    }
}
