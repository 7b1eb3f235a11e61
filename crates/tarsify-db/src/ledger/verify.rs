//! The check of everything, in one look.

use std::time::Instant;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{Array, BigInt, Text};
use tarsify_domain::RepoError;
use tarsify_domain::ledger::{LedgerFault, LedgerReport, LedgerVerifier};

use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;

/// Checks the ledger in PostgreSQL.
pub struct PgLedgerVerifier {
    database: Database,
}

impl PgLedgerVerifier {
    /// Checks the one in `database`. A look at millions of transfers takes many seconds, so its
    /// statements should have the time.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl LedgerVerifier for PgLedgerVerifier {
    async fn verify(&self) -> Result<LedgerReport, RepoError> {
        let begun = Instant::now();
        let rows = self.database.read(&statement()).await;
        let rows: Vec<ReportRow> = rows.map_err(|failure| failure.into_repo())?;
        let ReportRow {
            accounts,
            transfers,
            faults_total,
            rules,
            subjects,
            details,
        } = stored::answered(rows)?;
        let named = rules.into_iter().zip(subjects).zip(details);
        let faults = named.map(|((rule, subject), detail)| LedgerFault {
            rule,
            subject,
            detail,
        });
        Ok(LedgerReport {
            accounts: stored::count("accounts", accounts)?,
            transfers: stored::count("transfers", transfers)?,
            faults_total: stored::count("faults", faults_total)?,
            faults: faults.collect(),
            took: begun.elapsed(),
        })
    }
}

/// One statement, so that everything is seen as it was at the same moment.
fn statement() -> Statement {
    let mut binds = Binds::default();
    let named = binds.number(i64::from(LedgerReport::NAMED));
    let order = "ORDER BY rule, subject, detail";
    let sql = format!(
        "WITH faults AS MATERIALIZED (SELECT rule, subject, detail FROM ledger_faults), \
         named AS MATERIALIZED (SELECT * FROM faults {order} LIMIT {named}) \
         SELECT (SELECT count(*) FROM ledger_accounts) AS accounts, \
            (SELECT count(*) FROM ledger_transfers) AS transfers, \
            (SELECT count(*) FROM faults) AS faults_total, \
            coalesce(array_agg(rule {order}), '{{}}') AS rules, \
            coalesce(array_agg(subject {order}), '{{}}') AS subjects, \
            coalesce(array_agg(detail {order}), '{{}}') AS details \
         FROM named"
    );
    Statement::new(sql, binds)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct ReportRow {
    #[diesel(sql_type = BigInt)]
    accounts: i64,
    #[diesel(sql_type = BigInt)]
    transfers: i64,
    #[diesel(sql_type = BigInt)]
    faults_total: i64,
    #[diesel(sql_type = Array<Text>)]
    rules: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    subjects: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    details: Vec<String>,
}
