//! One fault of the provider each, and what becomes of the run.

use serde_json::{Value, json};
use tarsify_domain::execution::{EndReason, Execution, ExecutionStatus};

use super::workshop::Workshop;

async fn run_with(fault: Value) -> (Execution, usize) {
    run_at(fault, time::Duration::seconds(5)).await
}

async fn run_at(fault: Value, pace: time::Duration) -> (Execution, usize) {
    let workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    workshop.behave("echo", json!({"faults": [fault]}));
    let (scope, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    let ended = workshop.see_through_at(scope, id, pace).await;
    let jobs = workshop.emulator.statuses("echo").len();
    workshop.close().await;
    (ended, jobs)
}

fn once(when: &str, kind: &str) -> Value {
    json!({"when": when, "kind": kind, "times": 1})
}

fn always(when: &str, kind: &str) -> Value {
    json!({"when": when, "kind": kind})
}

#[tokio::test]
async fn what_surely_had_no_effect_is_tried_again() {
    for kind in ["rate_limited", "unavailable"] {
        let (ended, jobs) = run_with(once("run", kind)).await;
        assert_eq!(ended.summary.status, ExecutionStatus::Completed, "{kind}");
        assert_eq!(jobs, 1, "{kind}");
    }
}

#[tokio::test]
async fn a_lost_answer_costs_at_most_one_more_job() {
    for (kind, most) in [
        ("internal_error", 1),
        ("bad_gateway", 1),
        ("refuse", 1),
        ("accept_then_drop", 2),
        ("accept_then_bad_gateway", 2),
    ] {
        let (ended, jobs) = run_with(once("run", kind)).await;
        assert_eq!(ended.summary.status, ExecutionStatus::Completed, "{kind}");
        assert!(jobs <= most, "{kind}: {jobs} jobs");
    }
}

#[tokio::test]
async fn each_bad_end_has_its_name() {
    use EndReason as Reason;
    use ExecutionStatus as Status;
    for (fault, status, reason) in [
        (
            always("output", "failed"),
            Status::Failed,
            Reason::ProviderError,
        ),
        (
            always("output", "traceback"),
            Status::Failed,
            Reason::ProviderError,
        ),
        (
            always("output", "error_inside"),
            Status::Failed,
            Reason::ProviderError,
        ),
        (
            always("output", "missing"),
            Status::Failed,
            Reason::OutputMissing,
        ),
        (
            always("output", "oversize"),
            Status::Failed,
            Reason::OutputMissing,
        ),
        (
            always("output", "huge"),
            Status::Failed,
            Reason::OutputTooLarge,
        ),
        (
            always("output", "not_json"),
            Status::Failed,
            Reason::OutputUnreadable,
        ),
        (
            always("output", "timed_out"),
            Status::TimedOut,
            Reason::ProviderTimeout,
        ),
        (
            always("output", "timeout_as_failed"),
            Status::TimedOut,
            Reason::ProviderTimeout,
        ),
        (always("run", "lost"), Status::Failed, Reason::Lost),
        (always("run", "stuck"), Status::TimedOut, Reason::Deadline),
        (
            json!({"when": "run", "kind": "http_status", "status": 400}),
            Status::Failed,
            Reason::Refused,
        ),
        (
            json!({"when": "run", "kind": "http_status", "status": 401}),
            Status::TimedOut,
            Reason::Deadline,
        ),
    ] {
        let (ended, _) = run_with(fault.clone()).await;
        assert_eq!(ended.summary.status, status, "{fault}");
        assert_eq!(ended.summary.reason, Some(reason), "{fault}");
        assert_eq!(ended.output, None, "{fault}");
        let message = ended.summary.message.unwrap();
        for private in ["Traceback", "/usr", "hostname", ".py"] {
            assert!(!message.contains(private), "{fault}: {message}");
        }
    }
}

#[tokio::test]
async fn a_false_result_is_a_result() {
    let (ended, _) = run_with(always("output", "falsy")).await;
    assert_eq!(ended.summary.status, ExecutionStatus::Completed);
    assert_eq!(ended.output, Some(json!(false)));
}

#[tokio::test]
async fn a_provider_that_talks_nonsense_for_a_while_changes_nothing() {
    for kind in ["backwards", "late_progress", "unknown_status", "malformed"] {
        let (ended, jobs) = run_with(json!({"when": "status", "kind": kind, "times": 3})).await;
        assert_eq!(ended.summary.status, ExecutionStatus::Completed, "{kind}");
        assert_eq!(jobs, 1, "{kind}");
    }
}

#[tokio::test]
async fn a_provider_that_asks_for_patience_gets_it_and_no_run_fails() {
    for kind in ["rate_limited", "internal_error", "unavailable"] {
        let fault = json!({"when": "status", "kind": kind, "times": 2});
        let (ended, jobs) = run_at(fault, time::Duration::milliseconds(200)).await;
        assert_eq!(ended.summary.status, ExecutionStatus::Completed, "{kind}");
        assert_eq!(jobs, 1, "{kind}");
    }
}
