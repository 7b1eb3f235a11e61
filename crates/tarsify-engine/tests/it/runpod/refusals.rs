//! What a provider that is not there, will not have us, or is none at all is taken for.

use std::net::TcpListener;
use std::time::Duration;

use tarsify_domain::execution::{Operation, ProviderJobId};
use tarsify_emulator::{EmulatorSettings, Fault, FaultKind, When};
use tarsify_engine::provider::{
    GpuProvider, LookAnswer, RunPod, RunPodSettings, StopAnswer, SubmitAnswer,
};

use super::support::{Impostor, Lab, allowance, client_at, fault, job, place, submit};

const SECOND: Duration = Duration::from_secs(1);

fn with_key(key: &str) -> RunPodSettings {
    RunPodSettings {
        api_key: Some(key.to_owned()),
        ..RunPodSettings::default()
    }
}

#[tokio::test]
async fn a_wrong_key_opens_the_circuit() {
    let lab = Lab::start(EmulatorSettings {
        api_key: Some("right".to_owned()),
        ..EmulatorSettings::default()
    });
    job(&lab.client_with(with_key("right")), &lab.place).await;
    assert_eq!((lab.count("run"), lab.jobs()), (1, 1));

    let client = lab.client_with(with_key("rpa_WRONG"));
    assert!(!format!("{client:?}").contains("WRONG"));
    for http_status in [Some(401), None] {
        let told = submit(&client, &lab.place).await;
        assert_eq!(told.http_status, http_status, "{told:?}");
        let SubmitAnswer::Undone {
            retry_after: Some(wait),
        } = told.answer
        else {
            panic!("{told:?}");
        };
        assert!(wait > SECOND * 8 && wait <= SECOND * 10, "{wait:?}");
        assert_eq!(allowance(&client, &lab.place, Operation::Run), 0);
    }
    let known = ProviderJobId::parse("6f-u1").unwrap();
    let told = client.look(&lab.place, &known).await;
    assert!(matches!(told.answer, LookAnswer::Unavailable { .. }));
    assert_eq!(allowance(&client, &lab.place, Operation::Status), 0);
    let told = client.stop(&lab.place, &known).await;
    assert_eq!(told.answer, StopAnswer::Unavailable);
    assert_eq!(allowance(&client, &lab.place, Operation::Cancel), 0);
    lab.end().await;
}

#[tokio::test]
async fn an_unknown_endpoint_is_the_operators_to_mend() {
    let lab = Lab::quick();
    let client = lab.client();
    lab.spoil(Fault {
        status: Some(404),
        ..fault(When::Run, FaultKind::HttpStatus)
    });
    let told = submit(&client, &lab.place).await;
    assert!(matches!(told.answer, SubmitAnswer::Undone { .. }));
    assert_eq!(allowance(&client, &lab.place, Operation::Run), 0);
    lab.end().await;
}

#[tokio::test]
async fn a_refused_payload_is_refused_at_once_and_harms_nobody_else() {
    for status in [400, 413, 422] {
        let lab = Lab::quick();
        let client = lab.client();
        lab.spoil(Fault {
            status: Some(status),
            ..fault(When::Run, FaultKind::HttpStatus)
        });
        for _ in 0..6 {
            let told = submit(&client, &lab.place).await;
            assert_eq!(told.answer, SubmitAnswer::Refused, "{status}");
        }
        assert_eq!(lab.count("run"), 6);
        assert!(allowance(&client, &lab.place, Operation::Run) > 0);
        lab.end().await;
    }
}

fn nobody() -> RunPod {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    client_at(listener.local_addr().unwrap(), RunPodSettings::default())
}

#[tokio::test]
async fn a_refused_connection_is_tried_three_times_and_opens_the_circuit_after_five() {
    let (client, place) = (nobody(), place());
    let told = submit(&client, &place).await;
    assert!(matches!(told.answer, SubmitAnswer::Undone { .. }));
    assert_eq!(told.said, "no connection could be made (3 tries)");
    assert_eq!(told.http_status, None);
    let told = submit(&client, &place).await;
    assert_eq!(told.said, "no connection could be made (2 tries)");
    assert_eq!(allowance(&client, &place, Operation::Run), 0);
    let told = submit(&client, &place).await;
    assert_eq!(told.said, "not asked: the endpoint's circuit is open");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_no_connection() {
    let client = RunPod::with_settings(RunPodSettings {
        base_url: "http://no-such-host.invalid/v2".to_owned(),
        ..RunPodSettings::default()
    })
    .unwrap();
    let told = submit(&client, &place()).await;
    assert!(
        matches!(told.answer, SubmitAnswer::Undone { .. }),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_no_connection() {
    let impostor = Impostor::saying(b"HTTP/1.1 400 no\r\ncontent-length: 0\r\n\r\n").await;
    let client = RunPod::with_settings(RunPodSettings {
        base_url: format!("https://{}/v2", impostor.address),
        ..RunPodSettings::default()
    })
    .unwrap();
    let told = submit(&client, &place()).await;
    assert!(
        matches!(told.answer, SubmitAnswer::Undone { .. }),
        "{told:?}"
    );
    assert!(told.said.ends_with("(3 tries)"), "{}", told.said);
}

#[tokio::test]
async fn answers_that_are_no_http_or_end_too_early_are_lost() {
    let html =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>";
    let short = b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"id\":\"6f-u1\"}";
    let moved = b"HTTP/1.1 302 x\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    for (answer, why, is_lost, look) in [
        (&html[..], "a page", true, LookAnswer::Unreadable),
        (&short[..], "cut off", true, unavailable()),
        (&b"SSH-2.0-x\r\n"[..], "no HTTP", true, unavailable()),
        (&moved[..], "moved", false, unavailable()),
    ] {
        let impostor = Impostor::saying(answer).await;
        let client = client_at(impostor.address, RunPodSettings::default());
        let told = submit(&client, &place()).await;
        assert_eq!(
            told.answer == SubmitAnswer::Lost,
            is_lost,
            "{why}: {told:?}"
        );
        let known = ProviderJobId::parse("6f-u1").unwrap();
        let told = client.look(&place(), &known).await;
        assert_eq!(told.answer, look, "{why}");
    }
}

fn unavailable() -> LookAnswer {
    LookAnswer::Unavailable { retry_after: None }
}

#[tokio::test]
async fn settings_that_lead_nowhere_are_refused() {
    assert!(RunPod::new("rpa_key").is_ok());
    let error = RunPod::new("a key").unwrap_err().to_string();
    assert!(error.contains("copy it"), "{error}");
    let open = RunPod::with_settings(RunPodSettings {
        base_url: "http://api.runpod.ai/v2".to_owned(),
        ..with_key("rpa_key")
    });
    assert!(open.unwrap_err().to_string().contains("https"));
}
