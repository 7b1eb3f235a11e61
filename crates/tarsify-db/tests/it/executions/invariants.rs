//! Each view finds the corruption that it is there for, and nothing where all is well.

use std::time::Duration;

use tarsify_domain::Scope;
use tarsify_domain::execution::{
    Advance, AttemptState, EndReason, EventKind, ExecutionQueue, ExecutionRepository, NewEvent,
    Stage, Then,
};
use tarsify_testing::builders::{advance, settlement};

use super::place::{Place, attempt};

/// One execution of each kind: completed, failed, cancelled, running, waiting and leased.
async fn lively() -> Place {
    let place = Place::open().await;
    let model = place.model(1).await;
    let consumer = place.consumer(1).await;
    place.runs(&model, consumer, 5).await;
    let submitted = place.submit(5).await;
    place.complete(&submitted[0]).await;
    let failed = settlement(&submitted[1], EndReason::ProviderError);
    place.executions.settle(&failed).await.unwrap();
    let lost = Advance {
        attempts: vec![attempt(&submitted[2], AttemptState::Lost)],
        then: Then::After(Duration::from_secs(90)),
        ..advance(&submitted[2], Stage::Unknown)
    };
    place.executions.advance(&lost).await.unwrap();
    place.accept(&submitted[3]).await;
    let looked_at = place.look().await.remove(0);
    let running = Advance {
        events: vec![
            NewEvent::plain(EventKind::Started),
            NewEvent::plain(EventKind::Progress),
        ],
        ..advance(&looked_at, Stage::Running)
    };
    place.executions.advance(&running).await.unwrap();
    let cancelled = place.run(&model, consumer).await;
    place
        .executions
        .request_cancel(Scope::System, cancelled)
        .await
        .unwrap();
    place.run(&model, consumer).await;
    place
}

/// The name of an invariant, and what breaks it for one execution.
const CORRUPTIONS: [(&str, &str); 26] = [
    (
        "E3",
        "UPDATE execution_events SET kind = 'progress' WHERE kind = 'completed'",
    ),
    (
        "E3",
        "UPDATE execution_events SET kind = 'failed' WHERE kind = 'completed'",
    ),
    (
        "E3",
        "UPDATE execution_events SET kind = 'completed' WHERE kind = 'started'",
    ),
    (
        "E3",
        "UPDATE execution_events v SET kind = 'failed' FROM executions x \
        WHERE x.id = v.execution_id AND x.status = 'FAILED' AND v.seq = 1",
    ),
    (
        "E3",
        "UPDATE execution_events v SET kind = CASE seq WHEN 1 THEN 'failed' ELSE 'queued' END \
        FROM executions x WHERE x.id = v.execution_id AND x.status = 'FAILED'",
    ),
    ("E4", "DELETE FROM execution_events WHERE kind = 'started'"),
    (
        "E4",
        "UPDATE execution_events SET seq = 9 WHERE kind = 'progress'",
    ),
    (
        "E4",
        "DELETE FROM execution_events v USING executions x \
        WHERE x.id = v.execution_id AND x.stage = 'created'",
    ),
    (
        "E4",
        "UPDATE executions SET last_seq = 7 WHERE stage = 'running'",
    ),
    (
        "E5",
        "UPDATE executions SET created_at = now() - interval '1 hour', \
        deadline_at = now() - interval '61 seconds' WHERE stage = 'running'",
    ),
    (
        "E6",
        "UPDATE provider_attempts SET state = 'over' WHERE state = 'won'",
    ),
    (
        "E6",
        "UPDATE provider_attempts a SET state = 'won', job_id = 'x' FROM executions x \
        WHERE x.id = a.execution_id AND x.status = 'FAILED'",
    ),
    (
        "E6",
        "DROP INDEX provider_attempts_won_unique; \
        INSERT INTO provider_attempts (execution_id, number, state, provider, job_id, token_hash, \
            called_at) SELECT execution_id, 2, 'won', provider, 'second', token_hash, now() \
        FROM provider_attempts WHERE state = 'won'",
    ),
    (
        "E6",
        "ALTER TABLE provider_attempts DROP CONSTRAINT provider_attempts_job_unique; \
        INSERT INTO provider_attempts (execution_id, number, state, provider, job_id, token_hash, \
            called_at) SELECT execution_id, 2, 'over', provider, job_id, token_hash, now() \
        FROM provider_attempts WHERE state = 'won'",
    ),
    (
        "E7",
        "ALTER TABLE executions DISABLE TRIGGER executions_sound; \
        UPDATE executions SET output = NULL WHERE status = 'COMPLETED'",
    ),
    (
        "E9",
        "UPDATE executions SET lease_until = now() + interval '31 seconds' \
        WHERE stage = 'running'",
    ),
    (
        "E1",
        "DELETE FROM holds h USING executions x WHERE x.id = h.execution_id AND x.stage = 'running'",
    ),
    (
        "E1",
        "UPDATE holds h SET amount = amount + 1 FROM executions x \
        WHERE x.id = h.execution_id AND x.stage = 'running'",
    ),
    (
        "E1",
        "UPDATE holds h SET state = 'released', resolved_at = now() FROM executions x \
        WHERE x.id = h.execution_id AND x.stage = 'running'",
    ),
    (
        "E2",
        "UPDATE holds SET state = 'released', earned = 0 WHERE state = 'captured'",
    ),
    (
        "E2",
        "UPDATE holds h SET state = 'captured', earned = amount * developer_bps / 10000 \
        FROM executions x WHERE x.id = h.execution_id AND x.status = 'FAILED'",
    ),
    (
        "E8",
        "INSERT INTO outbox (id, lane, kind, subject_id, next_attempt_at, created_at) \
        VALUES (gen_random_uuid(), 'a lane', 'payout', gen_random_uuid(), \
            now() - interval '61 seconds', now())",
    ),
    (
        "E10",
        "DELETE FROM ledger_transfers WHERE kind = 'capture_platform'",
    ),
    (
        "E10",
        "INSERT INTO ledger_transfers (ref_type, ref_id, kind, debit_id, credit_id, amount, at) \
        SELECT 'execution', x.id, 'capture_platform', 101, 3, 1000, now() FROM executions x \
        WHERE x.status = 'FAILED'",
    ),
    ("E11", "UPDATE consumers SET cancelled_runs = 1"),
    ("E11", "DELETE FROM untallied WHERE status = 'COMPLETED'"),
];

#[tokio::test]
async fn each_corruption_is_found_and_nothing_else() {
    for (name, corruption) in CORRUPTIONS {
        let place = lively().await;
        assert_eq!(place.broken().await, [], "before: {corruption}");
        place.unseen(corruption).await;
        let broken = place.broken().await;
        let found: Vec<_> = broken
            .iter()
            .map(|one| (one.name, one.executions.len()))
            .collect();
        assert_eq!(found, [(name, 1)], "{corruption}: {broken:?}");
        assert!(!broken[0].detail.is_empty() && broken[0].violations >= 1);
    }
}

#[tokio::test]
async fn what_is_nearly_wrong_is_not_reported() {
    let place = lively().await;
    place
        .unseen(
            "UPDATE executions SET created_at = now() - interval '1 hour', \
            deadline_at = now() - interval '50 seconds', \
            lease_until = now() + interval '30 seconds', lease_epoch = 1 WHERE stage <> 'ended'",
        )
        .await;
    assert_eq!(place.broken().await, []);
}
