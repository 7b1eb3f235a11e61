//! Turns merged entries into typed values. Every value that cannot be read leaves a fault, so that one pass finds them all.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::{Fault, Source, Wrong};
use super::keys::{self, Key, Kind};
use super::layers::{Entry, Layer};

/// The values of all set keys, and the faults found so far.
pub(super) struct Reader {
    entries: BTreeMap<&'static str, Entry>,
    /// Keys whose value was of the wrong kind: given, but not to be read, and their fault is told.
    dropped: BTreeSet<&'static str>,
    faults: Vec<Fault>,
}

impl Reader {
    /// Gives each value the kind its key wants; those that cannot have it leave a fault and are dropped.
    pub(super) fn new(layer: Layer, faults: Vec<Fault>) -> Self {
        let mut reader = Self {
            entries: BTreeMap::new(),
            dropped: BTreeSet::new(),
            faults,
        };
        for key in keys::ALL {
            let Some(entry) = layer.get(key.path) else {
                continue;
            };
            match value_of_kind(key.kind, entry) {
                Ok(value) => {
                    let source = entry.source.clone();
                    reader.entries.insert(key.path, Entry { value, source });
                }
                Err(wrong) => {
                    let fault = Fault::in_value(key, &entry.value, &entry.source, wrong);
                    reader.faults.push(fault);
                    reader.dropped.insert(key.path);
                }
            }
        }
        reader
    }

    pub(super) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// The value of a key, where it is set and of the right kind.
    pub(super) fn entry(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key.path)
    }

    /// Whether any layer sets the key, to whatever value.
    pub(super) fn is_given(&self, key: &Key) -> bool {
        self.entries.contains_key(key.path) || self.dropped.contains(key.path)
    }

    /// Whether somebody set the key: what is built in chooses nothing.
    pub(super) fn is_chosen(&self, key: &Key) -> bool {
        self.entry(key)
            .is_some_and(|entry| !matches!(entry.source, Source::BuiltIn(_)))
    }

    /// The text of a key, where it is set.
    pub(super) fn text(&self, key: &Key) -> Option<&str> {
        self.entry(key)?.value.as_str()
    }

    /// Notes a fault in the value of a key, or in its absence.
    pub(super) fn refuse(&mut self, key: &Key, wrong: Wrong) {
        let fault = match self.entry(key) {
            Some(Entry { value, source }) => Fault::in_value(key, value, source, wrong),
            None => Fault::without_value(key.path, Source::Unset, wrong),
        };
        self.faults.push(fault);
    }

    /// A value that needs no more than its kind.
    pub(super) fn plain<T: DeserializeOwned>(&mut self, key: &Key) -> Option<T> {
        let value = self.required(key)?;
        match serde_json::from_value(value) {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(key, Wrong::new(error.to_string(), "Give another value"));
                None
            }
        }
    }

    /// A text that must be set.
    pub(super) fn parsed<T>(&mut self, key: &Key, parse: Parse<T>) -> Option<T> {
        self.required(key)?;
        self.optional(key, parse)?
    }

    /// A text that may be unset. The outer `None` is a fault.
    pub(super) fn optional<T>(&mut self, key: &Key, parse: Parse<T>) -> Option<Option<T>> {
        let parsed = self.text(key).map(parse).transpose();
        parsed.map_err(|wrong| self.refuse(key, wrong)).ok()
    }

    /// A list that must be set, each item parsed.
    pub(super) fn list<T>(&mut self, key: &Key, parse: Parse<T>) -> Option<Vec<T>> {
        let items: Vec<String> = self.plain(key)?;
        let parsed: Result<Vec<T>, Wrong> = items.iter().map(|item| parse(item)).collect();
        parsed.map_err(|wrong| self.refuse(key, wrong)).ok()
    }

    fn required(&mut self, key: &Key) -> Option<Value> {
        let value = self.entry(key).map(|entry| entry.value.clone());
        if !self.is_given(key) {
            let remedy = format!("Set {}", key.known_variable());
            self.refuse(key, Wrong::new("is not set", remedy));
        }
        value
    }
}

/// Reads a text, or says what is wrong with it.
pub(super) type Parse<T> = fn(&str) -> Result<T, Wrong>;

fn value_of_kind(kind: Kind, Entry { value, source }: &Entry) -> Result<Value, Wrong> {
    match (value, source) {
        (Value::String(text), Source::Variable(_)) => {
            if text.contains('\u{FFFD}') {
                return Err(Wrong::new("is not UTF-8 text", "Write it again in UTF-8"));
            }
            check_kind(kind, written_value(kind, text))
        }
        _ => check_kind(kind, value.clone()),
    }
}

/// What the text of a variable would be in a file.
fn written_value(kind: Kind, text: &str) -> Value {
    let lower = text.to_lowercase();
    match kind {
        Kind::Integer { .. } => text
            .parse()
            .map_or_else(|_not_a_number| text.into(), u64::into),
        Kind::Flag => match lower.as_str() {
            "1" | "true" | "yes" | "on" => true.into(),
            "0" | "false" | "no" | "off" => false.into(),
            _ => text.into(),
        },
        Kind::List(separators) => text
            .split(separators)
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .collect(),
        Kind::Text | Kind::Choice(_) => text.into(),
    }
}

fn check_kind(kind: Kind, value: Value) -> Result<Value, Wrong> {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    match kind {
        Kind::Text if value.as_str().is_some_and(|text| text.trim().is_empty()) => {
            Err(Wrong::new("is empty", "Give a value or remove the line"))
        }
        Kind::Text if value.is_string() => Ok(value),
        Kind::Text => Err(Wrong::new("is not text", "Write it in double quotes")),
        Kind::Choice(words) if value.as_str().is_some_and(|text| words.contains(&text)) => {
            Ok(value)
        }
        Kind::Choice(words) => {
            let words = words.join(", ");
            Err(Wrong::new(
                "is not one of the known words",
                format!("Give one of {words}"),
            ))
        }
        Kind::Integer { minimum, maximum } => {
            let remedy = format!("Give a whole number from {minimum} to {maximum}");
            match value.as_u64() {
                Some(number) if (minimum..=maximum).contains(&number) => Ok(value),
                _ if value.is_number() && !value.is_f64() => {
                    Err(Wrong::new("is out of range", remedy))
                }
                _ => Err(Wrong::new("is not a whole number", remedy)),
            }
        }
        Kind::Flag if value.is_boolean() => Ok(value),
        Kind::Flag => Err(Wrong::new(
            "is neither true nor false",
            "Give true or false, without quotes",
        )),
        Kind::List(_)
            if value
                .as_array()
                .is_some_and(|items| items.iter().all(is_text)) =>
        {
            Ok(value)
        }
        Kind::List(_) => Err(Wrong::new(
            "is not a list of texts",
            "Write [\"one\", \"two\"], no item empty",
        )),
    }
}
