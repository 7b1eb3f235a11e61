//! What a model or a provider says went wrong, in a form that may be read: one line, short, and
//! without stack traces, paths, addresses, names of machines and keys. What it may quote of the
//! inputs is taken out elsewhere.

mod find;
mod redact;
mod trace;

use serde_json::Value;

use redact::redact;
use trace::without_traces;

/// Most characters of a message for consumers.
const LONGEST: usize = 500;
/// Bytes that are looked at of a text.
const LONGEST_SOURCE: usize = 32 * 1024;
/// A name that is shorter is too likely to be part of a word.
const SHORTEST_NAME: usize = 4;

/// What a consumer may read of a job's error: at most 500 characters; nothing when there is
/// nothing to say.
#[must_use]
pub fn public_message(error: &Value) -> Option<String> {
    Cleaner::default().message(error, LONGEST)
}

/// Takes out of messages what nobody may read, some known words included.
#[derive(Clone, Default)]
pub(super) struct Cleaner {
    hidden: Vec<String>,
}

impl Cleaner {
    pub(super) fn hiding(word: Option<String>) -> Self {
        Self {
            hidden: word.into_iter().collect(),
        }
    }

    pub(super) fn and_hiding(&self, word: Option<&str>) -> Self {
        let mut cleaner = self.clone();
        cleaner.hidden.extend(word.map(str::to_owned));
        cleaner
    }

    /// The message in an error, with at most so many characters.
    pub(super) fn message(&self, error: &Value, longest: usize) -> Option<String> {
        let text = find::text(error)?;
        let mut hidden = self.hidden.clone();
        find::names(error, &mut hidden);
        clean(&text, &hidden, longest)
    }
}

/// A text as one line with at most so many characters.
pub(super) fn tidy(text: &str, longest: usize) -> String {
    let text: Vec<String> = printable(text)
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    shortened(&text.join(" "), longest)
}

fn clean(text: &str, hidden: &[String], longest: usize) -> Option<String> {
    let mut text = printable(beginning(text));
    for word in hidden {
        if word.len() >= SHORTEST_NAME {
            text = text.replace(word.as_str(), redact::NAME);
        }
    }
    let lines = without_traces(find::before_report(&text));
    let lines: Vec<String> = lines.iter().map(|line| redact(line)).collect();
    // What was spread over lines is one line now.
    let line = without_traces(&lines.join(" ")).join(" ");
    let line = redact(&line);
    redact::says_something(&line).then(|| shortened(&line, longest))
}

/// As much as is looked at, without a word that is cut in two.
fn beginning(text: &str) -> &str {
    if text.len() <= LONGEST_SOURCE {
        return text;
    }
    let (text, _) = text.split_at(text.floor_char_boundary(LONGEST_SOURCE));
    text.rsplit_once(char::is_whitespace)
        .map_or("", |(whole, _)| whole)
}

/// Without what controls a terminal or how text is shown; line breaks stay.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' if characters.next_if_eq(&'[').is_some() => {
                while characters
                    .next_if(|next| next.is_ascii_digit() || matches!(next, ';' | '?'))
                    .is_some()
                {}
                characters.next_if(char::is_ascii_alphabetic);
            }
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => printable.push('\n'),
            '\t' => printable.push(' '),
            other if other.is_control() || is_invisible(other) => {}
            other => printable.push(other),
        }
    }
    printable
}

/// Characters without a shape that join, part or turn around others.
const fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let short: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests;
