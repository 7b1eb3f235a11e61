//! An emulator on a port of its own, a client for it, and servers that misbehave as no emulator
//! does.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tarsify_domain::Timestamp;
use tarsify_domain::catalog::Provider;
use tarsify_domain::catalog::endpoint::{EndpointLimits, ProviderEndpointId};
use tarsify_domain::execution::{JobPlace, Operation, ProviderJobId};
use tarsify_domain::id::EndpointId;
use tarsify_emulator::{Behaviour, Emulator, EmulatorSettings, Fault, FaultKind, TimeScale, When};
use tarsify_engine::provider::{
    GpuProvider, JobView, LookAnswer, RunPod, RunPodSettings, Submission, SubmitAnswer, Told,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Lab {
    pub(super) emulator: Emulator,
    pub(super) place: JobPlace,
    address: SocketAddr,
    stop: CancellationToken,
    server: JoinSet<std::io::Result<()>>,
}

impl Lab {
    pub(super) fn quick() -> Self {
        Self::start(EmulatorSettings::default())
    }

    pub(super) fn start(settings: EmulatorSettings) -> Self {
        let settings = EmulatorSettings {
            time: TimeScale::Zero,
            webhook_retry_pause: Duration::from_millis(10),
            ..settings
        };
        let emulator = Emulator::new(settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let mut server = JoinSet::new();
        server.spawn(emulator.clone().run(listener, stop.clone()));
        Self {
            emulator,
            place: place(),
            address,
            stop,
            server,
        }
    }

    pub(super) fn client(&self) -> RunPod {
        self.client_with(RunPodSettings::default())
    }

    pub(super) fn client_with(&self, settings: RunPodSettings) -> RunPod {
        client_at(self.address, settings)
    }

    /// Sets the one thing that goes wrong from now on.
    pub(super) fn spoil(&self, fault: Fault) {
        let faults = vec![fault];
        self.behave(Behaviour {
            faults,
            ..Behaviour::default()
        });
    }

    pub(super) fn behave(&self, behaviour: Behaviour) {
        self.emulator.set_behaviour("echo", behaviour).unwrap();
    }

    pub(super) fn count(&self, call: &str) -> u64 {
        self.emulator.counts("echo").of(call)
    }

    pub(super) fn jobs(&self) -> usize {
        self.emulator.statuses("echo").len()
    }

    /// Waits until the job is so without looking at it over the wire.
    pub(super) async fn until_kept_as(&self, job: &ProviderJobId, wanted: &str) {
        let look = async {
            loop {
                let statuses = self.emulator.statuses("echo");
                if statuses.get(job.as_str()).map(String::as_str) == Some(wanted) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let seen = tokio::time::timeout(PATIENCE, look).await;
        seen.unwrap_or_else(|_| panic!("the job never is {wanted}"));
    }

    pub(super) async fn end(mut self) {
        self.stop.cancel();
        self.server.join_next().await.unwrap().unwrap().unwrap();
    }
}

pub(super) fn client_at(address: SocketAddr, settings: RunPodSettings) -> RunPod {
    let base_url = format!("http://{address}/v2");
    RunPod::with_settings(RunPodSettings {
        base_url,
        ..settings
    })
    .unwrap()
}

pub(super) fn place() -> JobPlace {
    JobPlace {
        endpoint_id: EndpointId::new(Timestamp::UNIX_EPOCH),
        provider: Provider::RunPod,
        provider_endpoint_id: ProviderEndpointId::parse("echo").unwrap(),
        timeout: Duration::from_secs(600),
        limits: EndpointLimits::default(),
    }
}

pub(super) fn payload() -> Map<String, Value> {
    json!({ "prompt": "a secret wish" })
        .as_object()
        .unwrap()
        .clone()
}

pub(super) fn fault(when: When, kind: FaultKind) -> Fault {
    Fault::new(when, kind)
}

pub(super) async fn submit(client: &RunPod, place: &JobPlace) -> Told<SubmitAnswer> {
    submit_with(client, place, None).await
}

pub(super) async fn submit_with(
    client: &RunPod,
    place: &JobPlace,
    callback: Option<&str>,
) -> Told<SubmitAnswer> {
    let payload = payload();
    let submission = Submission {
        place,
        payload: &payload,
        callback,
        time_to_live: Duration::from_secs(1_200),
    };
    let told = client.submit(submission).await;
    assert!(told.took < Duration::from_secs(20), "{told:?}");
    told
}

/// Submits what has to be accepted.
pub(super) async fn job(client: &RunPod, place: &JobPlace) -> ProviderJobId {
    let told = submit(client, place).await;
    let SubmitAnswer::Accepted(job) = told.answer else {
        panic!("not accepted: {told:?}");
    };
    job
}

pub(super) fn seen(told: Told<LookAnswer>) -> JobView {
    match told.answer {
        LookAnswer::Seen(view) => view,
        _ => panic!("not seen: {told:?}"),
    }
}

pub(super) fn allowance(client: &RunPod, place: &JobPlace, operation: Operation) -> u32 {
    let allowances = client.allowances(operation);
    let found = allowances.iter().find(|(id, _)| *id == place.endpoint_id);
    found.map_or(client.burst(operation), |(_, allowance)| *allowance)
}

/// Answers every connection with these bytes and closes it; with none, only listens.
pub(super) struct Impostor {
    pub(super) address: SocketAddr,
    _server: JoinSet<()>,
}

impl Impostor {
    pub(super) async fn saying(answer: &'static [u8]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut silent = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if answer.is_empty() {
                    silent.push(stream);
                    continue;
                }
                let mut request = [0; 8_192];
                let _read = stream.read(&mut request).await.unwrap();
                stream.write_all(answer).await.ok();
            }
        });
        Self {
            address,
            _server: server,
        }
    }
}
