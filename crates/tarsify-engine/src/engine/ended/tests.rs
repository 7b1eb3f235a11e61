//! What is told of an execution that has ended without a look at the store, to whom and for how long.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tarsify_domain::Scope;
use tarsify_domain::execution::{Execution, ExecutionRepository as _, ExecutionStatus, Found};
use tarsify_domain::id::{ConsumerId, DeveloperId};
use tarsify_domain::money::Credits;
use tarsify_testing::builders::{new_run, new_test_run, runnable_model};
use tarsify_testing::clock::MOMENT;
use tokio::time::Instant;

use super::{Ended, KEPT_BYTES, KEPT_FOR, LARGEST};
use crate::memory::MemoryStore;

/// A consumer's run, and a developer's test run.
async fn runs() -> (ConsumerId, Execution, DeveloperId, Execution) {
    let model = Arc::new(runnable_model());
    let store = MemoryStore::new();
    store.add_model(runnable_model());
    store.add_model(Arc::unwrap_or_clone(Arc::clone(&model)));
    let consumer = ConsumerId::new(MOMENT);
    store.grant(consumer, Credits::new(1_000));
    let run = store.admit(&new_run(&model, consumer)).await.unwrap();
    let test_run = store.admit(&new_test_run(&model, 5)).await.unwrap();
    (
        consumer,
        run.execution,
        model.developer_id,
        test_run.execution,
    )
}

fn completed(execution: &Execution, output: Value) -> Execution {
    let mut execution = execution.clone();
    execution.summary.status = ExecutionStatus::Completed;
    execution.output = Some(output);
    execution
}

#[tokio::test]
async fn what_has_ended_is_told_for_a_moment() {
    let (consumer, run, _, _) = runs().await;
    let (ended, scope, id) = (Ended::default(), Scope::Consumer(consumer), run.summary.id);
    let now = Instant::now();
    ended.keep(&run, now);
    assert!(ended.find(scope, id, now).is_none(), "it has not ended");
    let run = completed(&run, json!({"answer": 42}));
    ended.keep(&run, now);
    let last = now + KEPT_FOR - Duration::from_nanos(1);
    assert_eq!(ended.find(scope, id, last), Some(Found::Here(run.clone())));
    let later = now + KEPT_FOR;
    assert!(
        ended.find(scope, id, later).is_none(),
        "the store is asked again"
    );
    ended.keep(&run, later);
    assert!(ended.find(scope, id, later).is_some());
}

#[tokio::test]
async fn it_is_told_to_whom_the_store_would_tell_it() {
    let (consumer, run, developer, test_run) = runs().await;
    let (ended, now) = (Ended::default(), Instant::now());
    for execution in [&run, &test_run] {
        ended.keep(&completed(execution, json!("done")), now);
    }
    let (anybody, someone) = (ConsumerId::new(MOMENT), DeveloperId::new(MOMENT));
    for (scope, sees_run, sees_test_run) in [
        (Scope::Consumer(consumer), true, false),
        (Scope::Consumer(anybody), false, false),
        (Scope::Developer(developer), false, true),
        (Scope::Developer(someone), false, false),
        (Scope::System, true, true),
    ] {
        for (execution, sees) in [(&run, sees_run), (&test_run, sees_test_run)] {
            match ended.find(scope, execution.summary.id, now) {
                Some(Found::Here(_)) => assert!(sees, "{scope:?}"),
                Some(Found::Foreign) => assert!(!sees, "{scope:?}"),
                other => panic!("{scope:?} is told {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn large_ones_are_not_kept_and_many_small_ones_not_all() {
    let (_, run, _, _) = runs().await;
    let (ended, now) = (Ended::default(), Instant::now());
    let text = "x".repeat(usize::try_from(LARGEST).unwrap());
    ended.keep(&completed(&run, json!({"deep": [text]})), now);
    assert!(ended.find(Scope::System, run.summary.id, now).is_none());
    let text = "x".repeat(usize::try_from(LARGEST / 2).unwrap());
    let many = 4 * KEPT_BYTES / LARGEST;
    let mut ids = Vec::new();
    for _ in 0..many {
        let mut run = completed(&run, json!(text));
        run.summary.id = tarsify_domain::id::ExecutionId::new(MOMENT);
        ended.keep(&run, now);
        ids.push(run.summary.id);
    }
    let left = ids
        .iter()
        .filter(|id| ended.find(Scope::System, **id, now).is_some());
    let left = u64::try_from(left.count()).unwrap();
    assert!(left * (LARGEST / 2) <= KEPT_BYTES, "{left} are kept");
    assert!(left > 0);
}
