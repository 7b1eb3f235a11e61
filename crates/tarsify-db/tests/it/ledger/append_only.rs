//! What was written about money stays as it was written.

use super::books::Books;

#[tokio::test]
async fn records_are_never_changed_or_removed() {
    let books = Books::busy().await;
    for table in ["ledger_transfers", "audit_entries"] {
        let constraint = Some(format!("{table}_append_only"));
        for statement in [
            format!("UPDATE {table} SET at = now()"),
            format!("UPDATE {table} SET at = now() WHERE false"),
            format!("DELETE FROM {table}"),
            format!("DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})"),
            format!("TRUNCATE {table}"),
        ] {
            let refusal = books.shop.test.refusal(&statement).await;
            assert_eq!(refusal, constraint, "{statement}");
        }
    }
    books.assert_sound().await;
}

#[tokio::test]
async fn a_hold_remains_and_is_resolved_once() {
    let books = Books::busy().await;
    for (statement, constraint) in [
        ("DELETE FROM holds", "holds_remain"),
        ("TRUNCATE holds CASCADE", "holds_remain"),
        ("UPDATE holds SET amount = amount + 1000", "holds_frozen"),
        ("UPDATE holds SET developer_bps = 10000", "holds_frozen"),
        (
            "UPDATE holds SET consumer_id = developer_id",
            "holds_frozen",
        ),
        (
            "UPDATE holds SET state = 'active', resolved_at = NULL, earned = 0 \
             WHERE state = 'captured'",
            "holds_resolved_once",
        ),
        (
            "UPDATE holds SET state = 'captured' WHERE state = 'released'",
            "holds_resolved_once",
        ),
        (
            "SELECT resolve_hold(execution_id, true) FROM holds WHERE state = 'captured'",
            "holds_resolved_once",
        ),
        (
            "SELECT resolve_hold(execution_id, false) FROM holds WHERE state = 'released'",
            "holds_resolved_once",
        ),
        (
            "UPDATE holds SET refunded = amount + 1000 WHERE state = 'captured'",
            "holds_refunded_check",
        ),
        (
            "UPDATE ledger_accounts SET balance = -1 WHERE kind = 'consumer_available'",
            "ledger_accounts_balance_check",
        ),
    ] {
        let refusal = books.shop.test.refusal(statement).await;
        assert_eq!(refusal.as_deref(), Some(constraint), "{statement}");
    }
    books.assert_sound().await;
}
