//! Admissions at the same moment, and what a refusal leaves behind.

use std::sync::Arc;

use futures_util::future::join_all;
use tarsify_db::{Database, DatabaseSettings, PgExecutionRepository};
use tarsify_domain::RepoError;
use tarsify_domain::execution::{AdmitError, ExecutionRepository, NewExecution};
use tarsify_domain::id::ExecutionId;
use tarsify_testing::builders::{idempotency_claim, new_run, new_test_run};
use tarsify_testing::clock::MOMENT;

use super::place::Place;
use crate::support::Outside;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_twins_are_one_execution() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    // Another process.
    let settings = DatabaseSettings::new(&place.test().url);
    let elsewhere = Database::connect(&settings).await.unwrap();
    let processes = [
        Arc::clone(&place.executions),
        Arc::new(PgExecutionRepository::new(elsewhere)),
    ];
    let claim = idempotency_claim();
    let twins = (0..100).map(|number| {
        let executions = &processes[number % 2];
        let new = NewExecution {
            idempotency: Some(claim.clone()),
            ..new_run(&model, consumer)
        };
        async move { executions.admit(&new).await.unwrap() }
    });
    let admitted = join_all(twins).await;
    let ids: std::collections::HashSet<ExecutionId> = admitted
        .iter()
        .map(|admitted| admitted.execution.summary.id)
        .collect();
    assert_eq!(ids.len(), 1);
    let first = admitted.iter().filter(|admitted| !admitted.is_replay);
    assert_eq!(first.count(), 1);
    for table in ["executions", "execution_events", "idempotency_keys"] {
        assert_eq!(place.count(table).await, 1, "{table}");
    }
    assert_eq!(place.broken().await, []);
}

#[tokio::test]
async fn a_twin_that_was_a_moment_faster_is_answered() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    let faster = place.run(&model, consumer).await;
    for commits in [false, true] {
        let claim = idempotency_claim();
        let new = NewExecution {
            idempotency: Some(claim.clone()),
            ..new_run(&model, consumer)
        };
        let outside = Outside::connect(&place.test().url).await;
        let taken = format!(
            "BEGIN; INSERT INTO idempotency_keys \
                (principal, route, key, fingerprint, execution_id, taken_at) \
             VALUES ('{}', '{}', '{}', decode(repeat('07', 32), 'hex'), '{faster}', now())",
            claim.principal,
            claim.route,
            claim.key.as_str(),
        );
        outside.sql(&taken).await;
        let admitting = place.executions.admit(&new);
        let finishing = async {
            place.until_blocked().await;
            let end = if commits { "COMMIT" } else { "ROLLBACK" };
            outside.sql(end).await;
        };
        let (admitted, ()) = tokio::join!(admitting, finishing);
        let admitted = admitted.unwrap();
        let expected = if commits { faster } else { new.id };
        assert_eq!(admitted.execution.summary.id, expected);
        assert_eq!(admitted.is_replay, commits);
    }
    assert_eq!(place.count("executions").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twins_of_a_test_run_use_one_of_the_day() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let claim = idempotency_claim();
    let twins = (0..40).map(|_| {
        let new = NewExecution {
            idempotency: Some(claim.clone()),
            ..new_test_run(&model, 5)
        };
        let executions = &place.executions;
        async move { executions.admit(&new).await.unwrap().execution.summary.id }
    });
    let ids = join_all(twins).await;
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(place.count("executions").await, 1);
    assert_eq!(place.sql("SELECT used FROM test_run_quota").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_quota_is_exact_in_a_crowd() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let crowd = (0..60).map(|_| {
        let new = new_test_run(&model, 20);
        let executions = &place.executions;
        async move { executions.admit(&new).await }
    });
    let answers = join_all(crowd).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 20);
    let refused = answers
        .iter()
        .filter(|answer| matches!(answer, Err(AdmitError::QuotaUsedUp(20))));
    assert_eq!(refused.count(), 40);
    assert_eq!(place.count("executions").await, 20);
    assert_eq!(place.sql("SELECT used FROM test_run_quota").await, ["20"]);
}

#[tokio::test]
async fn a_refusal_stores_nothing_at_all() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    let with_key = |new: NewExecution| NewExecution {
        idempotency: Some(idempotency_claim()),
        ..new
    };
    let used_up = with_key(new_test_run(&model, 0));
    let refusal = place.executions.admit(&used_up).await;
    assert!(
        matches!(refusal, Err(AdmitError::QuotaUsedUp(0))),
        "{refusal:?}"
    );
    place
        .sql("UPDATE base_models SET version = version + 1")
        .await;
    for new in [new_run(&model, consumer), new_test_run(&model, 5)] {
        let refusal = place.executions.admit(&with_key(new)).await;
        assert!(
            matches!(refusal, Err(AdmitError::ModelChanged)),
            "{refusal:?}"
        );
    }
    place
        .sql("UPDATE base_models SET version = version - 1")
        .await;
    // Nobody's: the last of the parts fails, and takes those before it with it.
    let nobodys = tarsify_domain::id::ConsumerId::new(MOMENT);
    let refusal = place
        .executions
        .admit(&with_key(new_run(&model, nobodys)))
        .await;
    assert!(
        matches!(refusal, Err(AdmitError::Repo(RepoError::Internal(_)))),
        "{refusal:?}"
    );
    for table in [
        "executions",
        "execution_events",
        "idempotency_keys",
        "test_run_quota",
    ] {
        assert_eq!(place.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_key_of_another_kind_of_request_is_no_executions() {
    use tarsify_domain::idempotency::{Begun, IdempotencyRepository};
    let place = Place::open().await;
    let model = place.model(1).await;
    let keys = tarsify_db::PgIdempotencyRepository::new(place.test().database.clone());
    let claim = idempotency_claim();
    let patience = std::time::Duration::from_secs(60);
    assert_eq!(keys.begin(&claim, patience).await.unwrap(), Begun::Fresh);
    let new = NewExecution {
        idempotency: Some(claim),
        ..new_test_run(&model, 5)
    };
    let refusal = place.executions.admit(&new).await;
    assert!(matches!(refusal, Err(AdmitError::KeyReused)), "{refusal:?}");
    let own = NewExecution {
        idempotency: Some(idempotency_claim()),
        ..new_test_run(&model, 5)
    };
    place.executions.admit(&own).await.unwrap();
    let begun = keys.begin(&own.idempotency.unwrap(), patience).await;
    assert_eq!(begun.unwrap(), Begun::Reused);
}

#[tokio::test]
async fn who_runs_his_own_model_pays_and_earns_nothing() {
    let place = Place::open().await;
    // These two have one address, and both have verified it.
    let model = place.model(1).await;
    let (himself, another) = (place.consumer(1).await, place.consumer(2).await);
    let developer = model.developer_id;
    let share = async |consumer| {
        let run = place.run(&model, consumer).await;
        let claimed = place.submit(1).await;
        place.complete(&claimed[0]).await;
        let hold = format!("SELECT developer_bps FROM holds WHERE execution_id = '{run}'");
        place.sql(&hold).await.remove(0)
    };
    assert_eq!(share(another).await, "7000");
    assert_eq!(share(himself).await, "0");
    for (set, of, expected) in [
        ("email = upper(email)", himself.uuid(), "0"),
        ("email_is_verified = false", himself.uuid(), "7000"),
        ("email_is_verified = true", himself.uuid(), "0"),
        ("email_is_verified = false", developer.uuid(), "7000"),
        ("email_is_verified = true", developer.uuid(), "0"),
        ("email = NULL", himself.uuid(), "7000"),
        ("email = NULL", developer.uuid(), "7000"),
    ] {
        place
            .sql(&format!("UPDATE people SET {set} WHERE id = '{of}'"))
            .await;
        assert_eq!(share(himself).await, expected, "{set}");
    }
    let charged = format!(
        "SELECT count(*) FROM executions WHERE consumer_id = '{himself}' \
            AND charged_credits = price_credits AND price_credits > 0"
    );
    assert_eq!(place.sql(&charged).await, ["8"], "he pays for each of them");
    let price = model.price.credits().millicredits().get();
    let earned = format!(
        "SELECT balance FROM ledger_accounts \
         WHERE owner_id = '{developer}' AND kind = 'developer_pending'"
    );
    let expected = (5 * price * 7 / 10).to_string();
    assert_eq!(place.sql(&earned).await, [expected]);
    assert_eq!(place.broken().await, []);
}
