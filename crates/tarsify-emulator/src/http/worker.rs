//! What official workers call. Their bodies are JSON whatever the content type says, and their key
//! comes without `Bearer`.

use std::sync::Arc;

use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::body;
use super::call::authorise_worker;
use super::refusal::Refusal;
use crate::emulator::Shared;
use crate::endpoint::{Endpoint, Report};
use crate::job::Ending;

/// The largest batch that is handed out.
const LARGEST_BATCH: usize = 100;
/// A result may be twice as large as any that is kept, so that dropping it can be tried.
const LARGEST_RESULT: usize = 40 * 1024 * 1024;
const LARGEST_CHUNK: usize = 1024 * 1024;

#[derive(Deserialize)]
pub(super) struct Batch {
    batch_size: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct Heartbeat {
    job_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stops {
    jobs_to_stop: Vec<String>,
}

#[derive(Serialize)]
struct Noted {
    status: &'static str,
}

type Answer = Result<HttpResponse, Refusal>;

/// Waits for a job, and answers with it or with nothing.
pub(super) async fn take_job(
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String)>,
) -> Answer {
    let mut taken = take(&request, &shared, &path, 1).await?;
    Ok(match taken.pop() {
        Some(job) => HttpResponse::Ok().json(job),
        None => HttpResponse::NoContent().finish(),
    })
}

/// Waits for a job, and answers with all there are by then, up to the size of the batch.
pub(super) async fn take_jobs(
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String)>,
    query: Query<Batch>,
) -> Answer {
    let most = query.batch_size.unwrap_or(1).clamp(1, LARGEST_BATCH);
    let taken = take(&request, &shared, &path, most).await?;
    Ok(if taken.is_empty() {
        HttpResponse::NoContent().finish()
    } else {
        HttpResponse::Ok().json(taken)
    })
}

/// A result, or with `"status": "IN_PROGRESS"` a progress value.
pub(super) async fn report_done(
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String, String)>,
    payload: Payload,
) -> Answer {
    let (endpoint, worker, job) = path.into_inner();
    let endpoint = enter(&request, &shared, (&endpoint, "jobDone"))?;
    let bytes = body::bytes(payload, LARGEST_RESULT).await?;
    let report = report(body::object(&bytes)?);
    Ok(noted(endpoint.hear(&worker, &job, report)))
}

/// A part of the output.
pub(super) async fn report_chunk(
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String, String)>,
    payload: Payload,
) -> Answer {
    let (endpoint, worker, job) = path.into_inner();
    let endpoint = enter(&request, &shared, (&endpoint, "jobStream"))?;
    let bytes = body::bytes(payload, LARGEST_CHUNK).await?;
    let mut fields = body::object(&bytes)?;
    let chunk = fields.remove("output").unwrap_or(Value::Object(fields));
    Ok(noted(endpoint.hear(&worker, &job, Report::Chunk(chunk))))
}

/// Waits until a job of the worker is to be stopped.
pub(super) async fn list_stops(
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String)>,
) -> Answer {
    let (endpoint, worker) = path.into_inner();
    let endpoint = enter(&request, &shared, (&endpoint, "jobStop"))?;
    let look = || Some(endpoint.to_stop(&worker, Instant::now())).filter(|stops| !stops.is_empty());
    let found = endpoint
        .wait_for(shared.around.settings.long_poll, look)
        .await;
    Ok(match found {
        Some(jobs_to_stop) => HttpResponse::Ok().json(Stops { jobs_to_stop }),
        None => HttpResponse::NoContent().finish(),
    })
}

/// A sign of life, with the jobs the worker has.
pub(super) async fn ping(
    request: HttpRequest,
    shared: Data<Shared>,
    path: Path<(String, String)>,
    query: Query<Heartbeat>,
) -> Answer {
    let (endpoint, worker) = path.into_inner();
    let endpoint = enter(&request, &shared, (&endpoint, "ping"))?;
    let jobs = query.job_id.as_deref().unwrap_or_default();
    let jobs = jobs.split(',').map(str::trim).filter(|job| !job.is_empty());
    endpoint.ping(&worker, jobs, Instant::now());
    Ok(noted(true))
}

async fn take(
    request: &HttpRequest,
    shared: &Shared,
    path: &(String, String),
    most: usize,
) -> Result<Vec<crate::job::JobBody>, Refusal> {
    let (endpoint, worker) = path;
    let endpoint = enter(request, shared, (endpoint, "jobTake"))?;
    let look = || Some(endpoint.take(worker, most, Instant::now())).filter(|jobs| !jobs.is_empty());
    let taken = endpoint
        .wait_for(shared.around.settings.long_poll, look)
        .await;
    Ok(taken.unwrap_or_default())
}

fn enter(
    request: &HttpRequest,
    shared: &Shared,
    (endpoint, count): (&str, &'static str),
) -> Result<Arc<Endpoint>, Refusal> {
    authorise_worker(shared, request.headers())?;
    let endpoint = shared.endpoint(endpoint).map_err(Refusal::Behaviour)?;
    endpoint.count(count);
    Ok(endpoint)
}

fn report(mut fields: Map<String, Value>) -> Report {
    let output = fields.remove("output");
    if fields.get("status").and_then(Value::as_str) == Some("IN_PROGRESS") {
        return Report::Progress(output.unwrap_or_default());
    }
    match fields.remove("error") {
        Some(error) if !error.is_null() => Report::Done(Ending::Failed(error)),
        _ => Report::Done(Ending::Completed(output)),
    }
}

/// What is said of a job that has ended, or is gone, changes nothing; the worker need not know.
fn noted(heard: bool) -> HttpResponse {
    HttpResponse::Ok().json(Noted {
        status: if heard { "ok" } else { "ignored" },
    })
}
