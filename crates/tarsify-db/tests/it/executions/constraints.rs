//! What no row may be, refused by name.

use tarsify_domain::execution::{AttemptState, EndReason, EventKind};

use super::place::Place;

/// A table, a value that it must not take, and what refuses it. Triggers do not look.
const BOUNDS: &[(&str, &str, &str)] = &[
    ("executions", "kind = 'STEP'", "executions_kind_check"),
    (
        "executions",
        "tester_id = developer_id",
        "executions_kind_check",
    ),
    (
        "executions",
        "kind = 'TEST_RUN', tester_id = developer_id, consumer_id = NULL",
        "executions_kind_check",
    ),
    (
        "executions",
        "status = 'RUNNING'",
        "executions_status_check",
    ),
    (
        "executions",
        "stage = 'queued', attempts = 1",
        "executions_status_check",
    ),
    (
        "executions",
        "stage = 'elsewhere', attempts = 1",
        "executions_status_check",
    ),
    (
        "executions",
        "completed_at = now()",
        "executions_completed_at_check",
    ),
    (
        "executions",
        "stage = 'ended', status = 'FAILED', reason = 'lost'",
        "executions_completed_at_check",
    ),
    (
        "executions",
        "stage = 'running', status = 'RUNNING', attempts = 1",
        "executions_started_at_check",
    ),
    ("executions", "output = '1'", "executions_output_check"),
    (
        "executions",
        "stage = 'ended', status = 'COMPLETED', completed_at = now()",
        "executions_charged_check",
    ),
    (
        "executions",
        "stage = 'ended', status = 'COMPLETED', completed_at = now(), \
            charged_credits = price_credits",
        "executions_output_check",
    ),
    (
        "executions",
        "stage = 'ended', status = 'FAILED', completed_at = now()",
        "executions_reason_check",
    ),
    ("executions", "reason = 'lost'", "executions_reason_check"),
    (
        "executions",
        "stage = 'ended', status = 'FAILED', completed_at = now(), reason = 'No reason'",
        "executions_reason_form_check",
    ),
    (
        "executions",
        "error_code = 'ERR_6001'",
        "executions_error_code_check",
    ),
    (
        "executions",
        "error_message = 'x'",
        "executions_error_message_check",
    ),
    (
        "executions",
        "price_credits = -1",
        "executions_price_credits_check",
    ),
    (
        "executions",
        "price_credits = 1000001",
        "executions_price_credits_check",
    ),
    (
        "executions",
        "charged_credits = price_credits",
        "executions_charged_check",
    ),
    ("executions", "inputs = '[]'", "executions_inputs_check"),
    ("executions", "payload = '1'", "executions_payload_check"),
    (
        "executions",
        "concealed = 'null'",
        "executions_concealed_check",
    ),
    (
        "executions",
        "timeout_seconds = 0",
        "executions_timeout_seconds_check",
    ),
    (
        "executions",
        "deadline_at = created_at - interval '1 second'",
        "executions_deadline_at_check",
    ),
    (
        "executions",
        "lease_until = now()",
        "executions_lease_check",
    ),
    (
        "executions",
        "lease_epoch = -1",
        "executions_lease_epoch_check",
    ),
    (
        "executions",
        "stage = 'submitting'",
        "executions_attempts_check",
    ),
    ("executions", "looks = -1", "executions_looks_check"),
    (
        "executions",
        "trace_parent = repeat('0', 56)",
        "executions_trace_parent_check",
    ),
    ("executions", "strikes = -1", "executions_strikes_check"),
    ("executions", "last_seq = 0", "executions_last_seq_check"),
    ("executions", "fair_rank = -1", "executions_fair_rank_check"),
    (
        "executions",
        "tars_model_version = 0",
        "executions_tars_model_version_check",
    ),
    (
        "executions",
        "step_id = gen_random_uuid()",
        "executions_step_check",
    ),
    ("execution_events", "seq = 0", "execution_events_seq_check"),
    (
        "execution_events",
        "kind = 'No kind'",
        "execution_events_kind_check",
    ),
    (
        "execution_events",
        "data = '[]'",
        "execution_events_data_check",
    ),
    (
        "provider_attempts",
        "number = 0",
        "provider_attempts_number_check",
    ),
    (
        "provider_attempts",
        "state = 'gone'",
        "provider_attempts_state_check",
    ),
    (
        "provider_attempts",
        "state = 'won'",
        "provider_attempts_job_check",
    ),
    (
        "provider_attempts",
        "job_id = ''",
        "provider_attempts_job_id_check",
    ),
    (
        "provider_attempts",
        "token_hash = '\\x00'",
        "provider_attempts_token_hash_check",
    ),
    (
        "provider_attempts",
        "unreadable = -1",
        "provider_attempts_unreadable_check",
    ),
    (
        "provider_attempts",
        "exchanges = '{}'",
        "provider_attempts_exchanges_check",
    ),
];

#[tokio::test]
async fn every_bound_is_a_named_constraint() {
    let place = Place::open().await;
    let claimed = place.submitting().await;
    // An attempt beside an execution that waits, so that every bound has its row.
    let waiting = "UPDATE executions SET stage = 'created', attempts = 0, lease_until = NULL, \
        lease_epoch = 0";
    place.unseen(waiting).await;
    assert_eq!(place.count("provider_attempts").await, 1);
    for (table, set, constraint) in BOUNDS {
        let sql = format!("SET session_replication_role = replica; UPDATE {table} SET {set}");
        let refusal = place.test().refusal(&sql).await;
        assert_eq!(refusal.as_deref(), Some(*constraint), "{table}: {set}");
    }
    let id = claimed.lease.id;
    for (sql, constraint) in [
        (
            format!(
                "INSERT INTO provider_attempts \
                (execution_id, number, state, provider, job_id, token_hash, called_at) \
                SELECT execution_id, n, 'won', provider, 'job-' || n, token_hash, now() \
                FROM provider_attempts, generate_series(2, 3) AS n WHERE execution_id = '{id}'"
            ),
            "provider_attempts_won_unique",
        ),
        (
            format!(
                "INSERT INTO provider_attempts \
                (execution_id, number, state, provider, job_id, token_hash, called_at) \
                SELECT execution_id, n, 'over', provider, 'job', token_hash, now() \
                FROM provider_attempts, generate_series(2, 3) AS n WHERE execution_id = '{id}'"
            ),
            "provider_attempts_job_unique",
        ),
        (
            format!(
                "INSERT INTO execution_events SELECT execution_id, 1, 'queued', '{{}}', now() \
                FROM execution_events WHERE execution_id = '{id}'"
            ),
            "execution_events_pkey",
        ),
        (
            "DELETE FROM executions".to_owned(),
            "execution_events_execution_fkey",
        ),
        (
            "INSERT INTO idempotency_keys (principal, route, key, fingerprint, taken_at) \
                VALUES ('p', 'r', 'k', decode(repeat('00', 32), 'hex'), now())"
                .to_owned(),
            "idempotency_keys_outcome_check",
        ),
        (
            "INSERT INTO test_run_quota SELECT id, current_date, 0 FROM developers".to_owned(),
            "test_run_quota_used_check",
        ),
    ] {
        let refusal = place.test().refusal(&sql).await;
        assert_eq!(refusal.as_deref(), Some(constraint), "{sql}");
    }
}

#[tokio::test]
async fn every_word_of_the_domain_can_be_stored() {
    let place = Place::open().await;
    place.submitting().await;
    for reason in EndReason::ALL {
        let code = reason
            .error_code()
            .map_or("NULL".to_owned(), |code| format!("'{}'", code.as_str()));
        place
            .unseen(&format!(
                "UPDATE executions SET stage = 'ended', status = 'FAILED', completed_at = now(), \
                 reason = '{}', error_code = {code}, error_message = '{}'",
                reason.as_str(),
                reason.meaning().replace('\'', "''"),
            ))
            .await;
    }
    for kind in EventKind::ALL {
        let kind = kind.as_str();
        place
            .sql(&format!("UPDATE execution_events SET kind = '{kind}'"))
            .await;
    }
    for state in AttemptState::ALL {
        let state = state.as_str();
        place
            .sql(&format!(
                "UPDATE provider_attempts SET job_id = 'x', state = '{state}'"
            ))
            .await;
    }
}
