//! The invariants that speak of money and messages find what breaks them.

use tarsify_db::PgInvariants;

use super::books::Books;

const CORRUPTIONS: [(&str, &str); 7] = [
    (
        "E1",
        "UPDATE holds SET amount = amount + 1000 WHERE state = 'active'",
    ),
    (
        "E1",
        "UPDATE holds SET state = 'released', resolved_at = now() WHERE state = 'active'",
    ),
    ("E1", "DELETE FROM holds WHERE state = 'active'"),
    (
        "E2",
        "UPDATE holds SET state = 'captured', earned = amount * 7 / 10 WHERE state = 'released'",
    ),
    (
        "E8",
        "UPDATE outbox SET done_at = NULL, next_attempt_at = now() - interval '61 seconds'",
    ),
    (
        "E10",
        "DELETE FROM ledger_transfers WHERE kind = 'capture_platform' AND amount < 10000",
    ),
    (
        "E10",
        "UPDATE ledger_transfers SET kind = 'capture_platform' WHERE kind = 'release'",
    ),
];

#[tokio::test]
async fn each_corruption_is_found_and_nothing_else() {
    for (name, corruption) in CORRUPTIONS {
        let books = Books::busy().await;
        let invariants = PgInvariants::new(books.shop.test.database.clone());
        assert_eq!(invariants.broken().await.unwrap(), []);
        let unseen = format!("SET session_replication_role = replica; {corruption}");
        books.sql(&unseen).await;
        let broken = invariants.broken().await.unwrap();
        let found: Vec<_> = broken
            .iter()
            .map(|one| (one.name, one.executions.len()))
            .collect();
        assert_eq!(found, [(name, 1)], "{corruption}: {broken:?}");
        assert!(!broken[0].detail.is_empty() && broken[0].violations == 1);
    }
}

#[tokio::test]
async fn a_message_that_waits_for_the_one_before_it_is_not_late() {
    let books = Books::busy().await;
    let invariants = PgInvariants::new(books.shop.test.database.clone());
    for almost in [
        "UPDATE outbox SET done_at = NULL, next_attempt_at = now() - interval '59 seconds'",
        "UPDATE outbox SET next_attempt_at = now() - interval '1 hour', \
            lease_until = now() - interval '59 seconds', lease_epoch = 1",
        "UPDATE outbox SET next_attempt_at = now(), lease_until = NULL; \
            INSERT INTO outbox (id, lane, kind, subject_id, next_attempt_at, created_at) \
            SELECT gen_random_uuid(), lane, kind, gen_random_uuid(), now() - interval '1 hour', \
                created_at + interval '1 second' FROM outbox",
    ] {
        books.sql(almost).await;
        assert_eq!(invariants.broken().await.unwrap(), [], "{almost}");
    }
}
