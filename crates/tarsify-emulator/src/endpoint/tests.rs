//! Deadlines, lost workers and memory, without waiting for them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Endpoint, Report, Request, Surroundings};
use crate::courier::{Background, Courier};
use crate::faults::{FaultPlan, Fired};
use crate::job::{Ending, Entrance, JobStatus};
use crate::policy::{Policy, Priority};
use crate::{EmulatorSettings, TimeScale};

const SECOND: Duration = Duration::from_secs(1);

fn endpoint(settings: EmulatorSettings) -> Arc<Endpoint> {
    let courier = Courier::new(&settings).unwrap();
    let around = Surroundings {
        settings: Arc::new(settings),
        courier,
        background: Background::default(),
    };
    Endpoint::create("someones-own", around)
}

fn submit(endpoint: &Arc<Endpoint>, entrance: Entrance, priority: Priority) -> Option<String> {
    let request = request(entrance, priority, None);
    endpoint.submit(request, Instant::now()).ok()
}

fn request(entrance: Entrance, priority: Priority, webhook: Option<&str>) -> Request {
    Request {
        entrance,
        input: json!({ "n": 1 }),
        webhook: webhook.map(str::to_owned),
        policy: Policy {
            execution_timeout: 600 * SECOND,
            ttl: 86_400 * SECOND,
            priority,
        },
        bytes: 100,
        fired: Fired::default(),
        plan: FaultPlan::new(Vec::new(), 0),
    }
}

fn run(endpoint: &Arc<Endpoint>) -> String {
    submit(endpoint, Entrance::Run, Priority::Normal).unwrap()
}

fn status(endpoint: &Arc<Endpoint>, id: &str) -> Option<JobStatus> {
    endpoint.statuses().get(id).copied()
}

fn done(endpoint: &Arc<Endpoint>, id: &str, output: Value) -> bool {
    endpoint.hear("w", id, Report::Done(Ending::Completed(Some(output))))
}

#[tokio::test]
async fn results_are_kept_as_long_as_documented() {
    for (entrance, kept) in [
        (Entrance::Run, 30 * 60 * SECOND),
        (Entrance::Runsync, 60 * SECOND),
    ] {
        let endpoint = endpoint(EmulatorSettings::default());
        let id = submit(&endpoint, entrance, Priority::Normal).unwrap();
        endpoint.take("w", 1, Instant::now());
        done(&endpoint, &id, json!(1));
        let now = Instant::now();
        endpoint.sweep(now + kept - 5 * SECOND);
        assert_eq!(
            status(&endpoint, &id),
            Some(JobStatus::Completed),
            "{entrance:?}"
        );
        endpoint.sweep(now + kept + SECOND);
        assert_eq!(status(&endpoint, &id), None, "{entrance:?}");
    }
}

#[tokio::test]
async fn a_job_past_its_ttl_is_gone_in_any_state() {
    let endpoint = endpoint(EmulatorSettings {
        worker_silence: 100_000 * SECOND,
        ..EmulatorSettings::default()
    });
    let (running, waiting) = (run(&endpoint), run(&endpoint));
    endpoint.take("w", 1, Instant::now());
    endpoint.hear("w", &running, Report::Progress(json!(1)));
    endpoint.with_job(&running, |job| {
        job.made_of.policy.execution_timeout = 100_000 * SECOND
    });
    endpoint.sweep(Instant::now() + 86_390 * SECOND);
    assert_eq!(status(&endpoint, &running), Some(JobStatus::InProgress));
    assert_eq!(status(&endpoint, &waiting), Some(JobStatus::InQueue));
    endpoint.sweep(Instant::now() + 86_400 * SECOND);
    assert!(endpoint.statuses().is_empty());
    assert_eq!(endpoint.to_stop("w", Instant::now()), [running]);
}

#[tokio::test]
async fn a_job_past_its_execution_timeout_is_stopped() {
    let endpoint = endpoint(EmulatorSettings {
        worker_silence: 100_000 * SECOND,
        ..EmulatorSettings::default()
    });
    let (running, waiting) = (run(&endpoint), run(&endpoint));
    endpoint.take("w", 1, Instant::now());
    endpoint.sweep(Instant::now() + 600 * SECOND);
    assert_eq!(status(&endpoint, &running), Some(JobStatus::TimedOut));
    assert_eq!(status(&endpoint, &waiting), Some(JobStatus::InQueue));
    assert_eq!(endpoint.to_stop("w", Instant::now()), [running]);
    assert!(endpoint.to_stop("w", Instant::now()).is_empty());
}

#[tokio::test]
async fn the_jobs_of_a_lost_worker_go_back_and_then_fail() {
    let endpoint = endpoint(EmulatorSettings::default());
    let (first, second) = (run(&endpoint), run(&endpoint));
    let start = Instant::now();
    endpoint.take("w", 1, start);
    endpoint.sweep(start + 31 * SECOND);
    assert_eq!(status(&endpoint, &first), Some(JobStatus::InQueue));
    let again = endpoint.take("v", 1, start + 31 * SECOND);
    assert_eq!(again[0].id, first, "it has waited before {second}");
    endpoint.sweep(start + 62 * SECOND);
    assert_eq!(status(&endpoint, &first), Some(JobStatus::Failed));
    let text = endpoint.with_job(&first, |job| job.status_text()).unwrap();
    assert!(text.contains("job timed out after 1 retries"), "{text}");
}

#[tokio::test]
async fn heartbeats_keep_the_jobs_they_name() {
    let endpoint = endpoint(EmulatorSettings::default());
    let (named, unnamed) = (run(&endpoint), run(&endpoint));
    let start = Instant::now();
    endpoint.take("w", 2, start);
    endpoint.ping("w", [named.as_str()].into_iter(), start + 20 * SECOND);
    endpoint.sweep(start + 40 * SECOND);
    assert_eq!(status(&endpoint, &named), Some(JobStatus::InProgress));
    assert_eq!(status(&endpoint, &unnamed), Some(JobStatus::InQueue));
}

#[tokio::test]
async fn a_heartbeat_with_a_job_that_has_ended_repeats_the_stop() {
    let endpoint = endpoint(EmulatorSettings::default());
    let (ended, going_on, now) = (run(&endpoint), run(&endpoint), Instant::now());
    endpoint.take("w", 2, now);
    assert_eq!(
        endpoint.cancel(&ended, &Fired::default()),
        Some(JobStatus::Cancelled)
    );
    assert_eq!(endpoint.to_stop("w", now), std::slice::from_ref(&ended));
    endpoint.ping("w", [ended.as_str(), going_on.as_str()].into_iter(), now);
    assert_eq!(endpoint.to_stop("w", now), [ended]);
    endpoint.ping("w", [going_on.as_str()].into_iter(), now);
    assert!(endpoint.to_stop("w", now).is_empty());
}

#[tokio::test]
async fn low_priority_waits_for_the_others() {
    let endpoint = endpoint(EmulatorSettings::default());
    let low = submit(&endpoint, Entrance::Run, Priority::Low).unwrap();
    let normal = run(&endpoint);
    let taken: Vec<String> = endpoint
        .take("w", 5, Instant::now())
        .into_iter()
        .map(|job| job.id)
        .collect();
    assert_eq!(taken, [normal, low]);
}

#[tokio::test]
async fn memory_is_bounded_and_unfinished_jobs_are_safe() {
    let endpoint = endpoint(EmulatorSettings {
        max_jobs: 3,
        ..EmulatorSettings::default()
    });
    let jobs = [run(&endpoint), run(&endpoint), run(&endpoint)];
    assert_eq!(submit(&endpoint, Entrance::Run, Priority::Normal), None);
    endpoint.take("w", 1, Instant::now());
    assert!(done(&endpoint, &jobs[0], json!(1)));
    assert!(submit(&endpoint, Entrance::Run, Priority::Normal).is_some());
    assert_eq!(status(&endpoint, &jobs[0]), None);
    assert_eq!(endpoint.statuses().len(), 3);
}

#[tokio::test]
async fn stored_bytes_are_bounded() {
    let endpoint = endpoint(EmulatorSettings {
        max_stored_bytes: 10_000,
        ..EmulatorSettings::default()
    });
    let ids: Vec<String> = (0..5).map(|_| run(&endpoint)).collect();
    endpoint.take("w", 5, Instant::now());
    for id in &ids {
        done(&endpoint, id, json!("x".repeat(4_000)));
    }
    assert_eq!(endpoint.statuses().len(), 2);
    assert!(endpoint.state().jobs.bytes() <= 10_000);
    assert!(status(&endpoint, &ids[4]).is_some());
}

#[tokio::test]
async fn own_workers_need_no_time_when_there_is_none() {
    let settings = EmulatorSettings {
        time: TimeScale::Zero,
        ..EmulatorSettings::default()
    };
    let courier = Courier::new(&settings).unwrap();
    let around = Surroundings {
        settings: Arc::new(settings),
        courier,
        background: Background::default(),
    };
    let endpoint = Endpoint::create("echo", around);
    let id = run(&endpoint);
    let ended = || {
        endpoint
            .with_job(&id, |job| job.status.is_final())
            .filter(|ended| *ended)
    };
    assert_eq!(endpoint.wait_for(SECOND, ended).await, Some(true));
    assert_eq!(status(&endpoint, &id), Some(JobStatus::Completed));
}

#[tokio::test]
async fn a_webhook_that_comes_twice_is_noticed() {
    let endpoint = endpoint(EmulatorSettings::default());
    for (webhook, repeated) in [
        (Some("http://127.0.0.1:1/a"), 0),
        (None, 0),
        (None, 0),
        (Some("http://127.0.0.1:1/b"), 0),
        (Some("http://127.0.0.1:1/a"), 1),
        (Some("http://127.0.0.1:1/a"), 2),
    ] {
        let request = request(Entrance::Run, Priority::Normal, webhook);
        endpoint.submit(request, Instant::now()).unwrap();
        assert_eq!(
            endpoint.state().counts.of("repeated"),
            repeated,
            "{webhook:?}"
        );
    }
}
