//! Rolls the platform's accounts up, so that nobody has to sum all of their transfers again.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::BigInt;
use tarsify_domain::RepoError;

use crate::pool::Database;
use crate::statement::{Binds, Statement, Written};
use crate::stored;

/// Checkpoints in PostgreSQL.
pub struct PgCheckpoints {
    database: Database,
}

impl PgCheckpoints {
    /// Makes them in `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Sums each of the platform's accounts up to the newest transfer before which none can
    /// appear any more, from its last checkpoint on. Answers whether there was anything new.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn advance(&self) -> Result<bool, RepoError> {
        // Alone, because it waits for the writers and keeps new ones out until it is over.
        let frontier = "SELECT ledger_frontier() AS number".to_owned();
        let frontier = Statement::new(frontier, Binds::default());
        let rows = self.database.read(&frontier).await;
        let rows: Vec<NumberRow> = rows.map_err(|failure| failure.into_repo())?;
        let up_to = stored::answered(rows)?.number;
        let mut is_new = false;
        loop {
            let rows = self.database.write(&summing(up_to)).await;
            let rows: Vec<Written> = rows.map_err(|failure| failure.into_repo())?;
            if rows.is_empty() {
                return Ok(is_new);
            }
            is_new = true;
        }
    }
}

/// How many transfers one statement sums, so that none takes long after a long pause.
const MOST: i64 = 500_000;

/// Whoever else is at it comes to the same sums, or to those up to another transfer.
fn summing(up_to: i64) -> Statement {
    let mut binds = Binds::default();
    let up_to = binds.number(up_to);
    let sql = format!(
        "WITH last AS MATERIALIZED (\
            SELECT coalesce(max(up_to), 0) AS up_to FROM ledger_checkpoints\
         ), now_to AS MATERIALIZED (\
            SELECT least({up_to}, last.up_to + {MOST}) AS up_to FROM last\
         ), since AS (\
            SELECT side.account, sum(side.delta)::bigint AS balance \
            FROM ledger_transfers t CROSS JOIN LATERAL (\
                VALUES (t.debit_id, -t.amount), (t.credit_id, t.amount)\
            ) side (account, delta) \
            WHERE t.id > (SELECT up_to FROM last) AND t.id <= (SELECT up_to FROM now_to) \
                AND side.account <= 100 \
            GROUP BY side.account\
         ) \
         INSERT INTO ledger_checkpoints (account_id, up_to, balance, made_at) \
         SELECT a.id, n.up_to, coalesce(k.balance, 0) + coalesce(s.balance, 0), now() \
         FROM ledger_accounts a CROSS JOIN last CROSS JOIN now_to n \
         LEFT JOIN ledger_checkpoints k ON k.account_id = a.id AND k.up_to = last.up_to \
         LEFT JOIN since s ON s.account = a.id \
         WHERE a.owner_id IS NULL AND n.up_to > last.up_to \
         ON CONFLICT (account_id, up_to) DO NOTHING RETURNING account_id"
    );
    Statement::new(sql, binds)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
}
