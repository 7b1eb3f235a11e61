//! The GPUs of a test: an emulator of RunPod, asked and told over HTTP like a stranger's.

use std::net::TcpListener;
use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use tarsify_emulator::{Emulator, EmulatorSettings, TimeScale};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// An emulator. It ends when it is dropped.
pub(crate) struct Gpus {
    address: String,
    client: Client,
    _server: JoinSet<std::io::Result<()>>,
}

impl Gpus {
    /// One whose jobs take no time unless an endpoint is told otherwise.
    pub(crate) fn start() -> Self {
        let emulator = Emulator::new(EmulatorSettings {
            time: TimeScale::Zero,
            webhook_retry_pause: Duration::from_millis(500),
            webhook_timeout: Duration::from_secs(5),
            ..EmulatorSettings::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(emulator.unwrap().run(listener, CancellationToken::new()));
        Self {
            address,
            // A silent connection may be closed just as the next word leaves on it.
            client: Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            _server: server,
        }
    }

    /// What `RUNPOD_BASE_URL` is set to.
    pub(crate) fn base_url(&self) -> String {
        format!("{}/v2", self.address)
    }

    /// Has an endpoint behave so from now on.
    pub(crate) async fn behave(&self, endpoint: &str, behaviour: Value) {
        let told = self.client.put(self.endpoint(endpoint)).json(&behaviour);
        let answer = told.send().await.unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{}", answer.text().await.unwrap());
    }

    /// How often something happened at an endpoint, such as `run`.
    pub(crate) async fn count(&self, endpoint: &str, what: &str) -> u64 {
        self.counts(endpoint).await[what].as_u64().unwrap_or(0)
    }

    pub(crate) async fn counts(&self, endpoint: &str) -> Value {
        let asked = self.client.get(self.endpoint(endpoint)).send().await;
        let view: Value = asked.unwrap().json().await.unwrap();
        view["counts"].clone()
    }

    /// How many jobs an endpoint was given, but for those that were called off; calls that it refused
    /// made none.
    pub(crate) async fn given(&self, endpoint: &str) -> u64 {
        let asked = self.client.get(self.endpoint(endpoint)).send().await;
        let view: Value = asked.unwrap().json().await.unwrap();
        let jobs = |what: &str| view["jobs"][what].as_u64().unwrap();
        jobs("completed") + jobs("failed") + jobs("inProgress") + jobs("inQueue")
    }

    /// How many jobs an endpoint has that have not ended.
    pub(crate) async fn jobs(&self, endpoint: &str) -> u64 {
        let asked = self.client.get(self.endpoint(endpoint)).send().await;
        let view: Value = asked.unwrap().json().await.unwrap();
        let jobs = |what: &str| view["jobs"][what].as_u64().unwrap();
        jobs("inProgress") + jobs("inQueue")
    }

    /// Takes a job of an endpoint that only workers from outside serve; none while there is none.
    pub(crate) async fn take(&self, endpoint: &str) -> Option<String> {
        let path = format!(
            "{}/{endpoint}/job-take/w1?job_in_progress=0",
            self.base_url()
        );
        let answer = self.client.get(path).send().await.unwrap();
        let job: Value = answer.json().await.ok()?;
        job["id"].as_str().map(str::to_owned)
    }

    /// Says of a job, as the worker that took it, that there is this: with `job-stream` a part of
    /// its output, with `job-done` all of it.
    pub(crate) async fn report(&self, endpoint: &str, call: &str, job: &str, output: Value) {
        let path = format!("{}/{endpoint}/{call}/w1/{job}?gpu=x", self.base_url());
        let report = serde_json::json!({ "output": output });
        let answer = self.client.post(path).json(&report).send().await.unwrap();
        assert!(answer.status().is_success(), "{call}: {}", answer.status());
    }

    fn endpoint(&self, id: &str) -> String {
        format!("{}/emulator/endpoints/{id}", self.address)
    }
}
