//! What of one schema a program misses in a later one, from what both offer.

use std::collections::BTreeMap;

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

    /// Why a program that knows only this is hurt by something new.
    fn is_hurt_by(&self, thing: &str, said: &str) -> Option<&'static str> {
        let (kind, name) = thing.split_once(' ')?;
        let (table, _) = name.split_once('.')?;
        if !self.has_table(table) {
            return None;
        }
        match kind {
            "column" => {
                let is_given = [" default ", " generated "]
                    .iter()
                    .any(|how| said.contains(how));
                let must_be_given = said.contains(" not null") && !is_given;
                must_be_given.then_some("the old program does not give it")
            }
            "check" | "reference" | "unique" => {
                let (columns, _) = said.strip_prefix('(')?.split_once(')')?;
                // What is about a new column lets pass whoever does not know it.
                let has_new = |column| column != "*" && !self.has_column(table, column);
                let lets_pass = columns.split(", ").any(has_new);
                (!lets_pass).then_some("refuses what the old program may write")
            }
            _ => None,
        }
    }
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
        let why = earlier.is_hurt_by(thing, said)?;
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
