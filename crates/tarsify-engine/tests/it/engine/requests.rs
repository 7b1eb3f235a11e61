//! What is accepted, what is refused, and that a refusal leaves nothing behind.

use serde_json::json;
use tarsify_domain::Version;
use tarsify_domain::catalog::TarsModelStatus;
use tarsify_domain::execution::{ExecutionFilter, ExecutionStatus, RunnableModel};
use tarsify_domain::id::ConsumerId;
use tarsify_domain::idempotency::{IdempotencyClaim, IdempotencyKey};
use tarsify_domain::money::Share;
use tarsify_domain::{Credits, Scope};
use tarsify_engine::{CancelError, ReadError, RunError, TestRunRequest};

use super::workshop::{Workshop, object};

/// How many executions the store has, and how many jobs the provider.
async fn traces(workshop: &Workshop) -> (u64, usize) {
    let filter = ExecutionFilter::default();
    let page = tarsify_domain::PageRequest::default();
    let list = workshop.engine.list(Scope::System, &filter, &page).await;
    (
        list.unwrap().total,
        workshop.emulator.statuses("echo").len(),
    )
}

#[tokio::test]
async fn a_run_goes_from_the_click_to_its_result() {
    let workshop = Workshop::open();
    workshop.model("echo", "echo", json!({"defaultInputs": {"width": 128}}));
    let (scope, id) = workshop.submit("echo", json!({"prompt": "sunset"})).await;
    let ended = workshop.see_through(scope, id).await;
    assert_eq!(ended.summary.status, ExecutionStatus::Completed);
    // The payload comes back as what the consumer sent: the rest is the developer's.
    assert_eq!(ended.output, Some(json!({"prompt": "sunset"})));
    assert!(ended.summary.execution_time_ms.is_some());
    workshop.close().await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_every_fault_and_leaves_nothing() {
    let workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    let request = workshop.request("echo", json!({"width": 1, "style": 7}));
    let Err(RunError::InputsDoNotFit(issues)) = workshop.engine.submit(request).await else {
        panic!("it was accepted");
    };
    let paths: Vec<_> = issues.iter().map(|issue| issue.path.as_str()).collect();
    assert!(
        paths.contains(&"/inputs/width") && paths.contains(&"/inputs/style"),
        "{paths:?}"
    );
    assert_eq!(issues.len(), 3, "{issues:?}");
    assert_eq!(traces(&workshop).await, (0, 0));
    workshop.close().await;
}

#[tokio::test]
async fn only_what_is_published_and_switched_on_runs() {
    let workshop = Workshop::open();
    let good = workshop.model("echo", "echo", json!({}));
    type Check = fn(&RunError) -> bool;
    type Spoil = fn(RunnableModel) -> RunnableModel;
    let cases: [(&str, Spoil, Check); 4] = [
        (
            "draft",
            |mut model| {
                model.status = TarsModelStatus::Draft;
                model
            },
            |error| matches!(error, RunError::StatusForbids),
        ),
        (
            "archived",
            |mut model| {
                model.status = TarsModelStatus::Archived;
                model
            },
            |error| matches!(error, RunError::StatusForbids),
        ),
        (
            "base model off",
            |mut model| {
                model.base_model.is_active = false;
                model
            },
            |error| matches!(error, RunError::NotActive),
        ),
        (
            "endpoint off",
            |mut model| {
                model.endpoint.is_active = false;
                model
            },
            |error| matches!(error, RunError::NotActive),
        ),
    ];
    // So that the engine has seen it as it was.
    workshop.submit("echo", json!({"prompt": "before"})).await;
    let mut version = Version::FIRST;
    for (why, spoil, is_right) in cases {
        version = version.next();
        let mut model = spoil(good.clone());
        model.version = version;
        model.base_model.version = version;
        model.endpoint.version = version;
        workshop.store.add_model(model);
        let request = workshop.request("echo", json!({"prompt": "after"}));
        let error = workshop.engine.submit(request).await.unwrap_err();
        assert!(is_right(&error), "{why}: {error:?}");
    }
    let request = workshop.request("nobody-made-this", json!({"prompt": "x"}));
    let error = workshop.engine.submit(request).await.unwrap_err();
    assert!(matches!(error, RunError::ModelNotFound));
    assert_eq!(traces(&workshop).await.0, 1);
    workshop.close().await;
}

#[tokio::test]
async fn a_new_price_is_what_the_next_run_costs_and_no_run_before_it() {
    let workshop = Workshop::open();
    let model = workshop.model("echo", "echo", json!({}));
    let (scope, first) = workshop.submit("echo", json!({"prompt": "x"})).await;
    let dearer = RunnableModel {
        price: tarsify_domain::money::Price::parse(99).unwrap(),
        version: model.version.next(),
        ..model
    };
    workshop.store.add_model(dearer);
    let (_, second) = workshop.submit("echo", json!({"prompt": "x"})).await;
    let price = async |id| {
        let execution = workshop.engine.status(Scope::System, id).await.unwrap();
        execution.summary.price.credits().get()
    };
    workshop.see_through(scope, first).await;
    assert_eq!((price(first).await, price(second).await), (10, 99));
    workshop.close().await;
}

#[tokio::test]
async fn a_repeated_request_is_one_run_even_when_the_model_is_gone_by_then() {
    let workshop = Workshop::open();
    let model = workshop.model("echo", "echo", json!({}));
    let mut request = workshop.request("echo", json!({"prompt": "x"}));
    request.idempotency = Some(IdempotencyClaim {
        principal: "consumer:1".to_owned(),
        route: "run echo".to_owned(),
        key: IdempotencyKey::parse("k").unwrap(),
        fingerprint: [7; 32],
    });
    let first = workshop.engine.submit(request.clone()).await.unwrap();
    let again = workshop.engine.submit(request.clone()).await.unwrap();
    assert!(!first.is_replay && again.is_replay);
    workshop.store.add_model(RunnableModel {
        status: TarsModelStatus::Archived,
        version: model.version.next(),
        ..model
    });
    let late = workshop.engine.submit(request.clone()).await.unwrap();
    assert!(late.is_replay);
    assert_eq!(late.execution.summary.id, first.execution.summary.id);
    request.idempotency.as_mut().unwrap().fingerprint = [8; 32];
    let error = workshop.engine.submit(request).await.unwrap_err();
    assert!(matches!(error, RunError::KeyReused));
    assert_eq!(traces(&workshop).await.0, 1);
    workshop.close().await;
}

#[tokio::test]
async fn a_quote_changes_nothing() {
    let workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    let request = workshop.request("echo", json!({"prompt": "x"}));
    let engine = &workshop.engine;
    let quote = engine
        .quote(request.consumer, &request.slug, &request.inputs)
        .await
        .unwrap();
    assert_eq!(
        (quote.price.credits().get(), quote.estimated_seconds),
        (10, 2)
    );
    assert_eq!(quote.available.get(), 1_000);
    assert_eq!(workshop.wallet(request.consumer), (1_000_000, 0));
    let bad = object(json!({"width": 1}));
    let error = engine
        .quote(request.consumer, &request.slug, &bad)
        .await
        .unwrap_err();
    assert!(matches!(error, RunError::InputsDoNotFit(_)));
    assert_eq!(traces(&workshop).await, (0, 0));
    workshop.close().await;
}

#[tokio::test]
async fn without_credits_neither_a_quote_nor_a_run_is_to_be_had() {
    let workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    let mut request = workshop.request("echo", json!({"prompt": "x"}));
    request.consumer = ConsumerId::new(time::OffsetDateTime::UNIX_EPOCH);
    let engine = &workshop.engine;
    for has in [0, 9, 10] {
        let quote = engine.quote(request.consumer, &request.slug, &request.inputs);
        let (quote, run) = (quote.await, engine.submit(request.clone()).await);
        if has == 10 {
            assert_eq!(quote.unwrap().available.get(), 10, "just enough");
            run.unwrap();
            break;
        }
        for error in [quote.err(), run.err()] {
            let Some(RunError::InsufficientCredits {
                required,
                available,
            }) = error
            else {
                panic!("it is not refused for that: {error:?}");
            };
            assert_eq!((required.get(), available.get()), (10, has));
        }
        assert_eq!(traces(&workshop).await, (0, 0));
        let more = if has == 0 { 9 } else { 1 };
        workshop.store.grant(request.consumer, Credits::new(more));
    }
    assert_eq!(workshop.wallet(request.consumer), (0, 10_000));
    let bad = object(json!({}));
    let error = engine.quote(request.consumer, &request.slug, &bad).await;
    assert!(matches!(error, Err(RunError::InputsDoNotFit(_))));
    workshop.close().await;
}

#[tokio::test]
async fn a_run_is_paid_when_it_completes_and_divided_as_the_engine_was_told() {
    let workshop = Workshop::with(tarsify_engine::EngineSettings {
        developer_share: Share::parse(8_000).unwrap(),
        ..tarsify_engine::EngineSettings::default()
    });
    let model = workshop.model("echo", "echo", json!({}));
    let good = workshop.request("echo", json!({"prompt": "x"}));
    let consumer = good.consumer;
    let accepted = workshop.engine.submit(good).await.unwrap().execution;
    assert_eq!(accepted.summary.charged, Credits::ZERO);
    assert_eq!(workshop.wallet(consumer), (990_000, 10_000));
    let scope = Scope::Consumer(consumer);
    let ended = workshop.see_through(scope, accepted.summary.id).await;
    assert_eq!(ended.summary.status, ExecutionStatus::Completed);
    assert_eq!(ended.summary.charged, Credits::new(10));
    assert_eq!(workshop.wallet(consumer), (990_000, 0));
    let earned = workshop.store.earned(model.developer_id).get();
    assert_eq!((earned, workshop.store.revenue().get()), (8_000, 2_000));
    workshop.close().await;
}

#[tokio::test]
async fn a_run_that_fails_or_is_cancelled_costs_nothing() {
    let workshop = Workshop::open();
    let model = workshop.model("echo", "echo", json!({}));
    let request = workshop.request("echo", json!({"prompt": "x"}));
    let consumer = request.consumer;
    let scope = Scope::Consumer(consumer);
    let first = workshop.engine.submit(request.clone()).await.unwrap();
    assert_eq!(workshop.wallet(consumer), (990_000, 10_000));
    let id = first.execution.summary.id;
    let cancelled = workshop.engine.cancel(scope, id).await.unwrap();
    assert_eq!(cancelled.summary.charged, Credits::ZERO);
    assert_eq!(workshop.wallet(consumer), (1_000_000, 0));

    let fault = json!({"when": "output", "kind": "failed"});
    workshop.behave("echo", json!({"faults": [fault]}));
    let second = workshop.engine.submit(request).await.unwrap();
    let id = second.execution.summary.id;
    let ended = workshop.see_through(scope, id).await;
    assert_eq!(ended.summary.status, ExecutionStatus::Failed);
    assert_eq!(ended.summary.charged, Credits::ZERO);
    assert_eq!(workshop.wallet(consumer), (1_000_000, 0));
    let earned = workshop.store.earned(model.developer_id).get();
    assert_eq!((earned, workshop.store.revenue().get()), (0, 0));
    workshop.close().await;
}

#[tokio::test]
async fn only_its_owner_sees_and_cancels_a_run() {
    let workshop = Workshop::open();
    workshop.model("echo", "echo", json!({}));
    let (_, id) = workshop.submit("echo", json!({"prompt": "x"})).await;
    let stranger = Scope::Consumer(workshop.request("echo", json!({})).consumer);
    let engine = &workshop.engine;
    assert!(matches!(
        engine.status(stranger, id).await,
        Err(ReadError::NotOwned)
    ));
    assert!(matches!(
        engine.cancel(stranger, id).await,
        Err(CancelError::NotOwned)
    ));
    let nowhere = tarsify_domain::id::ExecutionId::new(time::OffsetDateTime::UNIX_EPOCH);
    assert!(matches!(
        engine.status(stranger, nowhere).await,
        Err(ReadError::NotFound)
    ));
    assert!(matches!(
        engine.cancel(stranger, nowhere).await,
        Err(CancelError::NotFound)
    ));
    workshop.close().await;
}

#[tokio::test]
async fn a_test_run_costs_nothing_but_a_day_has_only_so_many() {
    let mut workshop = Workshop::with(tarsify_engine::EngineSettings {
        daily_test_runs: 1,
        ..tarsify_engine::EngineSettings::default()
    });
    let model = workshop.model("echo", "echo", json!({}));
    workshop.store.add_model(RunnableModel {
        status: TarsModelStatus::Draft,
        version: model.version.next(),
        ..model.clone()
    });
    let request = TestRunRequest {
        developer: model.developer_id,
        model: model.id,
        inputs: object(json!({"prompt": "x"})),
        idempotency: None,
    };
    let mut bad = request.clone();
    bad.inputs = object(json!({}));
    let refused = workshop.engine.test_run(bad).await.unwrap_err();
    assert!(matches!(refused, RunError::InputsDoNotFit(_)));

    workshop.run_workers();
    let keep_time = workshop.keep_time();
    let ended = workshop.engine.test_run(request.clone()).await.unwrap();
    assert_eq!(ended.summary.status, ExecutionStatus::Completed);
    assert_eq!(ended.summary.tester_id, Some(model.developer_id));
    let error = workshop.engine.test_run(request).await.unwrap_err();
    assert!(matches!(error, RunError::QuotaUsedUp(1)), "{error:?}");
    drop(keep_time);
    workshop.close().await;
}
