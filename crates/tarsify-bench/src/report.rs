//! The figures, each beside the ceiling that was measured in the same run, and what was promised.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::ceiling::Ceilings;

/// Where the figures stand in the document; everything around them is written by hand.
const BEGIN: &str = "<!-- figures: scripts/bench writes what follows -->";
const END: &str = "<!-- end of figures -->";

/// One thing that was measured.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) rate: f64,
    pub(crate) half: Duration,
    pub(crate) most: Duration,
    /// Milliseconds of processor time of the server and of the database for each.
    pub(crate) cost: (f64, f64),
    /// The letter of its ceiling, and what part of it was promised.
    pub(crate) promise: Option<(char, f64)>,
}

/// One promise that is no rate.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) what: String,
    pub(crate) measured: f64,
    pub(crate) unit: &'static str,
    pub(crate) most: f64,
}

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    /// How fast the least that the server can answer is answered: the ceiling H.
    pub(crate) least: f64,
    pub(crate) ceilings: Ceilings,
    pub(crate) rows: Vec<Row>,
    pub(crate) marks: Vec<Mark>,
}

impl Report {
    fn ceiling(&self, letter: char) -> f64 {
        match letter {
            'H' => self.least,
            'S' => self.ceilings.reads,
            'P' => self.ceilings.transactions,
            _ => self.ceilings.submits,
        }
    }

    fn ratio(&self, row: &Row) -> Option<f64> {
        let (letter, _) = row.promise?;
        Some(row.rate / self.ceiling(letter))
    }

    /// Whether everything that was promised is so.
    pub(crate) fn is_reached(&self) -> bool {
        let kept = |row: &Row| {
            row.promise
                .is_none_or(|(_, part)| self.ratio(row) >= Some(part))
        };
        self.rows.iter().all(kept) && self.marks.iter().all(|mark| mark.measured <= mark.most)
    }

    /// Puts the figures into a document, in the place that is marked there.
    pub(crate) fn write_into(&self, file: &Path) -> anyhow::Result<()> {
        let shown = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("{shown} cannot be read"))?;
        let place = text
            .split_once(BEGIN)
            .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        ensure!(
            place.is_some(),
            "{shown} has no place for the figures: {BEGIN} and {END}"
        );
        let (before, after) = place.unwrap_or_default();
        fs::write(file, format!("{before}{BEGIN}\n\n{self}\n{END}{after}"))?;
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ceilings {
            reads,
            transactions,
            submits,
        } = self.ceilings;
        writeln!(formatter, "| Ceiling | A second |\n|---|---|")?;
        for (what, rate) in [
            ("H: `GET /livez`", self.least),
            ("S: pgbench, reads", reads),
            ("P: pgbench, TPC-B-like", transactions),
            ("C: pgbench, the least of a paid submit", submits),
        ] {
            writeln!(formatter, "| {what} | {rate:.0} |")?;
        }
        writeln!(
            formatter,
            "\n| What | A second | Half within | 99 % within | CPU of the server, of PostgreSQL, for 1,000 | Beside | Promised |\n|---|---|---|---|---|---|---|"
        )?;
        for row in &self.rows {
            let beside = row.promise.zip(self.ratio(row));
            let (beside, promised) = beside.map_or_else(
                || (String::new(), String::new()),
                |((letter, part), ratio)| {
                    let missed = if ratio < part { ", **missed**" } else { "" };
                    (
                        format!("{ratio:.2} {letter}"),
                        format!("{part:.2} {letter}{missed}"),
                    )
                },
            );
            let (server, database) = row.cost;
            let (half, most) = (milliseconds(row.half), milliseconds(row.most));
            writeln!(
                formatter,
                "| {} | {:.0} | {half} | {most} | {server:.2} s, {database:.2} s | {beside} | {promised} |",
                row.what, row.rate,
            )?;
        }
        writeln!(formatter, "\n| What | Measured | Promised |\n|---|---|---|")?;
        for Mark {
            what,
            measured,
            unit,
            most,
        } in &self.marks
        {
            // What is no number is nothing that was kept.
            let missed = if measured <= most { "" } else { ", **missed**" };
            writeln!(
                formatter,
                "| {what} | {measured:.1} {unit} | at most {most} {unit}{missed} |"
            )?;
        }
        Ok(())
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests;
