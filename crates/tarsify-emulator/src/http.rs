//! The emulator over HTTP: `/v2/{endpoint}/…` for clients and workers, `/emulator/…` for whoever
//! tests with it.

mod answer;
mod body;
mod call;
mod client;
mod control;
mod refusal;
mod submission;
mod worker;

use actix_web::HttpRequest;
use actix_web::web::{self, ServiceConfig};

use refusal::Refusal;

/// Every route there is.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let own = web::scope("/emulator")
        .route(
            "/endpoints/{endpoint}",
            web::get().to(control::show_endpoint),
        )
        .route(
            "/endpoints/{endpoint}",
            web::put().to(control::set_endpoint),
        )
        .default_service(web::to(nothing_here));
    let emulated = web::scope("/v2/{endpoint}")
        .route("/run", web::post().to(client::run))
        .route("/runsync", web::post().to(client::runsync))
        .route("/status/{job}", web::get().to(client::read_status))
        .route("/status/{job}", web::post().to(client::read_status))
        .route("/stream/{job}", web::get().to(client::read_stream))
        .route("/stream/{job}", web::post().to(client::read_stream))
        .route("/cancel/{job}", web::post().to(client::cancel))
        .route("/retry/{job}", web::post().to(client::retry))
        .route("/purge-queue", web::post().to(client::purge_queue))
        .route("/health", web::get().to(client::read_health))
        .route("/job-take/{worker}", web::get().to(worker::take_job))
        .route("/job-take-batch/{worker}", web::get().to(worker::take_jobs))
        .route(
            "/job-done/{worker}/{job}",
            web::post().to(worker::report_done),
        )
        .route(
            "/job-stream/{worker}/{job}",
            web::post().to(worker::report_chunk),
        )
        .route("/job-stop/{worker}", web::get().to(worker::list_stops))
        .route("/ping/{worker}", web::get().to(worker::ping))
        .default_service(web::to(nothing_here));
    config.service(own).service(emulated);
}

async fn nothing_here(request: HttpRequest) -> Result<&'static str, Refusal> {
    Err(Refusal::NoRoute(
        request.method().to_string(),
        request.path().to_owned(),
    ))
}
