//! As much of PromQL as is needed to tell which metrics and labels an expression speaks of.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

/// What stands between metrics; functions are told by the bracket behind them.
const WORDS: [&str; 21] = [
    "and",
    "or",
    "unless",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "offset",
    "inf",
    "nan",
    "sum",
    "min",
    "max",
    "avg",
    "count",
    "topk",
    "bottomk",
    "quantile",
];

/// A word after which labels stand in brackets.
const OF_LABELS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

/// What an expression speaks of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Spoken {
    /// Each metric with the labels that it is chosen by, and the values they have to have.
    pub(super) metrics: Vec<(String, Vec<Matcher>)>,
    /// The labels that are grouped by.
    pub(super) labels: BTreeSet<String>,
}

/// What a label has to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Matcher {
    pub(super) label: String,
    /// The one value, unless it is a pattern or what it must not be.
    pub(super) value: Option<String>,
}

impl Spoken {
    pub(super) fn of(expression: &str) -> Self {
        let mut spoken = Self::default();
        let mut rest = expression.chars().peekable();
        let mut last = String::new();
        while let Some(letter) = rest.next() {
            match letter {
                '"' => drop(text(&mut rest)),
                '[' => while rest.next().is_some_and(|letter| letter != ']') {},
                '(' if OF_LABELS.contains(&last.as_str()) => {
                    let inside: String =
                        rest.by_ref().take_while(|letter| *letter != ')').collect();
                    let labels = inside.split(',').map(|label| label.trim().to_owned());
                    spoken
                        .labels
                        .extend(labels.filter(|label| !label.is_empty()));
                    last.clear();
                }
                '{' => {
                    let matchers = matchers(&mut rest);
                    let (_, known) = spoken.metrics.last_mut().unwrap();
                    known.extend(matchers);
                }
                letter if letter.is_ascii_digit() => {
                    while rest
                        .next_if(|next| next.is_ascii_alphanumeric() || *next == '.')
                        .is_some()
                    {}
                }
                letter if is_of_name(letter) => {
                    let mut name = String::from(letter);
                    while let Some(next) =
                        rest.next_if(|next| is_of_name(*next) || next.is_ascii_digit())
                    {
                        name.push(next);
                    }
                    let is_function =
                        rest.peek() == Some(&'(') && !OF_LABELS.contains(&name.as_str());
                    if !is_function && !WORDS.contains(&name.as_str()) {
                        spoken.metrics.push((name.clone(), Vec::new()));
                    }
                    last = name;
                }
                letter if letter.is_whitespace() => {}
                _ => last.clear(),
            }
        }
        spoken
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_' || letter == ':'
}

fn text(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(letter) = rest.next() {
        match letter {
            '"' => break,
            '\\' => text.extend(rest.next()),
            letter => text.push(letter),
        }
    }
    text
}

/// Up to the closing bracket.
fn matchers(rest: &mut Peekable<Chars<'_>>) -> Vec<Matcher> {
    let mut matchers = Vec::new();
    let (mut label, mut sign) = (String::new(), String::new());
    while let Some(letter) = rest.next() {
        match letter {
            '}' => break,
            '"' => {
                let value = text(rest);
                let is_one = sign == "=" && !value.contains('$');
                matchers.push(Matcher {
                    label: std::mem::take(&mut label),
                    value: is_one.then_some(value),
                });
                sign.clear();
            }
            letter if is_of_name(letter) || letter.is_ascii_digit() => label.push(letter),
            '=' | '!' | '~' => sign.push(letter),
            _ => {}
        }
    }
    matchers
}

#[test]
fn metrics_and_labels_are_found_wherever_they_stand() {
    let spoken = Spoken::of(
        "histogram_quantile(0.95, sum by (le, route) (rate(a_bucket{status!~\"5..\",route=\"/x{id}\"}[5m]))) \
         > 1.5 and on (instance) (b_total - b_total offset 5m) / clamp_min(c, 1) unless up == 0",
    );
    let names: Vec<&str> = spoken
        .metrics
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["a_bucket", "b_total", "b_total", "c", "up"]);
    let labels: Vec<&str> = spoken.labels.iter().map(String::as_str).collect();
    assert_eq!(labels, ["instance", "le", "route"]);
    let (_, matchers) = &spoken.metrics[0];
    let matchers: Vec<_> = matchers
        .iter()
        .map(|matcher| (matcher.label.as_str(), matcher.value.as_deref()))
        .collect();
    assert_eq!(matchers, [("status", None), ("route", Some("/x{id}"))]);
}
