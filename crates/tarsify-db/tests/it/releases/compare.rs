//! What of one schema a program misses in a later one, from what both offer.

use std::collections::BTreeMap;

/// Whether a rule of this kind does not simply let pass what holds an empty column. That some index
/// leaves such rows out is no harm.
fn minds_empty(kind: &str, said: &str) -> bool {
    let words = match kind {
        "check" => "IS NOT NULL",
        "reference" => "MATCH FULL",
        _ => "NULLS NOT DISTINCT",
    };
    said.contains(words)
}

/// The things that a schema offers, each with what is said of it.
struct Offer<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Offer<'a> {
    fn read(text: &'a str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty());
        Self(
            lines
                .map(|line| line.split_once(": ").unwrap_or((line, "")))
                .collect(),
        )
    }

    fn has_table(&self, table: &str) -> bool {
        self.0.contains_key(format!("table {table}").as_str())
    }

    fn has_column(&self, table: &str, column: &str) -> bool {
        self.0
            .contains_key(format!("column {table}.{column}").as_str())
    }

    /// Whether the column has something in it that nobody has given.
    fn fills(&self, table: &str, column: &str) -> bool {
        let said = self.0.get(format!("column {table}.{column}").as_str());
        said.is_some_and(|said| is_given(said))
    }

    /// Why a program that knows only this is hurt by something new in `later`.
    fn is_hurt_by(&self, later: &Self, thing: &str, said: &str) -> Option<&'static str> {
        let (kind, name) = thing.split_once(' ')?;
        let (table, _) = name.split_once('.')?;
        if !self.has_table(table) {
            return None;
        }
        match kind {
            "column" => {
                let must_be_given = said.contains(" not null") && !is_given(said);
                must_be_given.then_some("the old program does not give it")
            }
            "check" | "reference" | "unique" => {
                let (columns, _) = said.strip_prefix('(')?.split_once(')')?;
                // What is about a column that whoever does not know it leaves empty lets him pass; one
                // that is filled for him holds the same in each of his rows.
                let mut columns = columns.split(", ");
                let lets_pass = columns.any(|column| {
                    let is_new = column != "*" && !self.has_column(table, column);
                    is_new && !later.fills(table, column)
                });
                let hurts = !lets_pass || minds_empty(kind, said);
                hurts.then_some("refuses what the old program may write")
            }
            "trigger" => Some("it may refuse or change what the old program writes"),
            _ => None,
        }
    }
}

/// Whether a column says what is in it where nothing is given.
fn is_given(said: &str) -> bool {
    [" default ", " generated "]
        .iter()
        .any(|how| said.contains(how))
}

/// What hurts a program of the earlier schema in the later one.
pub(super) fn offences(earlier: &str, later: &str) -> Vec<String> {
    let (earlier, later) = (Offer::read(earlier), Offer::read(later));
    let changed = earlier.0.iter().filter_map(|(thing, was)| {
        let Some(is) = later.0.get(thing) else {
            return Some(format!("{thing} is gone"));
        };
        (is != was).then(|| format!("{thing} was `{was}` and is `{is}`"))
    });
    let new = later.0.iter().filter_map(|(thing, said)| {
        if earlier.0.contains_key(thing) {
            return None;
        }
        let why = earlier.is_hurt_by(&later, thing, said)?;
        Some(format!("{thing} is new, and {why}: `{said}`"))
    });
    changed.chain(new).collect()
}

/// Those of them for which nobody has given a reason, as `thing: reason`.
pub(super) fn refusals(offences: Vec<String>, accepted: &[String]) -> Vec<String> {
    let is_accepted = |offence: &String| {
        accepted.iter().any(|line| {
            let Some((thing, reason)) = line.split_once(": ") else {
                return false;
            };
            let of_it = offence.strip_prefix(thing);
            !reason.trim().is_empty() && of_it.is_some_and(|rest| rest.starts_with(' '))
        })
    };
    let mut offences = offences;
    offences.retain(|offence| !is_accepted(offence));
    offences
}
