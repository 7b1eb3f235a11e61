//! `scripts/ledger-check` sums everything up by itself, from what psql exports, and comes to the
//! same as we do.

use std::path::Path;
use std::process::{Command, Output};

use tarsify_db::PgCheckpoints;

use super::books::Books;

fn check(books: &Books) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/ledger-check");
    let output = Command::new(script).arg(&books.shop.test.url).output();
    output.expect("scripts/ledger-check runs")
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    [out, err]
        .map(|said| String::from_utf8_lossy(said))
        .concat()
}

/// The busy books, and a thousand runs and their ends more.
async fn thousands() -> Books {
    let books = Books::busy().await;
    books.adjust(10_000).await.unwrap();
    books
        .sql(&format!(
            "SELECT end_run(begin_run('{}', 1 + n % 9), CASE WHEN n % 5 = 0 THEN 'FAILED' \
                ELSE 'COMPLETED' END) FROM generate_series(1, 1000) n",
            books.consumer,
        ))
        .await;
    books
}

#[tokio::test]
async fn both_come_to_the_same_balances() {
    let books = thousands().await;
    let checkpoints = PgCheckpoints::new(books.shop.test.database.clone());
    checkpoints.advance().await.unwrap();
    books.completed(3).await;
    let report = books.verify().await;
    assert!(report.is_sound() && report.transfers > 2_500, "{report:?}");
    let output = check(&books);
    assert!(output.status.success(), "{}", said(&output));
    let balances = "SELECT p.kind || E'\\t' || p.balance FROM ledger_platform p \
        UNION ALL SELECT kind || ' of ' || owner_id || E'\\t' || balance FROM ledger_accounts \
            WHERE owner_id IS NOT NULL";
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut printed: Vec<_> = printed.lines().map(str::to_owned).collect();
    let mut expected = books.sql(balances).await;
    printed.sort();
    expected.sort();
    assert_eq!(printed, expected);
}

#[tokio::test]
async fn both_name_the_account_that_is_wrong() {
    let corruptions = [
        (
            "UPDATE ledger_accounts SET balance = balance + 1 WHERE kind = 'consumer_available'",
            "SELECT kind || ' of ' || owner_id FROM ledger_accounts WHERE kind = 'consumer_available'",
        ),
        (
            "UPDATE ledger_transfers SET amount = amount + 1 \
             WHERE id = (SELECT max(id) FROM ledger_transfers WHERE kind = 'capture_developer')",
            "SELECT kind || ' of ' || owner_id FROM ledger_accounts WHERE kind = 'developer_pending'",
        ),
        (
            "UPDATE ledger_checkpoints SET balance = balance - 1 WHERE account_id = 2",
            "SELECT 'platform_promo'",
        ),
    ];
    for (corruption, subject) in corruptions {
        let books = thousands().await;
        let checkpoints = PgCheckpoints::new(books.shop.test.database.clone());
        checkpoints.advance().await.unwrap();
        let subject = books.one(subject).await;
        let unseen = format!("SET session_replication_role = replica; {corruption}");
        books.sql(&unseen).await;
        let report = books.verify().await;
        let named = report.faults.iter().any(|fault| fault.subject == subject);
        assert!(named, "{corruption}: {:#?}", report.faults);
        let output = check(&books);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let complaint = format!("wrong: {subject}: ");
        let complaints = String::from_utf8_lossy(&output.stderr);
        let complained = complaints.lines().any(|line| line.starts_with(&complaint));
        assert!(complained, "{corruption}: {}", said(&output));
    }
}

#[tokio::test]
async fn it_says_when_it_could_not_look() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/ledger-check");
    for arguments in [vec![], vec!["postgres://nobody@127.0.0.1:1/nowhere"]] {
        let output = Command::new(&script).args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(!output.stderr.is_empty());
    }
}
