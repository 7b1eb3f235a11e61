//! The money of one run: its hold, what became of it, and every refund.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};
use tarsify_domain::execution::Found;
use tarsify_domain::id::ExecutionId;
use tarsify_domain::ledger::{HoldState, Receipt, ReceiptEntry, ReceiptKind};
use tarsify_domain::money::Millicredits;
use tarsify_domain::{RepoError, Scope, Timestamp};

use crate::execution::row::{MODELS, SUMMARY, SummaryRow, seen_by};
use crate::statement::{Binds, Statement};
use crate::stored;

/// The movements of an execution `x`, oldest first. A capture is two transfers and a refund up to
/// three; each is one movement.
const ENTRIES: &str = "SELECT array_agg(n.kind ORDER BY n.place) AS kinds, \
        array_agg(n.amount ORDER BY n.place) AS amounts, array_agg(n.at ORDER BY n.place) AS moments \
    FROM (\
        SELECT k.kind, sum(t.amount)::bigint AS amount, max(t.at) AS at, max(t.id) AS place \
        FROM ledger_transfers t CROSS JOIN LATERAL (\
            SELECT CASE t.kind WHEN 'hold' THEN 'HOLD' WHEN 'release' THEN 'RELEASE' \
                ELSE 'CAPTURE' END AS kind\
        ) k \
        WHERE t.ref_type = 'execution' AND t.ref_id = x.id GROUP BY k.kind \
        UNION ALL \
        SELECT 'REFUND', sum(t.amount)::bigint, max(t.at), max(t.id) \
        FROM refunds f JOIN ledger_transfers t ON t.ref_type = 'refund' AND t.ref_id = f.id \
        WHERE f.execution_id = x.id GROUP BY f.id\
    ) n";

/// The statement, which finds the run whoever asks and tells whether he may see it.
pub(super) fn statement(scope: Scope, run: ExecutionId) -> Statement {
    let mut binds = Binds::default();
    let id = binds.uuid(run.uuid());
    let seen = seen_by(scope, &mut binds);
    let sql = format!(
        "SELECT {SUMMARY}, {seen} AS is_seen, h.state AS hold_state, \
            CASE h.state WHEN 'captured' THEN h.amount ELSE 0 END AS captured, \
            coalesce(h.refunded, 0) AS refunded, \
            coalesce(n.kinds, '{{}}') AS kinds, coalesce(n.amounts, '{{}}') AS amounts, \
            coalesce(n.moments, '{{}}') AS moments \
         FROM executions x {MODELS} LEFT JOIN holds h ON h.execution_id = x.id \
         CROSS JOIN LATERAL ({ENTRIES}) n WHERE x.id = {id}"
    );
    Statement::new(sql, binds)
}

/// What the statement found.
pub(super) fn found(rows: Vec<FoundReceiptRow>) -> Result<Found<Receipt>, RepoError> {
    match rows.into_iter().next() {
        None => Ok(Found::Nowhere),
        Some(FoundReceiptRow { is_seen: false, .. }) => Ok(Found::Foreign),
        Some(row) => Ok(Found::Here(row.try_into()?)),
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
pub(super) struct FoundReceiptRow {
    #[diesel(embed)]
    run: SummaryRow,
    #[diesel(sql_type = Bool)]
    is_seen: bool,
    #[diesel(sql_type = Nullable<Text>)]
    hold_state: Option<String>,
    #[diesel(sql_type = BigInt)]
    captured: i64,
    #[diesel(sql_type = BigInt)]
    refunded: i64,
    #[diesel(sql_type = Array<Text>)]
    kinds: Vec<String>,
    #[diesel(sql_type = Array<BigInt>)]
    amounts: Vec<i64>,
    #[diesel(sql_type = Array<Timestamptz>)]
    moments: Vec<Timestamp>,
}

impl TryFrom<FoundReceiptRow> for Receipt {
    type Error = RepoError;

    fn try_from(row: FoundReceiptRow) -> Result<Self, RepoError> {
        let FoundReceiptRow {
            run,
            is_seen: _,
            hold_state,
            captured,
            refunded,
            kinds,
            amounts,
            moments,
        } = row;
        let mut entries = Vec::with_capacity(kinds.len());
        for ((kind, amount), at) in kinds.iter().zip(amounts).zip(moments) {
            entries.push(ReceiptEntry {
                kind: stored::parsed("kind", kind, ReceiptKind::parse)?,
                amount: Millicredits::new(amount),
                at,
            });
        }
        Ok(Self {
            run: run.try_into()?,
            state: stored::parsed_optional("state", hold_state.as_deref(), HoldState::parse)?,
            paid: Millicredits::new(captured.saturating_sub(refunded)),
            refunded: Millicredits::new(refunded),
            entries,
        })
    }
}
