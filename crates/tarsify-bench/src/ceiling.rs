//! What this PostgreSQL can do at all, by pgbench: reads (S), its own TPC-B-like transactions (P), and
//! the least that a paid submit has to write, as one prepared statement (C).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::cluster::ask;

/// A guarded balance, what is held of it, and the execution: what accepting a paid run cannot do
/// without, with the indexes that each of them cannot do without.
const LEAST: &str = "
    CREATE TABLE least_accounts (id integer PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0)) WITH (fillfactor = 50);
    CREATE TABLE least_holds (execution_id uuid PRIMARY KEY, account_id integer NOT NULL, amount bigint NOT NULL);
    CREATE TABLE least_executions (
        id uuid PRIMARY KEY, account_id integer NOT NULL, status text NOT NULL, inputs json NOT NULL,
        created_at timestamptz NOT NULL, next_action_at timestamptz
    );
    CREATE INDEX ON least_executions (next_action_at) WHERE next_action_at IS NOT NULL;
    INSERT INTO least_accounts SELECT n, 1000000000000 FROM generate_series(1, 1000) n;
    VACUUM ANALYZE;
";

const SUBMIT: &str = "\\set account random(1, 1000)
WITH paid AS (
    UPDATE least_accounts SET balance = balance - 10 WHERE id = :account AND balance >= 10 RETURNING id
), held AS (
    INSERT INTO least_holds SELECT gen_random_uuid(), id, 10 FROM paid RETURNING execution_id, account_id
)
INSERT INTO least_executions
SELECT execution_id, account_id, 'PENDING', '{\"prompt\": \"a lighthouse at dusk\"}', now(), now() FROM held;
";

/// What is measured by them.
pub(crate) struct Ceiling {
    pgbench: PathBuf,
    url: String,
    submit: PathBuf,
}

/// Transactions a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ceilings {
    pub(crate) reads: f64,
    pub(crate) transactions: f64,
    pub(crate) submits: f64,
}

impl Ceiling {
    pub(crate) fn prepare(pgbench: &Path, url: String, folder: &Path) -> anyhow::Result<Self> {
        let submit = folder.join("submit.sql");
        std::fs::write(&submit, SUBMIT)?;
        let ceiling = Self {
            pgbench: pgbench.to_owned(),
            url,
            submit,
        };
        ceiling.run(&["--initialize", "--scale", "50", "--quiet"])?;
        ask(&ceiling.url, LEAST)?;
        Ok(ceiling)
    }

    pub(crate) fn measure(&self, each: Duration) -> anyhow::Result<Ceilings> {
        let submit = self.submit.to_string_lossy();
        Ok(Ceilings {
            reads: self.rate(each, &["--select-only", "--client", "16"])?,
            transactions: self.rate(each, &["--client", "16"])?,
            submits: self.rate(each, &["--client", "32", "--file", &submit])?,
        })
    }

    fn rate(&self, each: Duration, arguments: &[&str]) -> anyhow::Result<f64> {
        let seconds = each.as_secs().to_string();
        let usual = [
            "--no-vacuum",
            "--protocol",
            "prepared",
            "--jobs",
            "2",
            "--time",
            &seconds,
        ];
        let said = self.run(&[&usual, arguments].concat())?;
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.and_then(|rate| rate.split(' ').next()?.parse().ok());
        rate.with_context(|| format!("pgbench said no rate: {said}"))
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.pgbench)
            .args(arguments)
            .arg(&self.url)
            .output();
        let output = output.context("pgbench cannot be started")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pgbench failed: {errors}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Ceilings {
    /// The machine changes its mind over minutes: the mean of before and after.
    pub(crate) fn mean(self, other: Self) -> Self {
        let mean = |one: f64, other: f64| f64::midpoint(one, other);
        Self {
            reads: mean(self.reads, other.reads),
            transactions: mean(self.transactions, other.transactions),
            submits: mean(self.submits, other.submits),
        }
    }
}
