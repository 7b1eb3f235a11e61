//! What a developer fixes, presets and hides of a base model's inputs.

use serde_json::{Map, Value};

use crate::error::{Issue, Misfit};
use crate::text::without_nul;

/// A developer's configuration of a base model. It is kept as the JSON object he sent,
/// unknown keys included, after the known keys were found well-formed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigOverrides(Map<String, Value>);

const OBJECTS: [&str; 3] = ["defaultInputs", "lockedInputs", "secretInputs"];
const TEXTS: [&str; 3] = ["promptPrefix", "promptSuffix", "promptField"];
const HIDDEN: &str = "hiddenFields";

impl ConfigOverrides {
    /// Largest configuration, as compact JSON.
    pub const MAX_BYTES: usize = 32 * 1024;
    /// The field that prefix and suffix wrap when none is named.
    pub const DEFAULT_PROMPT_FIELD: &'static str = "prompt";

    /// Checks the form of every known key.
    ///
    /// # Errors
    /// Every fault, with its path relative to the overrides.
    pub fn parse(value: Value) -> Result<Self, Vec<Issue>> {
        let Value::Object(object) = value else {
            return Err(vec![Misfit::new("type", "must be a JSON object").at("")]);
        };
        let mut issues = Vec::new();
        for key in OBJECTS {
            if !matches!(object.get(key), None | Some(Value::Null | Value::Object(_))) {
                issues.push(Misfit::new("type", "must be a JSON object").at(format!("/{key}")));
            }
        }
        for key in TEXTS {
            match object.get(key) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => {
                    if let Err(misfit) = without_nul(text) {
                        issues.push(misfit.at(format!("/{key}")));
                    }
                }
                Some(_) => issues.push(Misfit::new("type", "must be a text").at(format!("/{key}"))),
            }
        }
        issues.extend(check_hidden(object.get(HIDDEN)));
        let overrides = Self(object);
        let bytes = overrides.to_value().to_string().len();
        if bytes > Self::MAX_BYTES {
            let message = format!(
                "must have at most {} bytes as JSON, not {bytes}",
                Self::MAX_BYTES
            );
            issues.push(Misfit::new("maxLength", message).at(""));
        }
        if issues.is_empty() {
            Ok(overrides)
        } else {
            Err(issues)
        }
    }

    /// Values for inputs that the consumer left out.
    #[must_use]
    pub fn default_inputs(&self) -> Option<&Map<String, Value>> {
        self.object("defaultInputs")
    }

    /// Values that the consumer cannot change.
    #[must_use]
    pub fn locked_inputs(&self) -> Option<&Map<String, Value>> {
        self.object("lockedInputs")
    }

    /// Values that are sent to the provider and shown to nobody.
    #[must_use]
    pub fn secret_inputs(&self) -> Option<&Map<String, Value>> {
        self.object("secretInputs")
    }

    /// Inputs that consumers neither see nor send.
    pub fn hidden_fields(&self) -> impl Iterator<Item = &str> {
        self.0
            .get(HIDDEN)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// The text before the consumer's prompt.
    #[must_use]
    pub fn prompt_prefix(&self) -> &str {
        self.text("promptPrefix").unwrap_or_default()
    }

    /// The text after the consumer's prompt.
    #[must_use]
    pub fn prompt_suffix(&self) -> &str {
        self.text("promptSuffix").unwrap_or_default()
    }

    /// The input that prefix and suffix wrap.
    #[must_use]
    pub fn prompt_field(&self) -> &str {
        self.text("promptField")
            .unwrap_or(Self::DEFAULT_PROMPT_FIELD)
    }

    /// The overrides as an object, as their developer wrote them.
    #[must_use]
    pub const fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The overrides as a JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }

    fn object(&self, key: &str) -> Option<&Map<String, Value>> {
        self.0.get(key).and_then(Value::as_object)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }
}

fn check_hidden(value: Option<&Value>) -> Vec<Issue> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(fields)) => fields
            .iter()
            .enumerate()
            .filter(|(_, field)| !field.is_string())
            .map(|(index, _)| {
                Misfit::new("type", "must be the name of a field").at(format!("/{HIDDEN}/{index}"))
            })
            .collect(),
        Some(_) => {
            vec![Misfit::new("type", "must be a list of field names").at(format!("/{HIDDEN}"))]
        }
    }
}

#[cfg(test)]
mod tests;
