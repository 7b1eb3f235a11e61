//! Setting and reading behaviour while the emulator runs.

use reqwest::Method;
use serde_json::json;
use tarsify_emulator::{Behaviour, Emulator, EmulatorSettings, Fault, FaultKind, Script, When};

use crate::support::{Lab, quick, read};

#[tokio::test]
async fn what_was_set_is_read_with_the_counts() {
    let lab = Lab::quick();
    let behaviour = json!({ "queueMs": 1, "runMs": 2, "faults": [{ "when": "status", "kind": "delay", "ms": 1 }] });
    lab.behave("echo", &behaviour).await;
    lab.post("/v2/echo/runsync", &json!({ "input": { "a": 1 } }))
        .await;
    let id = lab.run("echo", &json!({ "input": { "a": 1 } })).await;
    lab.get(&format!("/v2/echo/status/{id}")).await;
    lab.post(&format!("/v2/echo/cancel/{id}"), &json!({})).await;
    lab.get(&format!("/v2/echo/stream/{id}")).await;
    lab.get("/v2/echo/health").await;
    let (status, view) = lab.get("/emulator/endpoints/echo").await;
    assert_eq!(
        (status, &view["worker"], &view["behaviour"]),
        (200, &json!("echo"), &behaviour)
    );
    assert_eq!(
        view["counts"],
        json!({ "cancel": 1, "faults": 1, "health": 1, "run": 1, "runsync": 1, "status": 1, "stream": 1 })
    );
    assert!(view["storedBytes"].as_u64().unwrap() > 0);
    assert_eq!(lab.emulator.counts("echo").of("run"), 1);
    assert_eq!(lab.emulator.counts("nobody").of("run"), 0);
    lab.end().await;
}

#[tokio::test]
async fn what_cannot_be_set_is_explained() {
    let lab = Lab::quick();
    for (behaviour, part) in [
        (r#"{"runms": 5}"#, "runms"),
        (r#"{"faults": [{"when": "run", "kind": "boom"}]}"#, "boom"),
        (
            r#"{"faults": [{"when": "webhook", "kind": "stuck"}]}"#,
            "`run`",
        ),
        (
            r#"{"faults": [{"when": "run", "kind": "stuck", "probability": 2}]}"#,
            "from 0 to 1",
        ),
        ("", "behaviour"),
    ] {
        let request = lab
            .request(Method::PUT, "/emulator/endpoints/echo")
            .body(behaviour);
        let (status, body) = read(request.send().await.unwrap()).await;
        assert_eq!(status, 400, "{behaviour}");
        assert!(body["error"].as_str().unwrap().contains(part), "{body}");
    }
    let request = lab
        .request(Method::POST, "/v2/echo/run")
        .header("X-Emulator-Fault", "run=boom");
    let (status, body) = read(
        request
            .json(&json!({ "input": { "a": 1 } }))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(status, 400);
    assert!(
        body["error"].as_str().unwrap().contains("when=kind"),
        "{body}"
    );
    lab.end().await;
}

#[tokio::test]
async fn a_script_and_the_handle_set_behaviour_too() {
    let script = Script::parse(
        r#"{"echo": {"faults": [{"when": "run", "kind": "internal_error", "times": 1}]}}"#,
    )
    .unwrap();
    let lab = Lab::start(EmulatorSettings {
        script: Some(script),
        ..quick()
    });
    let body = json!({ "input": { "a": 1 } });
    assert_eq!(lab.post("/v2/echo/run", &body).await.0, 500);
    assert_eq!(lab.post("/v2/echo/run", &body).await.0, 200);
    let behaviour = Behaviour {
        faults: vec![Fault::new(When::Run, FaultKind::BadGateway).times(1)],
        ..Behaviour::default()
    };
    lab.emulator
        .set_behaviour("echo", behaviour.clone())
        .unwrap();
    assert_eq!(lab.emulator.behaviour("echo"), behaviour);
    assert_eq!(lab.post("/v2/echo/run", &body).await.0, 502);
    lab.end().await;
}

#[test]
fn a_behaviour_is_set_without_a_runtime() {
    let emulator = Emulator::new(quick()).unwrap();
    let faults = vec![Fault::new(When::Run, FaultKind::Delay).lasting_ms(5)];
    emulator
        .set_behaviour(
            "demo-tts",
            Behaviour {
                faults,
                ..Behaviour::default()
            },
        )
        .unwrap();
    assert!(
        emulator
            .set_behaviour("no endpoint", Behaviour::default())
            .is_err()
    );
    let bad = Behaviour {
        faults: vec![Fault::new(When::Output, FaultKind::Stall)],
        ..Behaviour::default()
    };
    assert!(emulator.set_behaviour("demo-tts", bad.clone()).is_err());
    let script = Script {
        endpoints: [("x".to_owned(), bad)].into(),
    };
    assert!(
        Emulator::new(EmulatorSettings {
            script: Some(script),
            ..quick()
        })
        .is_err()
    );
}
