//! What whoever watches the engine is told: each end once, and each request to the provider.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tarsify_domain::catalog::{Category, Provider};
use tarsify_domain::execution::{Ending, Operation};
use tarsify_engine::machine::Counted;
use tarsify_engine::{
    Asked, CancelError, EngineSettings, Incident, Observer, ProviderAsked, RunEnded,
};

use super::workshop::Workshop;

/// Remembers all it is told.
#[derive(Default)]
struct Watcher {
    ended: Mutex<Vec<RunEnded>>,
    asked: Mutex<Vec<ProviderAsked>>,
    happened: Mutex<Vec<Incident>>,
}

impl Observer for Watcher {
    fn run_ended(&self, ended: &RunEnded) {
        self.ended.lock().unwrap().push(*ended);
    }

    fn provider_asked(&self, asked: &ProviderAsked) {
        self.asked.lock().unwrap().push(*asked);
    }

    fn happened(&self, incident: Incident) {
        self.happened.lock().unwrap().push(incident);
    }
}

impl Watcher {
    fn endings(&self) -> Vec<Ending> {
        let ended = self.ended.lock().unwrap();
        ended.iter().map(|ended| ended.ending).collect()
    }

    /// What came of the requests for this.
    fn asked(&self, operation: Operation) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        let asked = asked.iter().filter(|one| one.operation == operation);
        asked.map(|one| one.outcome).collect()
    }
}

fn watched() -> (Workshop, Arc<Watcher>) {
    let watcher = Arc::new(Watcher::default());
    let observer: Arc<dyn Observer> = Arc::<Watcher>::clone(&watcher);
    let workshop = Workshop::watched(EngineSettings::default(), observer);
    workshop.model("echo", "echo", json!({}));
    (workshop, watcher)
}

#[tokio::test]
async fn a_run_is_told_when_it_has_ended_and_with_what_it_waited() {
    let (workshop, watcher) = watched();
    workshop.behave("echo", json!({"runMs": 50}));
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    let run = workshop.see_through(scope, id).await.summary;
    let ended = watcher.ended.lock().unwrap().clone();
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(
        (ended[0].category, ended[0].ending),
        (Category::Text, Ending::Completed)
    );
    let (waited, took) = (ended[0].waited.unwrap(), ended[0].took);
    assert!(waited <= took, "{ended:?}");
    let stored = Duration::try_from(run.completed_at.unwrap() - run.created_at).unwrap();
    assert!(
        took.abs_diff(stored) < Duration::from_secs(5),
        "{took:?} {stored:?}"
    );
    let submitted = workshop.emulator.counts("echo").of("run");
    assert_eq!(submitted, 1);
    assert_eq!(watcher.asked(Operation::Run), [Asked::Answered]);
    let looked = workshop.emulator.counts("echo").of("status");
    let told = u64::try_from(watcher.asked(Operation::Status).len()).unwrap();
    assert_eq!(told, looked);
    assert_eq!(watcher.happened.lock().unwrap().clone(), []);
    workshop.close().await;
}

#[tokio::test]
async fn what_is_called_off_before_anybody_was_asked_is_told_once() {
    let (workshop, watcher) = watched();
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    workshop.engine.cancel(scope, id).await.unwrap();
    for _ in 0..2 {
        let again = workshop.engine.cancel(scope, id).await;
        assert!(matches!(again, Err(CancelError::TooLate(_))), "{again:?}");
    }
    workshop.engine.submit_due().await.unwrap();
    workshop.engine.look_due().await.unwrap();
    let ended = watcher.ended.lock().unwrap().clone();
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(
        (ended[0].category, ended[0].ending),
        (Category::Text, Ending::Cancelled)
    );
    assert_eq!(ended[0].waited, None, "its model never began");
    assert!(watcher.asked.lock().unwrap().is_empty());
    workshop.close().await;
}

#[tokio::test]
async fn what_is_called_off_at_the_provider_is_told_once() {
    let (workshop, watcher) = watched();
    workshop.behave("echo", json!({"runMs": 60_000}));
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    workshop.engine.submit_due().await.unwrap();
    let _requested = workshop.engine.cancel(scope, id).await.unwrap();
    workshop.see_through(scope, id).await;
    assert_eq!(watcher.endings(), [Ending::Cancelled]);
    assert_eq!(watcher.asked(Operation::Cancel), [Asked::Answered]);
    workshop.close().await;
}

#[tokio::test]
async fn every_request_is_told_with_what_came_of_it() {
    for (fault, expected) in [
        ("rate_limited", Asked::TooMany),
        ("unavailable", Asked::Failed),
        ("bad_gateway", Asked::Failed),
    ] {
        let (workshop, watcher) = watched();
        let once = json!({"when": "run", "kind": fault, "times": 1});
        workshop.behave("echo", json!({"faults": [once]}));
        let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
        workshop.see_through(scope, id).await;
        let asked = watcher.asked(Operation::Run);
        assert_eq!(asked[0], expected, "{fault}");
        let sent = usize::try_from(workshop.emulator.counts("echo").of("run")).unwrap();
        assert_eq!(
            asked.len(),
            sent,
            "{fault}: what was kept back is no request"
        );
        let lost = Incident {
            provider: Provider::RunPod,
            what: Counted::LostAnswer,
        };
        let happened = watcher.happened.lock().unwrap().contains(&lost);
        assert_eq!(happened, fault == "bad_gateway", "{fault}");
        workshop.close().await;
    }
}

#[tokio::test]
async fn an_endpoint_that_will_not_have_us_is_asked_once_and_its_circuit_is_told() {
    let (workshop, watcher) = watched();
    let refused = json!({"when": "run", "kind": "http_status", "status": 401});
    workshop.behave("echo", json!({"faults": [refused]}));
    workshop.submit("echo", json!({"prompt": "x"})).await;
    for _ in 0..3 {
        workshop.engine.submit_due().await.unwrap();
        workshop.clock.advance(time::Duration::seconds(5));
    }
    assert_eq!(watcher.asked(Operation::Run), [Asked::Refused]);
    let circuits = workshop.engine.circuits();
    assert_eq!(circuits.len(), 1);
    assert_eq!((circuits[0].0, circuits[0].1.open), (Provider::RunPod, 1));
    workshop.close().await;
}
