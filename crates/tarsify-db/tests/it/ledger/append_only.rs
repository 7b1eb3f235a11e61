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
            "SELECT capture_holds(array_agg(execution_id)) FROM holds WHERE state <> 'released'",
            "holds_resolved_once",
        ),
        (
            "SELECT capture_holds(array_agg(execution_id)) FROM holds WHERE state <> 'captured'",
            "holds_resolved_once",
        ),
        (
            "SELECT release_hold(execution_id) FROM holds WHERE state = 'captured'",
            "holds_resolved_once",
        ),
        (
            "SELECT release_hold(execution_id) FROM holds WHERE state = 'released'",
            "holds_resolved_once",
        ),
        // Within one moment nothing of the hold itself would change the second time.
        (
            "SELECT capture_holds(ARRAY[execution_id, execution_id]) FROM holds \
             WHERE state = 'active'",
            "holds_resolved_once",
        ),
        (
            "SELECT capture_holds(ARRAY[execution_id]) FROM holds CROSS JOIN generate_series(1, 2) \
             WHERE state = 'active'",
            "holds_resolved_once",
        ),
        (
            "SELECT release_hold(execution_id) FROM holds CROSS JOIN generate_series(1, 2) \
             WHERE state = 'active'",
            "holds_resolved_once",
        ),
        (
            "UPDATE holds SET refunded = amount + 1000 WHERE state = 'captured'",
            "holds_sound",
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

#[tokio::test]
async fn only_what_the_ledger_knows_is_written() {
    let books = Books::busy().await;
    let transfer = |about: &str, kind: &str| {
        format!(
            "INSERT INTO ledger_transfers \
                (ref_type, ref_id, kind, debit_id, credit_id, amount, at) \
             VALUES ('{about}', gen_random_uuid(), '{kind}', 1, 2, 5, now())"
        )
    };
    let account = |owner: &str, kind: &str| {
        format!("INSERT INTO ledger_accounts (owner_id, kind) VALUES ({owner}, '{kind}')")
    };
    let somebody = "(SELECT owner_id FROM ledger_accounts WHERE kind = 'developer_owed')";
    for (statement, constraint) in [
        (transfer("execution", "welcome"), "ledger_transfers_known"),
        (transfer("payout", "mature"), "ledger_transfers_known"),
        (transfer("gift", "hold"), "ledger_transfers_known"),
        (account("NULL", "developer_owed"), "ledger_accounts_known"),
        (
            account(somebody, "stripe_clearing"),
            "ledger_accounts_known",
        ),
        (account(somebody, "savings"), "ledger_accounts_known"),
        (
            "UPDATE ledger_accounts SET kind = 'savings' WHERE kind = 'developer_owed'".to_owned(),
            "ledger_accounts_known",
        ),
        (
            "UPDATE ledger_accounts SET balance = 1 WHERE kind = 'developer_owed'".to_owned(),
            "ledger_accounts_balance_check",
        ),
    ] {
        let refusal = books.shop.test.refusal(&statement).await;
        assert_eq!(refusal.as_deref(), Some(constraint), "{statement}");
    }
    books.assert_sound().await;
}
