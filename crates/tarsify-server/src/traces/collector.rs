//! The way to the collector: one request for each batch, over the client that we have anyway, on the
//! runtime that we have anyway. It says once that the collector does not answer, and once that it
//! does again; it reads hardly anything of what the collector says.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use reqwest::{Client, redirect, retry};
use tokio::runtime::Handle;

/// How much is read of an answer. It says no more than what was not taken.
const LARGEST_ANSWER: usize = 16 * 1024;

/// Carries batches to the collector.
#[derive(Debug)]
pub(super) struct Courier {
    client: Client,
    /// Batches are put together on a thread that has no runtime.
    home: Handle,
}

impl Courier {
    pub(super) fn new(patience: Duration) -> reqwest::Result<Self> {
        Ok(Self {
            client: client(patience)?,
            home: Handle::current(),
        })
    }
}

pub(super) fn client(patience: Duration) -> reqwest::Result<Client> {
    Client::builder()
        .timeout(patience)
        // The headers that prove who we are go to nobody else.
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .user_agent(concat!("tarsify/", env!("CARGO_PKG_VERSION")))
        .build()
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = self.home.spawn(async move { send(&client, request).await });
        sending.await?
    }
}

async fn send(client: &Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let mut response = client.execute(request.try_into()?).await?;
    let answer = Response::builder().status(response.status());
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > LARGEST_ANSWER {
            // Whatever that is, the batch has been taken, or the status says that it was not.
            body.clear();
            break;
        }
        body.extend_from_slice(&piece);
    }
    Ok(answer.body(body.into())?)
}

/// Sends batches through another, and tells the log when that begins to fail, and when it works
/// again: not for each batch.
#[derive(Debug)]
pub(super) struct Telling<E> {
    exporter: E,
    is_failing: AtomicBool,
}

impl<E> Telling<E> {
    pub(super) const fn about(exporter: E) -> Self {
        Self {
            exporter,
            is_failing: AtomicBool::new(false),
        }
    }
}

impl<E: SpanExporter> SpanExporter for Telling<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.exporter.export(batch).await;
        let was_failing = self.is_failing.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(error) if !was_failing => tracing::warn!(
                %error,
                "traces do not reach their collector and are thrown away: see to traces.endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) and what listens there; it is tried again all the time"
            ),
            Ok(()) if was_failing => tracing::info!("traces reach their collector again"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
