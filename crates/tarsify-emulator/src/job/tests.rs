//! A job's life, without a server.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Ending, Entrance, Job, JobStatus, NewJob, Spoiling, size_of};
use crate::faults::{FaultPlan, Fired};
use crate::policy::{Policy, Priority};

const KEPT: Duration = Duration::from_secs(60);

fn job(now: Instant) -> Job {
    let made_of = NewJob {
        id: "one-u1".to_owned(),
        entrance: Entrance::Run,
        input: json!({ "prompt": "ä" }),
        webhook: Some("http://h/t".to_owned()),
        policy: Policy {
            execution_timeout: Duration::from_secs(10),
            ttl: Duration::from_secs(100),
            priority: Priority::Normal,
        },
        bytes: 30,
        plan: FaultPlan::new(Vec::new(), 0),
        webhook_faults: Fired::default(),
        output_faults: Fired::default(),
    };
    Job::new(made_of, now)
}

fn body(job: &Job) -> Value {
    serde_json::from_str(&job.status_text()).unwrap()
}

#[test]
fn a_job_waits_runs_and_completes() {
    let start = Instant::now();
    let mut job = job(start);
    assert_eq!(body(&job), json!({ "id": "one-u1", "status": "IN_QUEUE" }));
    assert!(job.begin("w", start + Duration::from_millis(20)));
    assert!(!job.begin("v", start));
    assert!(job.progress(json!(50), start));
    assert_eq!(
        body(&job),
        json!({ "delayTime": 20, "id": "one-u1", "output": 50, "status": "IN_PROGRESS", "workerId": "w" })
    );
    let end = start + Duration::from_millis(120);
    assert!(job.end(Ending::Completed(Some(json!(false))), KEPT, end));
    let expected = json!({
        "delayTime": 20, "executionTime": 100, "id": "one-u1", "output": false, "status": "COMPLETED", "workerId": "w",
    });
    assert_eq!(body(&job), expected);
    assert!(!job.has_expired(end + KEPT - Duration::from_millis(1)));
    assert!(job.has_expired(end + KEPT));
}

#[test]
fn the_first_end_is_the_only_one() {
    let now = Instant::now();
    let endings = || {
        [
            (Ending::Completed(None), JobStatus::Completed),
            (Ending::Failed(json!("no")), JobStatus::Failed),
            (Ending::TimedOut("late".to_owned()), JobStatus::TimedOut),
            (Ending::Cancelled, JobStatus::Cancelled),
        ]
    };
    for (first, status) in endings() {
        let mut job = job(now);
        job.begin("w", now);
        assert!(job.end(first, KEPT, now));
        for (later, _) in endings() {
            assert!(!job.end(later, KEPT, now));
        }
        assert!(!job.progress(json!(1), now));
        assert!(!job.yield_chunk(json!(1), now));
        assert_eq!(job.status, status);
    }
}

#[test]
fn a_retry_starts_clean() {
    let now = Instant::now();
    let mut job = job(now);
    assert!(!job.retry(Fired::default(), now));
    job.begin("w", now);
    job.yield_chunk(json!("part"), now);
    job.end(Ending::Failed(json!("no")), KEPT, now);
    assert!(job.retry(Fired::default(), now));
    assert_eq!(
        body(&job),
        json!({ "id": "one-u1", "retries": 1, "status": "IN_QUEUE" })
    );
    assert!(job.drain_stream().is_empty());
    assert_eq!((job.stored_bytes, job.attempt), (30, 1));
    assert!(!job.has_expired(now + KEPT));
    assert!(job.has_expired(now + Duration::from_secs(100)));
}

#[test]
fn a_job_is_overdue_only_while_it_runs() {
    let now = Instant::now();
    let mut job = job(now);
    let later = now + Duration::from_secs(10);
    assert!(!job.is_overdue(later));
    job.begin("w", now);
    assert!(!job.is_overdue(later - Duration::from_millis(1)));
    assert!(job.is_overdue(later));
    job.end(Ending::Cancelled, KEPT, now);
    assert!(!job.is_overdue(later));
}

#[test]
fn a_webhook_carries_the_input_and_the_address() {
    let job = job(Instant::now());
    let sent: Value = serde_json::from_str(&job.webhook_text()).unwrap();
    assert_eq!(sent["input"], json!({ "prompt": "ä" }));
    assert_eq!(sent["webhook"], "http://h/t");
}

#[test]
fn a_status_can_be_spoiled() {
    let mut job = job(Instant::now());
    job.spoiling = Spoiling::CutOff;
    assert!(serde_json::from_str::<Value>(&job.status_text()).is_err());
    assert!(serde_json::from_str::<Value>(&job.webhook_text()).is_err());
    job.spoiling = Spoiling::WrongTypes;
    assert!(body(&job)["delayTime"].is_string());
}

#[test]
fn sizes_are_those_of_the_json() {
    let value = json!({ "a": [1, "ä\n", null] });
    assert_eq!(size_of(&value), value.to_string().len());
}
