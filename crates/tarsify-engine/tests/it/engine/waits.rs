//! Waiting and cancelling, with the workers running beside.

use std::time::Duration;

use serde_json::json;
use tarsify_domain::execution::{EndReason, ExecutionStatus};
use tarsify_engine::CancelError;
use tokio::time::Instant;

use super::workshop::{PATIENCE, Workshop};

#[tokio::test]
async fn who_waits_is_woken_by_the_end() {
    let mut workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    workshop.run_workers();
    let _time = workshop.keep_time();
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    let ended = workshop.engine.wait(scope, id, PATIENCE).await.unwrap();
    assert_eq!(ended.summary.status, ExecutionStatus::Completed);
    workshop.close().await;
}

#[tokio::test]
async fn patience_ends_before_the_run() {
    let workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    // No worker is there.
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    let patience = Duration::from_millis(50);
    let began = Instant::now();
    let execution = workshop.engine.wait(scope, id, patience).await.unwrap();
    assert_eq!(execution.summary.status, ExecutionStatus::Pending);
    assert!(began.elapsed() >= patience);
    // It is told as it is in the end, not as it was when the wait began.
    let engine = &workshop.engine;
    let waiting = engine.wait(scope, id, Duration::from_secs(2));
    let (waited, sent) = tokio::join!(waiting, engine.submit_due());
    assert_eq!(sent.unwrap(), 1);
    let is_sent = waited.unwrap().summary.status;
    assert_eq!(is_sent, ExecutionStatus::Queued);
    workshop.close().await;
}

#[tokio::test]
async fn what_nobody_has_sent_is_cancelled_at_once_and_never_sent() {
    let workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    let cancelled = workshop.engine.cancel(scope, id).await.unwrap();
    assert_eq!(cancelled.summary.status, ExecutionStatus::Cancelled);
    assert_eq!(cancelled.summary.reason, Some(EndReason::CancelledByCaller));
    assert_eq!(workshop.engine.submit_due().await.unwrap(), 0);
    assert!(workshop.emulator.statuses("echo").is_empty());
    let again = workshop.engine.cancel(scope, id).await;
    assert!(matches!(again, Err(CancelError::TooLate(_))));
    workshop.close().await;
}

#[tokio::test]
async fn a_job_at_work_is_called_off_at_the_provider() {
    let mut workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    workshop.behave("echo", json!({"runMs": 600_000}));
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    workshop.engine.submit_due().await.unwrap();
    workshop.run_workers();
    let cancelled = workshop.engine.cancel(scope, id).await.unwrap();
    assert_eq!(cancelled.summary.status, ExecutionStatus::Cancelled);
    let statuses: Vec<_> = workshop.emulator.statuses("echo").into_values().collect();
    assert_eq!(statuses, ["CANCELLED"]);
    workshop.close().await;
}

#[tokio::test]
async fn what_had_ended_when_it_was_called_off_counts() {
    let mut workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    let faults = json!([{"when": "cancel", "kind": "completes_first"}]);
    workshop.behave("echo", json!({"runMs": 600_000, "faults": faults}));
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    workshop.engine.submit_due().await.unwrap();
    workshop.run_workers();
    let ended = workshop.engine.cancel(scope, id).await.unwrap();
    assert_eq!(ended.summary.status, ExecutionStatus::Completed);
    assert_eq!(ended.output, Some(json!({"prompt": "x"})));
    workshop.close().await;
}

#[tokio::test]
async fn a_job_that_cannot_be_called_off_now_is_called_off_later() {
    let workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    let faults = json!([{"when": "cancel", "kind": "unavailable", "times": 1}]);
    workshop.behave("echo", json!({"runMs": 600_000, "faults": faults}));
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    workshop.engine.submit_due().await.unwrap();
    let (cancelled, looked) = tokio::join!(workshop.engine.cancel(scope, id), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        workshop.engine.look_due().await
    });
    // The consumer is told at once; the GPU is freed as soon as its owner answers.
    assert_eq!(
        cancelled.unwrap().summary.status,
        ExecutionStatus::Cancelled
    );
    assert_eq!(looked.unwrap(), 1);
    // What the provider asks for is real time, and what the machine waits is the clock's.
    for _ in 0..60 {
        workshop.clock.advance(time::Duration::seconds(10));
        workshop.engine.look_due().await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if workshop
            .emulator
            .statuses("echo")
            .values()
            .all(|status| status == "CANCELLED")
        {
            return workshop.close().await;
        }
    }
    panic!("the job is still at work");
}

#[tokio::test]
async fn what_could_not_be_sent_is_cancelled_without_waiting_for_the_provider() {
    let workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    let faults = json!([{"when": "run", "kind": "rate_limited"}]);
    workshop.behave("echo", json!({"faults": faults}));
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    let (cancelled, submitted) = tokio::join!(
        async {
            // While the submission is on its way, which its repetitions make a second or two.
            while workshop.emulator.counts("echo").of("run") == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            workshop.engine.cancel(scope, id).await
        },
        workshop.engine.submit_due(),
    );
    assert_eq!(submitted.unwrap(), 1);
    let cancelled = cancelled.unwrap().summary;
    assert_eq!(cancelled.status, ExecutionStatus::Cancelled);
    assert!(workshop.emulator.statuses("echo").is_empty());
    workshop.close().await;
}
