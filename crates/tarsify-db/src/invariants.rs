//! What must hold of executions at any moment, asked of the views that tell where it does not.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use tarsify_domain::RepoError;
use tarsify_domain::id::ExecutionId;
use uuid::Uuid;

use crate::pool::Database;
use crate::statement::{Binds, Statement};
use crate::stored;

/// Each view, and what it stands for.
const INVARIANTS: [(&str, &str); 11] = [
    (
        "E1",
        "a run with a price has one hold of that price, which is active exactly as long as the run has not ended; others have none",
    ),
    (
        "E2",
        "the hold of a completed run is captured, and that of any other run that has ended is released",
    ),
    (
        "E3",
        "an execution that has ended has exactly one terminal event, its last; one that has not has none",
    ),
    (
        "E4",
        "the events of an execution are numbered 1, 2, 3 and so on",
    ),
    (
        "E5",
        "no execution is open for more than 60 seconds past its deadline",
    ),
    (
        "E6",
        "a completed execution has one winning job, others have none, and no job belongs to two attempts",
    ),
    ("E7", "a completed execution has a result"),
    (
        "E8",
        "nothing that is due in the outbox, first in its lane and leased by nobody, has waited for more than 60 seconds",
    ),
    ("E9", "no lease is longer than 30 seconds"),
    (
        "E10",
        "exactly the price of a completed run is captured, and nothing of any other",
    ),
    (
        "E11",
        "what is counted of a consumer's ended runs is how many there are, of each kind of end",
    ),
];

/// How many executions are named of each.
const SAMPLE: i64 = 10;

/// Something that must always hold and does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenInvariant {
    /// Its name, such as `E3`.
    pub name: &'static str,
    /// What should hold.
    pub rule: &'static str,
    /// How many violations there are.
    pub violations: u64,
    /// What is found instead in the first of `executions`.
    pub detail: String,
    /// Some of the executions for which it does not hold; for E8, what the messages are about,
    /// and for E11 the consumers.
    pub executions: Vec<ExecutionId>,
}

/// Looks whether what must always hold does.
pub struct PgInvariants {
    database: Database,
}

impl PgInvariants {
    /// Looks into `database`. With millions of executions a look takes many seconds, so its
    /// statements should have the time.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// What does not hold; nothing when all is well.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn broken(&self) -> Result<Vec<BrokenInvariant>, RepoError> {
        let mut broken = Vec::new();
        for (name, rule) in INVARIANTS {
            let rows = self.database.read(&statement(name)).await;
            let rows: Vec<ViolationsRow> = rows.map_err(|failure| failure.into_repo())?;
            let row = stored::answered(rows)?;
            let violations = stored::count("violations", row.violations)?;
            if violations == 0 {
                continue;
            }
            let executions = row.executions.unwrap_or_default();
            broken.push(BrokenInvariant {
                name,
                rule,
                violations,
                detail: row.detail.unwrap_or_default(),
                executions: executions.into_iter().map(ExecutionId::from_uuid).collect(),
            });
        }
        Ok(broken)
    }
}

fn statement(name: &str) -> Statement {
    let mut binds = Binds::default();
    let sample = binds.number(SAMPLE);
    let view = name.to_ascii_lowercase();
    let sql = format!(
        "WITH violations AS MATERIALIZED (SELECT execution_id, detail FROM invariant_{view}), \
         sample AS (SELECT * FROM violations ORDER BY execution_id, detail LIMIT {sample}) \
         SELECT (SELECT count(*) FROM violations) AS violations, \
            (SELECT detail FROM sample ORDER BY execution_id, detail LIMIT 1) AS detail, \
            (SELECT array_agg(DISTINCT execution_id ORDER BY execution_id) FROM sample) \
                AS executions"
    );
    Statement::new(sql, binds)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Pg))]
struct ViolationsRow {
    #[diesel(sql_type = BigInt)]
    violations: i64,
    #[diesel(sql_type = Nullable<Text>)]
    detail: Option<String>,
    #[diesel(sql_type = Nullable<Array<SqlUuid>>)]
    executions: Option<Vec<Uuid>>,
}
