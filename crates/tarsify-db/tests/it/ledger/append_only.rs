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

#[tokio::test]
async fn every_bound_has_a_name_and_holds_for_everybody() {
    let books = Books::busy().await;
    let transfer = |values: &str| {
        format!(
            "INSERT INTO ledger_transfers \
                (ref_type, ref_id, kind, at, debit_id, credit_id, amount, wallet_id, wallet_after) \
             VALUES ('grant', gen_random_uuid(), 'adjustment', now(), {values})"
        )
    };
    let hold = |values: &str| {
        format!(
            "INSERT INTO holds (execution_id, consumer_id, developer_id, tars_model_id, held_at, \
                amount, developer_bps) \
             SELECT gen_random_uuid(), consumer_id, developer_id, tars_model_id, now(), {values} \
             FROM holds"
        )
    };
    let (transfers, holds) = ("UPDATE ledger_transfers SET", "UPDATE holds SET");
    let (amount, sides, wallet) = (
        "ledger_transfers_amount_check",
        "ledger_transfers_sides_check",
        "ledger_transfers_wallet_check",
    );
    let (price, share) = ("holds_amount_check", "holds_developer_bps_check");
    for (statement, constraint) in [
        (transfer("1, 2, 0, NULL, NULL"), amount),
        (transfer("1, 2, -5, NULL, NULL"), amount),
        (transfer("2, 2, 5, NULL, NULL"), sides),
        (transfer("1, 2, 5, 3, 0"), wallet),
        (transfer("1, 2, 5, 1, -1"), wallet),
        (format!("{transfers} amount = 0"), amount),
        (format!("{transfers} debit_id = credit_id"), sides),
        (
            format!("{transfers} wallet_id = 3, wallet_after = 0"),
            wallet,
        ),
        (hold("0, 7000"), price),
        (hold("5, -1"), share),
        (hold("5, 10001"), share),
        (format!("{holds} amount = 0"), price),
        (format!("{holds} developer_bps = 10001"), share),
    ] {
        // With triggers switched off, as far as they can be.
        let statement = format!("SET session_replication_role = replica; {statement}");
        let refusal = books.shop.test.refusal(&statement).await;
        assert_eq!(refusal.as_deref(), Some(constraint), "{statement}");
    }
    books.assert_sound().await;
}
