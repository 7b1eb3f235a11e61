//! The texts that a requester typed himself. They are not hidden from him.

use serde_json::Value;

/// How many bytes of his texts are kept at the most. Larger ones are images or sound.
const MOST_BYTES: usize = 256 * 1024;

/// Texts in ASCII lower case.
#[derive(Debug, Default)]
pub(super) struct OwnTexts {
    texts: Vec<String>,
    bytes: usize,
}

impl OwnTexts {
    pub(super) fn add(&mut self, text: &str) {
        let bytes = self.bytes.saturating_add(text.len());
        if bytes <= MOST_BYTES && !text.is_empty() {
            self.bytes = bytes;
            self.texts.push(text.to_ascii_lowercase());
        }
    }

    /// Adds every text in the value; names of fields are none.
    pub(super) fn add_all(&mut self, value: &Value) {
        each_text(value, &mut |text| self.add(text));
    }

    /// Whether one of them contains the text, which is in lower case.
    pub(super) fn contain(&self, text: &str) -> bool {
        self.texts.iter().any(|own| own.contains(text))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }
}

/// Calls `take` with every text in the value.
pub(super) fn each_text<'a>(value: &'a Value, take: &mut impl FnMut(&'a str)) {
    match value {
        Value::String(text) => take(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, take)),
        Value::Object(object) => object.values().for_each(|item| each_text(item, take)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
