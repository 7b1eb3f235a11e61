//! Time, rates and sizes: what the client takes and what it asks for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tarsify_domain::catalog::endpoint::EndpointLimits;
use tarsify_domain::execution::{JobPlace, Operation, ProviderJobId};
use tarsify_emulator::{Fault, FaultKind, When};
use tarsify_engine::provider::{
    Budget, Budgets, GpuProvider, LookAnswer, RunPodSettings, SubmitAnswer,
};
use tokio::task::JoinSet;

use super::support::{Impostor, Lab, allowance, client_at, fault, job, place, submit};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn many_looks_stay_within_the_budget() {
    let lab = Lab::quick();
    let client = Arc::new(lab.client());
    let job = job(&client, &lab.place).await;
    let begun = Instant::now();
    let mut looks = JoinSet::new();
    for _ in 0..200 {
        let (client, place, job) = (Arc::clone(&client), lab.place.clone(), job.clone());
        looks.spawn(async move {
            let mut seen = 0;
            while begun.elapsed() < SECOND * 2 {
                let told = client.look(&place, &job).await;
                match told.answer {
                    LookAnswer::Seen(_) => seen += 1,
                    LookAnswer::Unavailable {
                        retry_after: Some(wait),
                    } => {
                        assert_eq!(told.http_status, None);
                        tokio::time::sleep(wait.max(Duration::from_millis(5))).await;
                    }
                    other => panic!("{other:?}"),
                }
            }
            seen
        });
    }
    let seen: u64 = looks.join_all().await.iter().sum();
    let seconds = begun.elapsed().as_secs() + 1;
    assert_eq!(lab.count("status"), seen, "none is sent in vain");
    assert!(seen <= 10 + 40 * seconds, "{seen} in {seconds} s");
    assert!(seen >= 60, "only {seen}");
    lab.end().await;
}

#[tokio::test]
async fn the_allowance_tells_what_is_left() {
    let lab = Lab::quick();
    let client = lab.client_with(RunPodSettings {
        budgets: Budgets {
            run: Budget {
                per_second: 1,
                burst: 3,
                at_once: 10,
            },
            ..Budgets::default()
        },
        ..RunPodSettings::default()
    });
    assert_eq!(client.burst(Operation::Run), 3);
    assert!(client.allowances(Operation::Run).is_empty());
    for left in [2, 1, 0] {
        job(&client, &lab.place).await;
        assert_eq!(allowance(&client, &lab.place, Operation::Run), left);
    }
    let told = submit(&client, &lab.place).await;
    let SubmitAnswer::Undone {
        retry_after: Some(wait),
    } = told.answer
    else {
        panic!("{told:?}");
    };
    assert!(wait <= SECOND, "{wait:?}");
    assert_eq!(lab.count("run"), 3);
    lab.end().await;
}

#[tokio::test]
async fn a_wish_for_patience_is_waited_for_when_there_is_time() {
    let lab = Lab::quick();
    let client = lab.client();
    let busy = fault(When::Run, FaultKind::RateLimited);
    lab.spoil(Fault {
        retry_after_seconds: Some(2),
        ..busy.clone().times(1)
    });
    let begun = Instant::now();
    job(&client, &lab.place).await;
    assert_eq!(lab.count("run"), 2);
    assert!(begun.elapsed() >= SECOND * 2);

    lab.spoil(Fault {
        retry_after_seconds: Some(30),
        ..busy
    });
    let told = submit(&client, &lab.place).await;
    let SubmitAnswer::Undone {
        retry_after: Some(wait),
    } = told.answer
    else {
        panic!("{told:?}");
    };
    assert!(wait >= SECOND * 29, "{wait:?}");
    assert!(told.took < SECOND * 5, "{told:?}");
    assert_eq!(lab.count("run"), 3);
    assert_eq!(allowance(&client, &lab.place, Operation::Run), 0);
    lab.end().await;
}

#[tokio::test]
async fn repeated_lost_answers_open_the_circuit() {
    let lab = Lab::quick();
    let client = lab.client();
    lab.spoil(fault(When::Run, FaultKind::BadGateway));
    for _ in 0..5 {
        let told = submit(&client, &lab.place).await;
        assert_eq!(told.answer, SubmitAnswer::Lost);
    }
    let told = submit(&client, &lab.place).await;
    assert!(matches!(told.answer, SubmitAnswer::Undone { .. }));
    assert_eq!(lab.count("run"), 5);
    assert_eq!(allowance(&client, &lab.place, Operation::Run), 0);
    lab.end().await;
}

#[tokio::test]
async fn the_circuit_lets_one_probe_through_and_closes_when_it_is_well() {
    let lab = Lab::quick();
    let client = lab.client();
    lab.spoil(Fault {
        status: Some(403),
        ..fault(When::Run, FaultKind::HttpStatus).times(1)
    });
    submit(&client, &lab.place).await;
    assert_eq!(allowance(&client, &lab.place, Operation::Run), 0);
    tokio::time::sleep(SECOND * 10).await;
    assert_eq!(allowance(&client, &lab.place, Operation::Run), 1);
    job(&client, &lab.place).await;
    assert!(allowance(&client, &lab.place, Operation::Run) > 1);
    lab.end().await;
}

#[tokio::test]
async fn answers_that_are_too_large_are_not_read() {
    let lab = Lab::quick();
    let client = lab.client_with(RunPodSettings {
        largest_answer: 10_000,
        ..RunPodSettings::default()
    });
    lab.spoil(Fault {
        bytes: Some(10_000),
        ..fault(When::Output, FaultKind::Huge)
    });
    let job = job(&client, &lab.place).await;
    lab.until_kept_as(&job, "COMPLETED").await;
    let told = client.look(&lab.place, &job).await;
    assert_eq!(told.answer, LookAnswer::TooLarge);
    lab.end().await;

    // Without its length said beforehand, and without an end.
    let chunks = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
        1000\r\n";
    let endless: &'static [u8] =
        Vec::leak([&chunks[..], &[b' '; 0x1000], b"\r\n1000\r\n"].concat());
    let impostor = Impostor::saying(endless).await;
    let client = client_at(
        impostor.address,
        RunPodSettings {
            largest_answer: 1_000,
            ..RunPodSettings::default()
        },
    );
    let known = ProviderJobId::parse("6f-u1").unwrap();
    let told = client.look(&place(), &known).await;
    assert_eq!(told.answer, LookAnswer::TooLarge);
}

#[tokio::test]
async fn no_call_takes_longer_than_twenty_seconds() {
    let lab = Lab::quick();
    lab.spoil(fault(When::Run, FaultKind::Stall));
    let impostor = Impostor::saying(b"").await;
    let stalled = lab.client();
    let patient = client_at(
        impostor.address,
        RunPodSettings {
            request_timeout: Duration::MAX,
            connect_timeout: Duration::MAX,
            ..RunPodSettings::default()
        },
    );
    let tls = tarsify_engine::provider::RunPod::with_settings(RunPodSettings {
        base_url: format!("https://{}/v2", impostor.address),
        ..RunPodSettings::default()
    })
    .unwrap();
    let place = place();
    let (told, silent, handshake) = tokio::join!(
        submit(&stalled, &lab.place),
        submit(&patient, &place),
        submit(&tls, &place),
    );
    assert_eq!(told.answer, SubmitAnswer::Lost);
    assert_eq!(lab.count("run"), 1);
    assert_eq!(silent.answer, SubmitAnswer::Lost);
    // Nothing is sent before the handshake is over.
    assert!(matches!(handshake.answer, SubmitAnswer::Undone { .. }));
    lab.end().await;
}

#[tokio::test]
async fn what_had_no_effect_is_repeated_at_once_as_often_as_the_endpoint_allows() {
    let none = EndpointLimits::default();
    for (limits, expected) in [
        (none, 3),
        (
            EndpointLimits {
                max_retries: Some(1),
                ..none
            },
            2,
        ),
        (
            EndpointLimits {
                retry_on_429: Some(false),
                ..none
            },
            1,
        ),
        (
            EndpointLimits {
                max_per_minute: Some(100),
                ..none
            },
            1,
        ),
    ] {
        let lab = Lab::quick();
        lab.spoil(fault(When::Run, FaultKind::RateLimited));
        let place = JobPlace {
            limits,
            ..lab.place.clone()
        };
        let told = submit(&lab.client(), &place).await;
        assert!(
            matches!(told.answer, SubmitAnswer::Undone { .. }),
            "{told:?}"
        );
        assert_eq!(lab.count("run"), expected, "{limits:?}");
        lab.end().await;
    }
}
