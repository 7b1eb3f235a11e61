//! Pages name models as they are at that moment, and read no name twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tarsify_db::PgExecutionRepository;
use tarsify_domain::Scope;
use tarsify_domain::execution::{ExecutionFilter, ExecutionRepository, ModelRef};
use tarsify_domain::id::TarsModelId;
use tarsify_domain::page::PageRequest;
use tokio::task::JoinSet;

use super::place::Place;
use super::plans::used;
use crate::support::Outside;

async fn named(executions: &PgExecutionRepository) -> Vec<ModelRef> {
    named_among(executions, None).await
}

/// Those of runs of this model only.
async fn named_among(
    executions: &PgExecutionRepository,
    model: Option<TarsModelId>,
) -> Vec<ModelRef> {
    let filter = ExecutionFilter {
        model,
        ..ExecutionFilter::default()
    };
    let page = PageRequest::default();
    let page = executions.list(Scope::System, &filter, &page).await;
    page.unwrap()
        .items
        .into_iter()
        .map(|run| run.model)
        .collect()
}

async fn a_place() -> Place {
    let place = Place::open().await;
    let consumer = place.consumer(1).await;
    for number in 1..=2 {
        let model = place.model(number).await;
        place.runs(&model, consumer, 3).await;
    }
    place
}

#[tokio::test]
async fn a_change_is_in_the_next_page() {
    let place = a_place().await;
    let elsewhere = PgExecutionRepository::new(place.test().database.clone());
    let before = named(&place.executions).await;
    assert_eq!(before, named(&elsewhere).await);
    let (second, first) = (&before[0], &before[5]);
    assert_eq!(
        (first.slug.as_str(), second.slug.as_str()),
        ("model-1", "model-2")
    );
    for change in [
        "UPDATE tars_models SET title = 'Another title' WHERE slug = 'model-1'",
        "UPDATE tars_models SET slug = 'another-model' WHERE slug = 'model-1'",
        "UPDATE base_models SET name = 'Another base' WHERE id = (\
            SELECT base_model_id FROM tars_models WHERE slug = 'another-model')",
    ] {
        place.sql(change).await;
        for executions in [&*place.executions, &elsewhere] {
            let after = named(executions).await;
            assert_ne!(after[5], before[5], "{change}");
            assert_eq!(after[0], before[0], "{change}");
        }
    }
    let after = &named(&elsewhere).await[5];
    assert_eq!(after.title.as_str(), "Another title");
    assert_eq!(after.slug.as_str(), "another-model");
    assert_eq!(after.base_model_name.as_str(), "Another base");
}

#[tokio::test]
async fn a_change_is_in_the_next_page_also_after_a_page_of_others() {
    let place = a_place().await;
    let before = named(&place.executions).await;
    let (other, changed) = (before[0].id, before[5].id);
    let change = format!("UPDATE tars_models SET title = 'Another title' WHERE id = '{changed}'");
    place.sql(&change).await;
    assert_eq!(
        named_among(&place.executions, Some(other)).await,
        before[..3]
    );
    let after = named_among(&place.executions, Some(changed)).await;
    assert_eq!(after[0].title.as_str(), "Another title");
}

#[tokio::test]
async fn names_are_read_once() {
    let place = a_place().await;
    let used = used(&place, "tars_models_pkey", async |executions| {
        for _ in 0..10 {
            assert_eq!(named(&executions).await.len(), 6);
        }
    })
    .await;
    // Two models, and whatever the server itself wanted to know of them for its plans.
    assert!(used.scans <= 4, "{} times", used.scans);
}

#[tokio::test]
async fn no_page_is_behind_a_change_that_was_made_before_it() {
    let place = Arc::new(a_place().await);
    let (made, is_over) = (
        Arc::new(AtomicU32::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let zero = "UPDATE tars_models SET title = 'Title 0' WHERE slug = 'model-1'";
    place.sql(zero).await;
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        let (place, made, is_over) = (place.clone(), made.clone(), is_over.clone());
        readers.spawn(async move {
            while !is_over.load(Ordering::SeqCst) {
                let least = made.load(Ordering::SeqCst);
                let named = named(&place.executions).await;
                let title = named[5].title.as_str().strip_prefix("Title ").unwrap();
                assert!(
                    title.parse::<u32>().unwrap() >= least,
                    "{title} after {least}"
                );
            }
        });
    }
    let outside = Outside::connect(&place.test().url).await;
    for number in 1..=200 {
        let change =
            format!("UPDATE tars_models SET title = 'Title {number}' WHERE slug = 'model-1'");
        outside.sql(&change).await;
        made.store(number, Ordering::SeqCst);
    }
    is_over.store(true, Ordering::SeqCst);
    readers.join_all().await;
}
