//! Admissions and workers' writes look up what they are about, also by statements that were prepared while next to
//! nothing was stored.

use std::sync::Arc;

use serde_json::json;
use tarsify_db::{Database, DatabaseSettings, PgExecutionRepository};
use tarsify_domain::execution::{
    Advance, AttemptState, Claimed, EndReason, ExecutionQueue, ExecutionRepository, OutputTold,
    RunnableModel, Settlement, Stage, Written,
};
use tarsify_domain::id::ConsumerId;
use tarsify_testing::builders::{advance, attempt_with_job, completion, new_run, settlement};

use super::leases_together::told;
use super::place::Place;
use super::plans::{ENDED, end, fill};
use crate::support::Outside;

/// More often than the server plans anew for each value.
const OFTEN: usize = 8;

/// Writes about each of these in another way.
async fn write(executions: &PgExecutionRepository, claimed: &[Claimed]) {
    for (number, one) in claimed.iter().enumerate() {
        let is_watched = number % 2 == 0;
        let written = match number % 6 {
            0 | 1 => {
                let job = attempt_with_job(one, AttemptState::Calling).job;
                executions
                    .hint(one.lease.id, 1, job.as_ref())
                    .await
                    .unwrap();
                let accepted = Advance {
                    attempts: vec![attempt_with_job(one, AttemptState::Accepted)],
                    events: vec![told(one, 1)],
                    told: is_watched.then(OutputTold::default),
                    ..advance(one, Stage::Queued)
                };
                executions.advance(&accepted).await
            }
            way => {
                let end = match way {
                    2 | 3 => completion(one, json!({})),
                    _ => settlement(one, EndReason::Lost),
                };
                let watched = Settlement {
                    deltas: is_watched.then(|| vec![told(one, 1)]),
                    ..end
                };
                executions.settle(&watched).await
            }
        };
        assert!(
            matches!(written.unwrap(), Written::Applied { .. }),
            "{number}"
        );
    }
}

async fn admit(executions: &PgExecutionRepository, model: &Arc<RunnableModel>, by: ConsumerId) {
    for _ in 0..OFTEN {
        executions.admit(&new_run(model, by)).await.unwrap();
    }
}

/// Much of all that these writes look into.
async fn grow(place: &Place) {
    fill(place).await;
    let sql = "INSERT INTO provider_attempts \
            (execution_id, number, provider, state, job_id, token_hash, called_at) \
            SELECT id, 1, provider, 'over', id::text, sha256(id::text::bytea), now() FROM executions \
            WHERE reason = 'lost' ON CONFLICT DO NOTHING; \
         INSERT INTO holds (execution_id, consumer_id, developer_id, tars_model_id, amount, \
            developer_bps, held_at, state, resolved_at) \
            SELECT id, gen_random_uuid(), developer_id, tars_model_id, 1000, 7000, now(), \
            'released', now() FROM executions WHERE reason = 'lost' \
            ON CONFLICT DO NOTHING; \
         INSERT INTO execution_events (execution_id, seq, kind, data, at) \
            SELECT id, 1, 'failed', '{}', now() FROM executions WHERE reason = 'lost' \
            ON CONFLICT DO NOTHING; \
         INSERT INTO watched_runs (execution_id, watched_until) \
            SELECT id, now() FROM executions WHERE reason = 'lost' ON CONFLICT DO NOTHING; \
         INSERT INTO ledger_accounts (kind, owner_id) \
            SELECT k.kind, gen_random_uuid() FROM executions, unnest(ARRAY[\
                'consumer_available', 'consumer_held', 'developer_pending'\
            ]) AS k (kind) WHERE reason = 'lost'; \
         INSERT INTO ledger_transfers (ref_type, ref_id, kind, debit_id, credit_id, amount, at) \
            SELECT 'execution', id, 'hold', 1, 2, 1000, now() FROM executions \
            WHERE reason = 'lost' ON CONFLICT DO NOTHING";
    place.unseen(sql).await;
}

#[tokio::test]
async fn writes_prepared_early_read_no_table_through_later() {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    let each = 6 * OFTEN;
    place.runs(&model, consumer, 2 * each).await;
    let mut claimed = place.submit(2 * each).await;
    let later = claimed.split_off(each);

    // A plan for any values from the first time on: whether one is made anew for each is the server's choice.
    let url = format!(
        "{}?options=-c%20plan_cache_mode%3Dforce_generic_plan",
        place.test().url
    );
    let mut settings = DatabaseSettings::new(&url);
    settings.application_name = "writer".to_owned();
    let database = Database::connect(&settings).await.unwrap();
    let executions = PgExecutionRepository::new(database.clone());
    admit(&executions, &model, consumer).await;
    write(&executions, &claimed).await;
    grow(&place).await;
    let outside = Outside::connect(&place.test().url).await;
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name = '' AND pid <> pg_backend_pid()";
    outside.until(others, "0").await;
    let read = "SELECT sum(seq_tup_read) FROM pg_stat_user_tables";
    let read = async || outside.sql(read).await[0].parse::<i64>().unwrap();
    let before = read().await;

    admit(&executions, &model, consumer).await;
    write(&executions, &later).await;
    drop(executions);
    end(database, &settings.application_name, &outside).await;
    let rows = read().await - before;
    assert!(rows < ENDED, "{rows} rows of tables were read through");
}
