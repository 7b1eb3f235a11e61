//! From what somebody types to what PostgreSQL looks for. Every input is a search; one without
//! a word in it finds nothing.

use tarsify_domain::text::SearchText;

use crate::statement::Binds;

/// How well a tars model `t` fits what is `wanted`, as a whole number, because a cursor needs
/// a value that is equal to itself.
pub(super) const RELEVANCE: &str =
    "round(ts_rank(t.search, wanted.query)::numeric * 1000000)::bigint";

/// The common table expression `wanted`, with the one value `query`: every word that was typed
/// has to be the beginning of a word, because people see results while they type.
pub(super) fn wanted(search: &SearchText, binds: &mut Binds) -> String {
    let query = binds.text(beginnings(search.as_str()));
    format!(
        "wanted AS MATERIALIZED (\
            SELECT to_tsquery('pg_catalog.simple', {query}) AS query\
         ),"
    )
}

/// The words in the language of `to_tsquery`. Whatever is neither letter nor digit parts words,
/// so nothing that can be typed is taken for an operator.
fn beginnings(text: &str) -> String {
    let words = text.split(|character: char| !character.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words
        .map(|word| format!("{word}:*"))
        .collect::<Vec<_>>()
        .join(" & ")
}

#[cfg(test)]
mod tests;
