//! Each way in which the money can be made wrong is found, under the right rule and name.

use tarsify_db::PgCheckpoints;

use super::books::Books;

/// What is done, by which rule it has to be found, and SQL for whose it is.
struct Corruption {
    what: &'static str,
    planted: &'static str,
    rule: &'static str,
    subject: &'static str,
}

/// Nothing stands in the way of what is planted.
const UNGUARDED: &str = "ALTER TABLE ledger_accounts DISABLE TRIGGER ALL; \
    ALTER TABLE ledger_transfers DISABLE TRIGGER ALL; ALTER TABLE holds DISABLE TRIGGER ALL; \
    ALTER TABLE purchases DISABLE TRIGGER ALL; ALTER TABLE payouts DISABLE TRIGGER ALL; \
    ALTER TABLE executions DISABLE TRIGGER ALL";

const AVAILABLE: &str =
    "SELECT kind || ' of ' || owner_id FROM ledger_accounts WHERE kind = 'consumer_available'";
const CAPTURED: &str =
    "SELECT 'run ' || execution_id FROM holds WHERE state = 'captured' ORDER BY amount LIMIT 1";

const CORRUPTIONS: [Corruption; 22] = [
    Corruption {
        what: "a balance is one more",
        planted: "UPDATE ledger_accounts SET balance = balance + 1 WHERE kind = 'consumer_available'",
        rule: "replay",
        subject: AVAILABLE,
    },
    Corruption {
        what: "the sum of all is not 0 any more",
        planted: "UPDATE ledger_accounts SET balance = balance - 1 WHERE kind = 'developer_payable'",
        rule: "sum",
        subject: "SELECT 'all accounts'",
    },
    Corruption {
        what: "a transfer is deleted",
        planted: "DELETE FROM ledger_transfers WHERE ref_type = 'grant'",
        rule: "grant",
        subject: "SELECT 'grant ' || id FROM grants",
    },
    Corruption {
        what: "the amount of a transfer is changed",
        planted: "UPDATE ledger_transfers SET amount = amount + 5 WHERE kind = 'mature'",
        rule: "maturing",
        subject: "SELECT 'maturing ' || id FROM maturings",
    },
    Corruption {
        what: "a transfer is about nothing",
        planted: "INSERT INTO ledger_transfers (ref_type, ref_id, kind, debit_id, credit_id, amount, at) \
            VALUES ('grant', '019d0000-0000-7000-8000-0000000000aa', 'adjustment', 2, 3, 7, now())",
        rule: "business_row",
        subject: "SELECT 'grant 019d0000-0000-7000-8000-0000000000aa'",
    },
    Corruption {
        what: "two balances are exchanged",
        planted: "UPDATE ledger_accounts a SET balance = b.balance FROM ledger_accounts b \
            WHERE a.kind IN ('developer_pending', 'developer_payable') \
                AND b.kind IN ('developer_pending', 'developer_payable') AND a.kind <> b.kind",
        rule: "replay",
        subject: "SELECT kind || ' of ' || owner_id FROM ledger_accounts WHERE kind = 'developer_payable'",
    },
    Corruption {
        what: "the amount of a hold is changed",
        planted: "UPDATE holds SET amount = amount + 1000 WHERE state = 'active'",
        rule: "hold",
        subject: "SELECT 'run ' || execution_id FROM holds WHERE state = 'active'",
    },
    Corruption {
        what: "and does not fit what is held",
        planted: "UPDATE holds SET amount = amount + 1000 WHERE state = 'active'",
        rule: "held",
        subject: "SELECT kind || ' of ' || owner_id FROM ledger_accounts WHERE kind = 'consumer_held'",
    },
    Corruption {
        what: "a hold is active after the end",
        planted: "UPDATE holds SET state = 'active', resolved_at = NULL WHERE state = 'released'",
        rule: "overdue",
        subject: "SELECT 'run ' || execution_id FROM holds WHERE state = 'released'",
    },
    Corruption {
        what: "the price is divided wrongly",
        planted: "UPDATE ledger_transfers t SET amount = t.amount \
                + CASE t.kind WHEN 'capture_developer' THEN 1 ELSE -1 END \
            WHERE t.kind LIKE 'capture%' AND t.ref_id = (\
                SELECT execution_id FROM holds WHERE state = 'captured' ORDER BY amount LIMIT 1)",
        rule: "split",
        subject: CAPTURED,
    },
    Corruption {
        what: "a hold says that its developer earned something else",
        planted: "UPDATE holds SET earned = earned - 1 WHERE execution_id = (\
                SELECT execution_id FROM holds WHERE state = 'captured' ORDER BY amount LIMIT 1)",
        rule: "split",
        subject: CAPTURED,
    },
    Corruption {
        what: "a part of the price went nowhere",
        planted: "DELETE FROM ledger_transfers WHERE kind = 'capture_platform' AND ref_id = (\
                SELECT execution_id FROM holds WHERE state = 'captured' ORDER BY amount LIMIT 1)",
        rule: "hold",
        subject: CAPTURED,
    },
    Corruption {
        what: "a captured run is released, too",
        planted: "INSERT INTO ledger_transfers (ref_type, ref_id, kind, debit_id, credit_id, amount, at) \
            SELECT ref_type, ref_id, 'release', credit_id, debit_id, amount, at FROM ledger_transfers \
            WHERE kind = 'hold' AND ref_id = (\
                SELECT execution_id FROM holds WHERE state = 'captured' ORDER BY amount LIMIT 1)",
        rule: "hold",
        subject: CAPTURED,
    },
    Corruption {
        what: "a released run is captured instead",
        planted: "UPDATE ledger_transfers SET kind = 'capture_platform', credit_id = 3, \
                wallet_id = NULL, wallet_after = NULL \
            WHERE kind = 'release'",
        rule: "hold",
        subject: "SELECT 'run ' || execution_id FROM holds WHERE state = 'released'",
    },
    Corruption {
        what: "what a run earned goes to somebody else",
        planted: "UPDATE ledger_transfers SET credit_id = (\
                SELECT id FROM ledger_accounts WHERE kind = 'developer_payable') \
            WHERE kind = 'capture_developer' AND ref_id = (\
                SELECT execution_id FROM holds WHERE state = 'captured' ORDER BY amount LIMIT 1)",
        rule: "sides",
        subject: CAPTURED,
    },
    Corruption {
        what: "a run that never was is paid for",
        planted: "INSERT INTO ledger_transfers (ref_type, ref_id, kind, debit_id, credit_id, amount, at) \
            VALUES ('execution', '019d0000-0000-7000-8000-0000000000dd', 'hold', 2, 3, 7, now())",
        rule: "business_row",
        subject: "SELECT 'run 019d0000-0000-7000-8000-0000000000dd'",
    },
    Corruption {
        what: "more is refunded than was captured",
        planted: "UPDATE holds SET refunded = amount + 1000 WHERE execution_id = (\
                SELECT execution_id FROM holds WHERE state = 'captured' ORDER BY amount LIMIT 1)",
        rule: "refund",
        subject: CAPTURED,
    },
    Corruption {
        what: "a checkpoint is wrong",
        planted: "UPDATE ledger_checkpoints SET balance = balance + 1 WHERE account_id = 3",
        rule: "replay",
        subject: "SELECT 'platform_revenue'",
    },
    Corruption {
        what: "a statement ends with something else",
        planted: "UPDATE ledger_transfers SET wallet_after = wallet_after + 1 \
            WHERE id = (SELECT max(id) FROM ledger_transfers WHERE wallet_id IS NOT NULL)",
        rule: "statement",
        subject: AVAILABLE,
    },
    Corruption {
        what: "a payout is paid without a transfer",
        planted: "INSERT INTO payouts (id, developer_id, amount, status, account_ref, transfer_ref, \
                requested_at, ended_at) \
            SELECT '019d0000-0000-7000-8000-0000000000bb', id, 5000, 'PAID', 'acct_1', 'tr_9', now(), \
                now() FROM developers",
        rule: "payout",
        subject: "SELECT 'payout 019d0000-0000-7000-8000-0000000000bb'",
    },
    Corruption {
        what: "a purchase is paid without a transfer",
        planted: "INSERT INTO purchases (id, consumer_id, credits, bonus_credits, price_cents, \
                currency, status, payment_ref, paid_at, created_at, updated_at) \
            SELECT '019d0000-0000-7000-8000-0000000000cc', id, 500, 0, 500, 'usd', 'PAID', 'pi_9', \
                now(), now(), now() FROM consumers",
        rule: "purchase",
        subject: "SELECT 'purchase 019d0000-0000-7000-8000-0000000000cc'",
    },
    Corruption {
        what: "an account is gone",
        planted: "DELETE FROM ledger_accounts WHERE kind = 'consumer_held'",
        rule: "account",
        subject: "SELECT 'account ' || id FROM ledger_accounts WHERE kind = 'consumer_held'",
    },
];

#[tokio::test]
async fn each_corruption_is_found_by_its_rule_and_named() {
    for corruption in CORRUPTIONS {
        let Corruption {
            what,
            planted,
            rule,
            subject,
        } = corruption;
        let books = Books::busy().await;
        let checkpoints = PgCheckpoints::new(books.shop.test.database.clone());
        checkpoints.advance().await.unwrap();
        books.assert_sound().await;
        let subject = books.one(subject).await;
        books.sql(&format!("{UNGUARDED}; {planted}")).await;
        let report = books.verify().await;
        assert!(!report.is_sound(), "{what}");
        let named = report.faults.iter();
        let named = named.filter(|fault| fault.rule == rule && fault.subject == subject);
        assert_eq!(named.count(), 1, "{what}: {:#?}", report.faults);
        assert!(report.faults.iter().all(|fault| !fault.detail.is_empty()));
        let listed = u64::try_from(report.faults.len()).unwrap();
        assert_eq!(report.faults_total, listed, "{what}");
    }
}

#[tokio::test]
async fn a_report_counts_what_it_looked_at_and_names_the_first_hundred() {
    let books = Books::welcoming(1_000).await;
    for _ in 0..3 {
        books.completed(1).await;
    }
    let report = books.verify().await;
    // The platform's four, the consumer's two and the developer's four.
    assert_eq!((report.accounts, report.transfers), (10, 1 + 3 * 3));
    assert!(!report.took.is_zero());
    books
        .sql(
            "INSERT INTO ledger_transfers (ref_type, ref_id, kind, debit_id, credit_id, amount, at) \
             SELECT 'grant', gen_random_uuid(), 'adjustment', 2, 3, 7, now() \
             FROM generate_series(1, 150)",
        )
        .await;
    let report = books.verify().await;
    // Each belongs to nothing, and leads from one wrong account to another.
    assert_eq!((report.faults_total, report.faults.len()), (300, 100));
    assert_eq!(report.transfers, 160);
}
