//! Counting runs in a crowd, and the models that were run.

use futures_util::future::join_all;
use tarsify_domain::RepoError;
use tarsify_domain::catalog::TarsModelRepository;
use tarsify_domain::execution::{
    EndReason, ExecutionFilter, ExecutionKind, ExecutionQueue, ExecutionRepository, ExecutionStatus,
};
use tarsify_domain::page::PageRequest;
use tarsify_domain::{Scope, Version};
use tarsify_testing::builders::{new_test_run, settlement};

use super::place::Place;
use crate::support::Outside;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_counts_each_run_once() {
    let place = Place::open().await;
    let models = [
        place.model(1).await,
        place.model(2).await,
        place.model(3).await,
    ];
    let consumers = [place.consumer(1).await, place.consumer(2).await];
    for number in 0..90 {
        place.run(&models[number % 3], consumers[number % 2]).await;
    }
    let submitted = place.submit(90).await;
    assert_eq!(submitted.len(), 90);
    join_all(submitted.iter().map(|claimed| place.complete(claimed))).await;
    assert_eq!(place.count("untallied").await, 90);
    let crowd = (0..10).map(|_| async {
        let mut counted = 0;
        for _ in 0..6 {
            counted += place.executions.tally(4).await.unwrap();
        }
        counted
    });
    let counted: u64 = join_all(crowd).await.into_iter().sum();
    let rest = place.executions.tally(1_000).await.unwrap();
    assert_eq!(counted + rest, 90);
    assert_eq!(place.executions.tally(1_000).await.unwrap(), 0);
    let of_models = "SELECT total_runs FROM tars_models";
    assert_eq!(place.sql(of_models).await, ["30", "30", "30"]);
    let of_consumers = "SELECT run_count FROM consumers";
    assert_eq!(place.sql(of_consumers).await, ["45", "45"]);
    assert_eq!(place.broken().await, []);
}

/// What a page of one says of how many there are, with this filter.
async fn total(place: &Place, scope: Scope, filter: &ExecutionFilter) -> u64 {
    let page = PageRequest::default();
    place
        .executions
        .list(scope, filter, &page)
        .await
        .unwrap()
        .total
}

#[tokio::test]
async fn how_many_runs_there_are_is_known_whatever_became_of_them_and_when_it_was_counted() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let (consumer, other) = (place.consumer(1).await, place.consumer(2).await);
    place.runs(&model, other, 1).await;
    place.runs(&model, consumer, 9).await;
    let submitted = place.submit(10).await;
    let mut ends = [
        (None, 3),
        (Some(EndReason::ProviderError), 2),
        (Some(EndReason::Deadline), 1),
        (Some(EndReason::CancelledByCaller), 1),
    ]
    .into_iter()
    .flat_map(|(end, times)| std::iter::repeat_n(end, times));
    let mut round = async |place: &Place, claimed: &[tarsify_domain::execution::Claimed]| {
        for (claimed, end) in claimed.iter().zip(&mut ends) {
            match end {
                None => place.complete(claimed).await,
                Some(reason) => {
                    let settled = settlement(claimed, reason);
                    place.executions.settle(&settled).await.unwrap();
                }
            }
        }
    };
    let statuses = [
        ExecutionStatus::Pending,
        ExecutionStatus::Completed,
        ExecutionStatus::Failed,
        ExecutionStatus::TimedOut,
        ExecutionStatus::Cancelled,
    ];
    let check = async |place: &Place, when: &str| {
        for (scope, of) in [
            (Scope::Consumer(consumer), None),
            (Scope::Consumer(consumer), Some(consumer)),
            (Scope::System, Some(consumer)),
        ] {
            for status in statuses.map(Some).into_iter().chain([None]) {
                let filter = ExecutionFilter {
                    status,
                    consumer: of,
                    ..ExecutionFilter::default()
                };
                // With a model they are counted one by one.
                let counted = ExecutionFilter {
                    model: Some(model.id),
                    ..filter.clone()
                };
                let known = total(place, scope, &filter).await;
                assert_eq!(
                    known,
                    total(place, scope, &counted).await,
                    "{when}: {filter:?}"
                );
            }
        }
        let stranger = ExecutionFilter {
            consumer: Some(other),
            ..ExecutionFilter::default()
        };
        assert_eq!(total(place, Scope::Consumer(consumer), &stranger).await, 0);
        let tried = ExecutionFilter {
            kind: Some(ExecutionKind::TestRun),
            ..ExecutionFilter::default()
        };
        assert_eq!(total(place, Scope::Consumer(consumer), &tried).await, 0);
        assert_eq!(place.broken().await, [], "{when}");
    };
    check(&place, "nothing has ended").await;
    round(&place, &submitted[..4]).await;
    check(&place, "four have ended").await;
    assert_eq!(place.executions.tally(2).await.unwrap(), 2);
    check(&place, "two of four are counted").await;
    round(&place, &submitted[4..]).await;
    check(&place, "the rest has ended").await;
    while place.executions.tally(3).await.unwrap() > 0 {
        check(&place, "three more are counted").await;
    }
}

#[tokio::test]
async fn a_count_leaves_to_others_what_they_have() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    place.runs(&model, consumer, 3).await;
    for claimed in place.submit(3).await {
        place.complete(&claimed).await;
    }
    let outside = Outside::connect(&place.test().url).await;
    outside
        .sql("BEGIN; SELECT id FROM untallied LIMIT 1 FOR UPDATE")
        .await;
    assert_eq!(place.executions.tally(10).await.unwrap(), 2);
    outside.sql("ROLLBACK").await;
    assert_eq!(place.executions.tally(10).await.unwrap(), 1);
}

#[tokio::test]
async fn counting_is_no_revision() {
    let place = Place::open().await;
    let claimed = place.submitting().await;
    let seen = "SELECT format('%s %s %s', t.version, t.updated_at, c.version) \
        FROM tars_models t, catalog_version c";
    let before = place.sql(seen).await;
    place.complete(&claimed).await;
    assert_eq!(place.executions.tally(10).await.unwrap(), 1);
    assert_eq!(place.sql(seen).await, before);
}

#[tokio::test]
async fn a_model_that_was_tried_is_never_deleted() {
    let place = Place::open().await;
    let draft = place.shop.draft(1).await;
    let me = Scope::Developer(draft.developer_id);
    let model = tarsify_domain::execution::RunnableModels::find_own(
        place.executions.as_ref(),
        draft.developer_id,
        draft.id,
    );
    let model = std::sync::Arc::new(model.await.unwrap().unwrap());
    let new = new_test_run(&model, 5);
    place.executions.admit(&new).await.unwrap();
    let refusal = place
        .shop
        .tars_models
        .delete(me, draft.id, Version::FIRST)
        .await;
    assert!(matches!(refusal, Err(RepoError::Stale)), "{refusal:?}");
}

#[tokio::test]
async fn a_run_at_the_very_moment_of_the_deletion_wins() {
    let place = Place::open().await;
    let tried = place.shop.draft(1).await;
    let other = place.shop.draft(2).await;
    let me = Scope::Developer(tried.developer_id);
    let model = tarsify_domain::execution::RunnableModels::find_own(
        place.executions.as_ref(),
        other.developer_id,
        other.id,
    );
    let model = std::sync::Arc::new(model.await.unwrap().unwrap());
    place
        .executions
        .admit(&new_test_run(&model, 5))
        .await
        .unwrap();
    let outside = Outside::connect(&place.test().url).await;
    // The other model's run, as if it were of this one and not yet committed.
    let admit = format!(
        "BEGIN; SET session_replication_role = origin; ALTER TABLE executions DISABLE TRIGGER USER; \
         UPDATE executions SET tars_model_id = '{}'",
        tried.id
    );
    outside.sql(&admit).await;
    let deleting = place.shop.tars_models.delete(me, tried.id, Version::FIRST);
    let committing = async {
        place.until_blocked().await;
        outside.sql("COMMIT").await;
    };
    let (refusal, ()) = tokio::join!(deleting, committing);
    assert!(matches!(refusal, Err(RepoError::Stale)), "{refusal:?}");
    assert_eq!(place.count("tars_models").await, 2);
}
