//! A consumer's statement: the transfers of what he can spend, those of one refund or reversal
//! taken together in one line.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tarsify_domain::id::ConsumerId;
use tarsify_domain::ledger::{EntryKind, EntrySubject, StatementEntry};
use tarsify_domain::money::Millicredits;
use tarsify_domain::{Misfit, RepoError, Timestamp};
use uuid::Uuid;

use crate::listing::{Counted, Direction, Listing, Sort, SortKey};
use crate::statement::Binds;
use crate::stored;

/// What a transfer `t` is to its consumer.
const ENTRY: &str = "CASE t.kind \
        WHEN 'purchase' THEN 'PURCHASE' WHEN 'bonus' THEN 'BONUS' WHEN 'welcome' THEN 'WELCOME' \
        WHEN 'adjustment' THEN 'ADJUSTMENT' WHEN 'hold' THEN 'HOLD' WHEN 'release' THEN 'RELEASE' \
        WHEN 'refund_pending' THEN 'REFUND' WHEN 'refund_payable' THEN 'REFUND' \
        WHEN 'refund_platform' THEN 'REFUND' WHEN 'card_refund' THEN 'CARD_REFUND' \
        WHEN 'chargeback' THEN 'CHARGEBACK' WHEN 'reversal_recovered' THEN 'CHARGEBACK' WHEN 'bonus_reversal' THEN (\
            SELECT CASE r.kind WHEN 'refund' THEN 'CARD_REFUND' ELSE 'CHARGEBACK' END \
            FROM reversals r WHERE r.id = t.ref_id\
        ) \
        WHEN 'chargeback_returned' THEN 'CHARGEBACK_RETURNED' \
        WHEN 'bonus_returned' THEN 'CHARGEBACK_RETURNED' \
        ELSE t.kind END";

/// A line is the last transfer of its group, in the order in which the ledger's functions write
/// them. Most kinds are alone in theirs, and for these nothing is looked up. The kinds that may
/// follow depend on `t`, so this is never turned into a look at all transfers at once.
const IS_LINE: &str = "(t.kind NOT IN ('refund_pending', 'refund_payable', 'card_refund', \
        'chargeback', 'chargeback_returned') OR NOT EXISTS (\
            SELECT 1 FROM ledger_transfers f WHERE f.ref_id = t.ref_id AND f.ref_type = t.ref_type \
                AND f.kind = ANY (CASE t.kind \
                    WHEN 'refund_pending' THEN ARRAY['refund_payable', 'refund_platform'] \
                    WHEN 'refund_payable' THEN ARRAY['refund_platform'] \
                    WHEN 'chargeback_returned' THEN ARRAY['bonus_returned'] \
                    ELSE ARRAY['bonus_reversal'] END)\
        ))";

/// By how much all of a line's transfers changed the wallet.
const AMOUNT: &str = "(\
        SELECT sum(CASE WHEN f.credit_id = t.wallet_id THEN f.amount ELSE -f.amount END)::bigint \
        FROM ledger_transfers f \
        WHERE f.ref_id = t.ref_id AND f.ref_type = t.ref_type AND f.wallet_id = t.wallet_id \
            AND f.kind = ANY (CASE \
                WHEN t.ref_type = 'refund' \
                    THEN ARRAY['refund_pending', 'refund_payable', 'refund_platform'] \
                WHEN t.kind IN ('card_refund', 'chargeback', 'bonus_reversal') \
                    THEN ARRAY['card_refund', 'chargeback', 'bonus_reversal'] \
                WHEN t.kind IN ('chargeback_returned', 'bonus_returned') \
                    THEN ARRAY['chargeback_returned', 'bonus_returned'] \
                ELSE ARRAY[t.kind] END)\
    )";

/// The title of the model whose run a line is about.
const TITLE: &str = "(\
        SELECT m.title FROM holds h JOIN tars_models m ON m.id = h.tars_model_id \
        WHERE h.execution_id = CASE t.ref_type WHEN 'execution' THEN t.ref_id \
            WHEN 'refund' THEN (SELECT f.execution_id FROM refunds f WHERE f.id = t.ref_id) END\
    )";

/// What lines are about.
const SUBJECTS: [&str; 6] = [
    "execution",
    "purchase",
    "grant",
    "refund",
    "reversal",
    "consumer",
];

/// The list, newest line first.
pub(super) fn listing(consumer: ConsumerId, kind: Option<EntryKind>) -> Listing {
    let mut binds = Binds::default();
    let mut filter = vec![
        format!(
            "t.wallet_id = (\
                SELECT a.id FROM ledger_accounts a \
                WHERE a.owner_id = {} AND a.kind = 'consumer_available'\
             )",
            binds.uuid(consumer.uuid()),
        ),
        IS_LINE.to_owned(),
    ];
    if let Some(kind) = kind {
        filter.push(format!("{ENTRY} = {}", binds.text(kind.as_str())));
    }
    Listing {
        with: String::new(),
        columns: format!(
            "t.ref_id AS id, t.id AS number, {ENTRY} AS entry, {AMOUNT} AS amount, \
             t.wallet_after AS balance_after, t.ref_type, {TITLE} AS title, t.at AS created_at"
        ),
        tables: "ledger_transfers t".to_owned(),
        counted: Counted::In("ledger_transfers t".to_owned()),
        filter,
        binds,
        sort: Sort {
            order: StatementEntry::ORDER,
            key: SortKey::Number("t.id"),
            // The transfer's own number decides alone; a cursor wants an id as well.
            id: "t.ref_id",
            direction: Direction::Descending,
        },
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct EntryRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Text)]
    entry: String,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = BigInt)]
    balance_after: i64,
    #[diesel(sql_type = Text)]
    ref_type: String,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: Timestamp,
}

impl TryFrom<EntryRow> for StatementEntry {
    type Error = RepoError;

    fn try_from(row: EntryRow) -> Result<Self, RepoError> {
        let EntryRow {
            id,
            number,
            entry,
            amount,
            balance_after,
            ref_type,
            title,
            created_at,
        } = row;
        Ok(Self {
            id: number,
            kind: stored::parsed("kind", &entry, EntryKind::parse)?,
            amount: Millicredits::new(amount),
            balance_after: Millicredits::new(balance_after),
            subject: EntrySubject {
                kind: stored::parsed("ref_type", &ref_type, subject)?,
                id,
            },
            model_title: title,
            created_at,
        })
    }
}

fn subject(word: &str) -> Result<&'static str, Misfit> {
    let known = SUBJECTS.into_iter().find(|subject| *subject == word);
    known.ok_or_else(|| Misfit::new("enum", "is nothing that a statement is about"))
}
