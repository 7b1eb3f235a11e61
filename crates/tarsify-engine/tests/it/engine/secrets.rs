//! What a developer keeps to himself comes back in nothing that a consumer can read.

use serde_json::{Value, json};
use tarsify_domain::execution::Execution;

use super::workshop::Workshop;

const CANARIES: [&str; 4] = [
    "PREFIX-CANARY",
    "SUFFIX-CANARY",
    "SECRET-CANARY",
    "LOCKED-CANARY",
];

fn readable(execution: &Execution, events: &str) -> String {
    format!("{execution:?} {events}")
}

async fn run(faults: Value) {
    let workshop = Workshop::open();
    workshop.model(
        "echo",
        "echo",
        json!({
            "promptPrefix": "PREFIX-CANARY say: ",
            "promptSuffix": " SUFFIX-CANARY",
            "secretInputs": {"negative": "SECRET-CANARY", "sampler": {"deep": ["SECRET-CANARY"]}},
            "lockedInputs": {"style": "LOCKED-CANARY"},
            "hiddenFields": ["style"],
        }),
    );
    workshop.behave("echo", json!({"progressSteps": 3, "faults": faults}));
    let (scope, id) = workshop.submit("echo", json!({"prompt": "a sunset"})).await;
    let ended = workshop.see_through(scope, id).await;
    let events = format!("{:?}", workshop.store.events(id));
    let report = format!("{:?}", workshop.engine.report(id).await.unwrap());
    let read = readable(&ended, &events);
    for canary in CANARIES {
        assert!(!read.contains(canary), "{faults}: {read}");
        assert!(!report.contains(canary), "{faults}: {report}");
    }
    workshop.close().await;
}

#[tokio::test]
async fn an_echoing_provider_tells_nothing() {
    run(json!([])).await;
    for kind in ["echo_input", "echo_in_error"] {
        run(json!([{"when": "output", "kind": kind}])).await;
    }
}
