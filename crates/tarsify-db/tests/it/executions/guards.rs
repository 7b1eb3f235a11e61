//! The database itself refuses what no program may do.

use tarsify_domain::execution::{Ending, Stage};

use super::place::Place;

/// Columns that are frozen, each with another value than it has.
const FROZEN: [&str; 15] = [
    "id = gen_random_uuid()",
    "kind = 'TEST_RUN'",
    "consumer_id = NULL",
    "tester_id = developer_id",
    "developer_id = consumer_id",
    "tars_model_id = gen_random_uuid()",
    "tars_model_version = tars_model_version + 1",
    "base_model_id = gen_random_uuid()",
    "endpoint_id = gen_random_uuid()",
    "provider = 'other'",
    "provider_endpoint_id = 'other'",
    "price_credits = price_credits + 1",
    "timeout_seconds = timeout_seconds + 1",
    "deadline_at = deadline_at + interval '1 second'",
    "created_at = created_at - interval '1 second'",
];

/// Ways to lose payloads, or more than these.
const LOST: [&str; 12] = [
    "inputs = '{}'",
    "payload = '{}'",
    "concealed = '{}'",
    "payloads_removed_at = now()",
    "payloads_removed_at = now(), inputs = '{}', payload = '{}', concealed = '{}'",
    "payloads_removed_at = now(), inputs = '{}', payload = '{}', output = 'null'",
    "payloads_removed_at = now(), inputs = '{}', concealed = '{}', output = 'null'",
    "payloads_removed_at = now(), payload = '{}', concealed = '{}', output = 'null'",
    "payloads_removed_at = now(), inputs = '{}', payload = '{}', concealed = '{}', output = '1'",
    "payloads_removed_at = now(), inputs = '{}', payload = '{}', concealed = '{}', output = 'null', \
        completed_at = now()",
    "payloads_removed_at = now(), inputs = '{}', payload = '{}', concealed = '{}', output = 'null', \
        execution_time_ms = 1",
    "inputs = '{}', payload = '{}', concealed = '{}', output = 'null'",
];

/// The one way to remove them.
const REMOVE: &str = "UPDATE executions SET payloads_removed_at = now(), inputs = '{}', \
    payload = '{}', concealed = '{}', output = 'null', progress = NULL";

#[tokio::test]
async fn payloads_are_removed_as_a_whole_once_and_from_what_has_ended() {
    let place = Place::open().await;
    let claimed = place.submitting().await;
    let refused = async |sql: &str| {
        let refusal = place.test().refusal(sql).await.unwrap();
        assert!(
            ["executions_payloads_frozen", "executions_ended"].contains(&refusal.as_str()),
            "{sql}: {refusal}"
        );
    };
    refused(&REMOVE.replace("'null'", "NULL")).await;
    place.complete(&claimed).await;
    for set in LOST {
        refused(&format!("UPDATE executions SET {set}")).await;
    }
    let cheaper = REMOVE.replace("progress = NULL", "price_credits = 1");
    let refusal = place.test().refusal(&cheaper).await;
    assert_eq!(refusal.as_deref(), Some("executions_frozen"));
    let unended = REMOVE.replace("progress = NULL", "stage = 'created', status = 'PENDING'");
    let refusal = place.test().refusal(&unended).await;
    assert_eq!(refusal.as_deref(), Some("executions_moves"));
    place.sql(REMOVE).await;
    refused(REMOVE).await;
    refused("UPDATE executions SET payloads_removed_at = NULL").await;
    refused("UPDATE executions SET output = '1'").await;
    assert_eq!(place.broken().await, []);
}

#[tokio::test]
async fn what_was_accepted_stays_as_it_was() {
    let place = Place::open().await;
    place.submitting().await;
    for set in FROZEN {
        let refusal = place
            .test()
            .refusal(&format!("UPDATE executions SET {set}"))
            .await;
        assert_eq!(refusal.as_deref(), Some("executions_frozen"), "{set}");
    }
}

#[tokio::test]
async fn what_has_ended_stays_as_it_is() {
    let place = Place::open().await;
    let claimed = place.submitting().await;
    place.complete(&claimed).await;
    for (set, guard) in [
        ("output = '1'", "executions_ended"),
        ("completed_at = now()", "executions_ended"),
        ("execution_time_ms = 1", "executions_ended"),
        ("charged_credits = 0", "executions_ended"),
        (
            "status = 'FAILED', reason = 'lost', output = NULL",
            "executions_ended",
        ),
        ("status = 'FAILED'", "executions_moves"),
        ("stage = 'created', status = 'PENDING'", "executions_moves"),
        ("stage = 'running', status = 'RUNNING'", "executions_moves"),
    ] {
        let refusal = place
            .test()
            .refusal(&format!("UPDATE executions SET {set}"))
            .await;
        assert_eq!(refusal.as_deref(), Some(guard), "{set}");
    }
    // What is still written about it.
    place
        .sql(
            "UPDATE executions SET stage = 'ended', status = 'COMPLETED', looks = looks + 1, \
            next_action_at = now(), lease_epoch = lease_epoch + 1, last_seq = last_seq",
        )
        .await;
}

#[tokio::test]
async fn numbers_only_grow() {
    let place = Place::open().await;
    place.submitting().await;
    for set in [
        "attempts = attempts - 1",
        "lease_epoch = lease_epoch - 1",
        "last_seq = last_seq - 1",
    ] {
        let refusal = place
            .test()
            .refusal(&format!("UPDATE executions SET {set}"))
            .await;
        assert_eq!(refusal.as_deref(), Some("executions_forward"), "{set}");
    }
}

/// What is set for an execution to be at a stage.
fn at(stage: Stage) -> String {
    let status = stage
        .status()
        .map_or(Ending::Failed.as_str(), |status| status.as_str());
    let reason = if stage == Stage::Ended {
        "'lost'"
    } else {
        "NULL"
    };
    let completed = if stage == Stage::Ended {
        "now()"
    } else {
        "NULL"
    };
    format!(
        "stage = '{}', status = '{status}', reason = {reason}, completed_at = {completed}, \
         started_at = now()",
        stage.as_str()
    )
}

#[tokio::test]
async fn the_database_knows_the_same_moves_as_the_program() {
    let place = Place::open().await;
    place.submitting().await;
    for from in Stage::ALL {
        for to in Stage::ALL {
            place
                .unseen(&format!("UPDATE executions SET {}", at(*from)))
                .await;
            let words = at(*to);
            // Only the words for where it is, so that no other guard answers.
            let may = from == to || from.may_become(*to);
            let sql = if *from == Stage::Ended && may {
                "UPDATE executions SET stage = 'ended'".to_owned()
            } else if *from == Stage::Ended {
                let status = to.status().unwrap().as_str();
                format!(
                    "UPDATE executions SET stage = '{}', status = '{status}'",
                    to.as_str()
                )
            } else {
                format!("UPDATE executions SET {words}")
            };
            if may {
                place.sql(&sql).await;
            } else {
                let refusal = place.test().refusal(&sql).await;
                assert_eq!(
                    refusal.as_deref(),
                    Some("executions_moves"),
                    "{from:?} {to:?}"
                );
            }
        }
    }
}
