//! Takes out of a provider's answers what the developer keeps to himself, before anything of
//! them is stored for whoever asked.
//!
//! What is found, wherever it stands, keys of objects included:
//!
//! - the whole prompt as it was sent: the prompt as it was typed comes in its place;
//! - prefix, suffix and each hidden or secret text of 8 characters or more: `[hidden]`;
//! - a piece of such a text of 32 characters or more, and one of 16 or more where a string
//!   begins or ends with it (punctuation apart), as in an echo that was cut off: `[hidden]`;
//! - all of these with other ASCII capitals, and inside JSON that stands in a string, up to
//!   three levels deep, whichever way its writer escapes;
//! - an object, or a string that is the JSON of an object, that equals the payload: the inputs.
//!
//! What is not: shorter pieces, such as an echo in chunks; hidden numbers, unless in a whole
//! payload; texts with other spaces in them, and texts in other encodings (base64, per cent,
//! HTML entities, other languages' escapes). A prompt of less than 8 characters, prefix and
//! suffix included, is only replaced where it is the whole string. Words that the requester
//! typed himself are not hidden from him.

mod conceal;
mod escapes;
mod finder;
mod own;
mod pieces;
mod settled;
mod texts;

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value};
use tarsify_domain::execution::Material;

pub use conceal::conceal;
use finder::{Cut, Finder};
use own::OwnTexts;

/// What stands where something was taken out.
const HIDDEN: &str = "[hidden]";
/// The shortest text that is hidden, in characters.
const SHORTEST: usize = 8;
/// How many levels of JSON inside strings are looked into.
const LEVELS: usize = 3;
/// How often what is left is looked at again. Each time something may have moved together.
const ROUNDS: u32 = 16;

/// Takes out of answers what one execution's requester must not read. To make one costs more
/// than to use it on a short text.
pub struct Scrubber<'a> {
    /// None when no search could be built: then every text is hidden.
    finder: Option<Finder>,
    inputs: &'a Map<String, Value>,
    /// None when it says no more than the inputs.
    payload: Option<&'a Map<String, Value>>,
}

impl std::fmt::Debug for Scrubber<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Scrubber(..)")
    }
}

/// What objects may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Objects {
    /// The payload, perhaps.
    Foreign,
    /// Part of the inputs.
    Own,
}

impl<'a> Scrubber<'a> {
    /// A scrubber for the answers to one execution.
    #[must_use]
    pub fn new(material: &'a Material) -> Self {
        let Material {
            inputs,
            payload,
            concealed,
        } = material;
        let mut own = OwnTexts::default();
        inputs.values().for_each(|value| own.add_all(value));
        concealed.own_prompt.iter().for_each(|text| own.add(text));
        Self {
            finder: Finder::build(concealed, &own).ok(),
            inputs,
            payload: (payload != inputs).then_some(payload),
        }
    }

    /// The value without what is concealed. It is the same value when there is nothing in it,
    /// and scrubbing twice changes no more than once.
    #[must_use]
    pub fn scrub_value(&self, value: Value) -> Value {
        self.scrub(value, Objects::Foreign)
    }

    /// The text without what is concealed.
    #[must_use]
    pub fn scrub_text(&self, text: &str) -> String {
        self.scrubbed(text).unwrap_or_else(|| text.to_owned())
    }

    fn scrub(&self, value: Value, objects: Objects) -> Value {
        match value {
            Value::String(text) => Value::String(self.scrubbed(&text).unwrap_or(text)),
            Value::Array(items) => {
                let items = items.into_iter().map(|item| self.scrub(item, objects));
                Value::Array(items.collect())
            }
            Value::Object(object) if objects == Objects::Foreign && self.is_payload(&object) => {
                self.scrub_object(self.inputs.clone(), Objects::Own)
            }
            Value::Object(object) => self.scrub_object(object, objects),
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    fn scrub_object(&self, object: Map<String, Value>, objects: Objects) -> Value {
        let mut scrubbed = Map::with_capacity(object.len());
        let mut twins = HashMap::<String, u32>::new();
        for (key, value) in object {
            let mut key = self.scrubbed(&key).unwrap_or(key);
            // Two keys may have become the same one.
            while scrubbed.contains_key(&key) {
                let count = twins.entry(key.clone()).or_insert(1);
                *count += 1;
                key = format!("{key} {count}");
            }
            scrubbed.insert(key, self.scrub(value, objects));
        }
        Value::Object(scrubbed)
    }

    fn is_payload(&self, object: &Map<String, Value>) -> bool {
        self.payload
            .is_some_and(|payload| are_same(payload, object))
    }

    /// The inputs as JSON when the text is the JSON of the payload.
    fn inputs_for(&self, text: &str) -> Option<String> {
        if !text.trim_start().starts_with('{') || self.payload.is_none() {
            return None;
        }
        let object = serde_json::from_str::<Map<String, Value>>(text).ok()?;
        let is_payload = self.is_payload(&object);
        is_payload.then(|| serde_json::to_string(self.inputs).unwrap_or_else(|_| HIDDEN.to_owned()))
    }

    /// What becomes of the text; none when it stays as it is.
    fn scrubbed(&self, text: &str) -> Option<String> {
        let Some(finder) = &self.finder else {
            return Some(HIDDEN.to_owned());
        };
        let mut found = self.inputs_for(text);
        if finder.is_idle() {
            return found;
        }
        for _ in 0..ROUNDS {
            match scrub_once(finder, found.as_deref().unwrap_or(text)) {
                Some(next) => found = Some(next),
                None => return found,
            }
        }
        Some(HIDDEN.to_owned())
    }
}

/// Takes out what stands in the JSON that the text holds or, if nothing does, in the text
/// itself: only at its own level an echo is found as it was written, escapes included. Whole
/// prompts come first and pieces last, or else little would be left of what is longer.
fn scrub_once(finder: &Finder, text: &str) -> Option<String> {
    let mut layers = vec![Cow::Borrowed(text)];
    while layers.len() <= LEVELS
        && let Some(next) = layers.last().and_then(|top| escapes::unescape(top))
    {
        layers.push(Cow::Owned(next));
    }
    let mut suspects: Vec<(usize, &str)> = Vec::new();
    for (level, layer) in layers.iter().enumerate().rev() {
        if finder.is_suspect(layer) {
            suspects.push((level, layer));
        }
    }
    let ways: [fn(&Finder, &str) -> Vec<Cut>; 3] = [
        Finder::find_prompts,
        Finder::find_texts,
        Finder::find_pieces,
    ];
    for find in ways {
        for (level, layer) in &suspects {
            let mut cuts = find(finder, layer);
            if !cuts.is_empty() {
                let below = layers.iter().take(*level).rev();
                below.for_each(|below| sink(&mut cuts, below));
                return Some(finder.apply(text, &cuts, *level));
            }
        }
    }
    None
}

/// Turns places in an unescaped text into places in the text that it was made of.
fn sink(cuts: &mut [Cut], below: &str) {
    let ends = cuts.iter().flat_map(|cut| [cut.start, cut.end]);
    let mut sources = escapes::sources(below, ends).into_iter();
    for cut in cuts {
        if let (Some(start), Some(end)) = (sources.next(), sources.next()) {
            (cut.start, cut.end) = (start, end);
        }
    }
}

/// Whether two objects say the same; a provider may write `1` for `1.0`.
fn are_same(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let is_same = |(key, value): (&String, &Value)| {
        other
            .get(key)
            .is_some_and(|found| is_same_value(value, found))
    };
    one.len() == other.len() && one.iter().all(is_same)
}

fn is_same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => are_same(one, other),
        (Value::Array(one), Value::Array(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| is_same_value(one, other))
        }
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64().is_some_and(|one| Some(one) == other.as_f64())
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests;
