//! Every fault that the emulator knows, and what the client makes of it.

use std::time::Duration;

use serde_json::{Value, json};
use tarsify_emulator::{Behaviour, Fault, FaultKind, When};
use tarsify_engine::provider::{
    GpuProvider, JobStatus, LookAnswer, RunPod, RunPodSettings, StopAnswer, SubmitAnswer,
};

use super::support::{Lab, fault, job, seen, submit, submit_with};

/// A client that does not wait long for an answer.
fn hasty(lab: &Lab) -> RunPod {
    lab.client_with(RunPodSettings {
        request_timeout: Duration::from_secs(1),
        ..RunPodSettings::default()
    })
}

/// Where each kind is tried below. A new kind has to be given its place here.
const fn tried_at(kind: FaultKind) -> &'static [When] {
    use FaultKind as K;
    match kind {
        K::Delay
        | K::RateLimited
        | K::InternalError
        | K::BadGateway
        | K::Unavailable
        | K::HttpStatus
        | K::Malformed
        | K::Refuse
        | K::Stall => &[When::Run, When::Status, When::Cancel],
        K::AcceptThenDrop | K::AcceptThenBadGateway | K::AcceptThenStall => {
            &[When::Run, When::Cancel]
        }
        K::ColdStart | K::Stuck => &[When::Run],
        K::Lost => &[When::Run, When::Status],
        K::Backwards | K::LateProgress | K::UnknownStatus => &[When::Status],
        K::Ignored | K::CompletesFirst => &[When::Cancel],
        K::None | K::Duplicate | K::Late | K::Reordered | K::ForgedPath | K::ForgedBody => {
            &[When::Webhook]
        }
        K::Missing
        | K::Oversize
        | K::Huge
        | K::NotJson
        | K::WrongTypes
        | K::ErrorInside
        | K::Failed
        | K::Traceback
        | K::TimedOut
        | K::TimeoutAsFailed
        | K::EchoInput
        | K::EchoInError
        | K::Falsy => &[When::Output],
    }
}

fn at(when: When, kind: FaultKind) -> Fault {
    assert!(tried_at(kind).contains(&when), "{kind:?} at {when:?}");
    Fault {
        status: (kind == FaultKind::HttpStatus).then_some(418),
        retry_after_seconds: (kind == FaultKind::RateLimited).then_some(1),
        ..fault(when, kind)
    }
}

#[derive(Debug, PartialEq)]
enum Submitted {
    Accepted,
    Undone,
    Lost,
}

#[tokio::test]
async fn faults_of_a_submission() {
    use FaultKind as K;
    use Submitted::{Accepted, Lost, Undone};
    for (kind, expected, calls, jobs) in [
        (K::Delay, Lost, 1, None),
        (K::RateLimited, Undone, 3, Some(0)),
        (K::InternalError, Lost, 1, Some(0)),
        (K::BadGateway, Lost, 1, Some(0)),
        (K::Unavailable, Undone, 3, Some(0)),
        (K::HttpStatus, Undone, 1, Some(0)),
        (K::Malformed, Lost, 1, Some(0)),
        (K::Refuse, Lost, 1, Some(0)),
        (K::Stall, Lost, 1, Some(0)),
        (K::AcceptThenDrop, Lost, 1, Some(1)),
        (K::AcceptThenBadGateway, Lost, 1, Some(1)),
        (K::AcceptThenStall, Lost, 1, Some(1)),
        (K::ColdStart, Accepted, 1, Some(1)),
        (K::Lost, Accepted, 1, Some(0)),
        (K::Stuck, Accepted, 1, Some(1)),
    ] {
        let lab = Lab::quick();
        lab.spoil(at(When::Run, kind).lasting_ms(1_500));
        let told = submit(&hasty(&lab), &lab.place).await;
        let submitted = match &told.answer {
            SubmitAnswer::Accepted(_) => Accepted,
            SubmitAnswer::Undone { .. } => Undone,
            SubmitAnswer::Lost => Lost,
            SubmitAnswer::Refused => panic!("{kind:?} refuses"),
        };
        assert_eq!(submitted, expected, "{kind:?}: {told:?}");
        assert_eq!(lab.count("run"), calls, "{kind:?}");
        if let Some(jobs) = jobs {
            assert_eq!(lab.jobs(), jobs, "{kind:?}");
        }
        assert!(!told.said.contains("secret"), "{}", told.said);
        lab.end().await;
    }
}

#[tokio::test]
async fn faults_of_a_look() {
    use FaultKind as K;
    let unavailable = |retry_after| LookAnswer::Unavailable { retry_after };
    for (kind, expected) in [
        (K::Delay, unavailable(None)),
        (K::RateLimited, unavailable(Some(Duration::from_secs(1)))),
        (K::InternalError, unavailable(None)),
        (K::BadGateway, unavailable(None)),
        (K::Unavailable, unavailable(Some(Duration::from_secs(1)))),
        (K::HttpStatus, unavailable(None)),
        (K::Malformed, LookAnswer::Unreadable),
        (K::Refuse, unavailable(None)),
        (K::Stall, unavailable(None)),
        (K::Lost, LookAnswer::NotFound),
    ] {
        let lab = Lab::quick();
        let client = hasty(&lab);
        let job = job(&client, &lab.place).await;
        lab.spoil(at(When::Status, kind).lasting_ms(1_500));
        let told = client.look(&lab.place, &job).await;
        match (&told.answer, &expected) {
            (
                LookAnswer::Unavailable {
                    retry_after: Some(wait),
                },
                LookAnswer::Unavailable {
                    retry_after: Some(most),
                },
            ) => assert!(wait <= most && *wait > *most / 2, "{kind:?}: {wait:?}"),
            (answer, expected) => assert_eq!(answer, expected, "{kind:?}"),
        }
        assert_eq!(lab.count("status"), 1, "{kind:?}");
        lab.end().await;
    }
}

#[tokio::test]
async fn statuses_that_lie_are_told_as_they_are() {
    let lab = Lab::quick();
    let client = lab.client();
    let job = job(&client, &lab.place).await;
    lab.until_kept_as(&job, "COMPLETED").await;
    let progress = Some(json!({ "percent": 90 }));
    for (kind, expected) in [
        (FaultKind::Backwards, JobStatus::InQueue),
        (FaultKind::LateProgress, JobStatus::InProgress { progress }),
        (FaultKind::UnknownStatus, JobStatus::Unknown),
    ] {
        lab.spoil(at(When::Status, kind));
        let view = seen(client.look(&lab.place, &job).await);
        assert_eq!(view.status, expected, "{kind:?}");
    }
    lab.end().await;
}

#[tokio::test]
async fn faults_of_a_wish_to_stop() {
    use FaultKind as K;
    for (kind, expected, kept) in [
        (K::Delay, StopAnswer::Unavailable, None),
        (K::RateLimited, StopAnswer::Unavailable, Some("IN_PROGRESS")),
        (
            K::InternalError,
            StopAnswer::Unavailable,
            Some("IN_PROGRESS"),
        ),
        (K::BadGateway, StopAnswer::Unavailable, Some("IN_PROGRESS")),
        (K::Unavailable, StopAnswer::Unavailable, Some("IN_PROGRESS")),
        (K::HttpStatus, StopAnswer::Unavailable, Some("IN_PROGRESS")),
        (K::Malformed, StopAnswer::Unavailable, Some("IN_PROGRESS")),
        (K::Refuse, StopAnswer::Unavailable, Some("IN_PROGRESS")),
        (K::Stall, StopAnswer::Unavailable, Some("IN_PROGRESS")),
        (
            K::AcceptThenDrop,
            StopAnswer::Unavailable,
            Some("CANCELLED"),
        ),
        (
            K::AcceptThenBadGateway,
            StopAnswer::Unavailable,
            Some("CANCELLED"),
        ),
        (
            K::AcceptThenStall,
            StopAnswer::Unavailable,
            Some("CANCELLED"),
        ),
        (K::Ignored, StopAnswer::Cancelled, Some("IN_PROGRESS")),
        (K::CompletesFirst, StopAnswer::Ended, Some("COMPLETED")),
    ] {
        let lab = Lab::quick();
        let client = hasty(&lab);
        let faults = vec![at(When::Cancel, kind).lasting_ms(1_500)];
        lab.behave(Behaviour {
            run_ms: Some(60_000),
            faults,
            ..Behaviour::default()
        });
        let job = job(&client, &lab.place).await;
        lab.until_kept_as(&job, "IN_PROGRESS").await;
        let told = client.stop(&lab.place, &job).await;
        assert_eq!(told.answer, expected, "{kind:?}: {told:?}");
        assert_eq!(lab.count("cancel"), 1, "{kind:?}");
        if let Some(kept) = kept {
            lab.until_kept_as(&job, kept).await;
        }
        lab.end().await;
    }
}

#[tokio::test]
async fn faults_of_a_result() {
    use FaultKind as K;
    let completed = |output| LookAnswerKind::Status(JobStatus::Completed { output });
    let failed = |message: &str| {
        let message = Some(message.to_owned());
        LookAnswerKind::Status(JobStatus::Failed { message })
    };
    let timed_out = || LookAnswerKind::Status(JobStatus::TimedOut);
    let echo = json!({ "prompt": "a secret wish", "input": { "prompt": "a secret wish" } });
    for (kind, expected) in [
        (K::Missing, completed(None)),
        (K::Oversize, completed(None)),
        (K::Huge, LookAnswerKind::TooLarge),
        (K::NotJson, LookAnswerKind::Unreadable),
        (K::WrongTypes, completed(Some(json!(7)))),
        (
            K::ErrorInside,
            failed("CUDA out of memory. Tried to allocate 2.00 GiB"),
        ),
        (K::Failed, failed("the worker gave up on this job")),
        (K::Traceback, failed("CUDA out of memory")),
        (K::TimedOut, timed_out()),
        (K::TimeoutAsFailed, timed_out()),
        (K::EchoInput, completed(Some(echo))),
        (
            K::EchoInError,
            failed("ValueError: nothing can be made of {\"prompt\":\"a secret wish\"}"),
        ),
        (K::Falsy, completed(Some(Value::Bool(false)))),
    ] {
        let lab = Lab::quick();
        let client = lab.client();
        lab.spoil(at(When::Output, kind));
        let job = job(&client, &lab.place).await;
        let told = until_ended(&client, &lab, &job).await;
        assert!(told.said.len() < 200, "{}", told.said);
        let seen = match told.answer {
            LookAnswer::Seen(view) => LookAnswerKind::Status(view.status),
            LookAnswer::TooLarge => LookAnswerKind::TooLarge,
            LookAnswer::Unreadable => LookAnswerKind::Unreadable,
            other => panic!("{kind:?}: {other:?}"),
        };
        assert_eq!(seen, expected, "{kind:?}");
        lab.end().await;
    }
}

#[derive(Debug, PartialEq)]
enum LookAnswerKind {
    Status(JobStatus),
    TooLarge,
    Unreadable,
}

async fn until_ended(
    client: &RunPod,
    lab: &Lab,
    job: &tarsify_domain::execution::ProviderJobId,
) -> tarsify_engine::provider::Told<LookAnswer> {
    for _ in 0..100 {
        let told = client.look(&lab.place, job).await;
        let is_open = matches!(&told.answer, LookAnswer::Seen(view)
            if matches!(view.status, JobStatus::InQueue | JobStatus::InProgress { .. }));
        if !is_open {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job never ends");
}

#[tokio::test]
async fn faults_of_a_webhook_are_none_of_a_call() {
    use FaultKind as K;
    for kind in [
        K::None,
        K::Duplicate,
        K::Late,
        K::Reordered,
        K::ForgedPath,
        K::ForgedBody,
    ] {
        let lab = Lab::quick();
        let client = lab.client();
        lab.spoil(at(When::Webhook, kind).lasting_ms(1));
        let callback = Some("http://127.0.0.1:1/hooks/t0ken");
        let told = submit_with(&client, &lab.place, callback).await;
        let SubmitAnswer::Accepted(job) = told.answer else {
            panic!("{kind:?}: {told:?}");
        };
        let told = until_ended(&client, &lab, &job).await;
        assert!(matches!(seen(told).status, JobStatus::Completed { .. }));
        lab.end().await;
    }
}
