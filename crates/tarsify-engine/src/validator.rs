//! Decides whether a consumer's inputs may run on a model. What it answers never holds a word
//! of what the developer keeps to himself: messages come from the broken rule alone.

mod compiled;
mod told;

use std::sync::Arc;

use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tarsify_domain::catalog::{ConfigOverrides, InputSchema};
use tarsify_domain::{Issue, Misfit};

pub use compiled::CompiledSchema;
pub(crate) use compiled::{LARGEST_PATTERN, build, options};

use crate::concealed::concealed_names;
use crate::document::{depth, join};
use crate::merge::merge_inputs;
use told::Telling;

/// How many issues one answer holds at most.
pub(crate) const MOST_ISSUES: usize = 100;
/// How deep objects and lists may stand inside each other, in inputs and in schemas.
pub(crate) const DEEPEST: usize = 64;
/// Where the inputs stand in a request.
const INPUTS: &str = "/inputs";

/// Validates inputs and keeps the compiled schemas it used last.
pub struct InputValidator {
    compiled: Cache<[u8; 32], Arc<CompiledSchema>>,
}

impl Default for InputValidator {
    /// Keeps 256 compiled schemas.
    fn default() -> Self {
        Self::new(256)
    }
}

impl std::fmt::Debug for InputValidator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("InputValidator")
            .field("compiled", &self.compiled.len())
            .finish()
    }
}

impl InputValidator {
    /// A validator that keeps at most `capacity` compiled schemas.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            compiled: Cache::new(capacity),
        }
    }

    /// Merges the consumer's inputs with the developer's configuration and answers the payload
    /// for the provider.
    ///
    /// # Errors
    /// Every fault (at most 100), with paths such as `/inputs/width`: a field that is unknown,
    /// hidden or secret (all answered alike), a locked field with another value, a merged
    /// payload that is empty or does not fit `schema`.
    pub fn validate_inputs(
        &self,
        schema: &InputSchema,
        overrides: &ConfigOverrides,
        user: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Vec<Issue>> {
        self.compiled(schema)?.validate_inputs(overrides, user)
    }

    /// The compiled form of `schema`, from the cache when it is there.
    fn compiled(&self, schema: &InputSchema) -> Result<Arc<CompiledSchema>, Vec<Issue>> {
        let key = digest(schema);
        if let Some(found) = key.and_then(|key| self.compiled.get(&key)) {
            return Ok(found);
        }
        // What is wrong with the schema is its operator's to know, not the consumer's.
        let Ok(compiled) = CompiledSchema::compile(schema).map(Arc::new) else {
            return Err(vec![broken_schema()]);
        };
        if let Some(key) = key {
            self.compiled.insert(key, Arc::clone(&compiled));
        }
        Ok(compiled)
    }
}

impl CompiledSchema {
    /// The same as [`InputValidator::validate_inputs`], for a schema that the caller keeps.
    ///
    /// # Errors
    /// As there.
    pub fn validate_inputs(
        &self,
        overrides: &ConfigOverrides,
        user: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Vec<Issue>> {
        let (accepted, mut issues) = self.admit(overrides, user);
        let payload = merge_inputs(&accepted, overrides);
        if payload.is_empty() {
            if issues.is_empty() {
                let empty = Misfit::new("minProperties", "must have at least one input");
                issues.push(empty.at(INPUTS));
            }
            issues.truncate(MOST_ISSUES);
            return Err(issues);
        }
        let value = Value::Object(payload);
        // Without the errors it is faster, and nearly every payload is good.
        if !self.validator().is_valid(&value) {
            self.tell(&value, &Telling::new(overrides, &accepted), &mut issues);
        }
        issues.truncate(MOST_ISSUES);
        match value {
            Value::Object(payload) if issues.is_empty() => Ok(payload),
            _ => Err(issues),
        }
    }

    /// Adds what is wrong with a payload that does not fit: at least one issue.
    fn tell(&self, payload: &Value, telling: &Telling<'_>, issues: &mut Vec<Issue>) {
        if !self.can_tell_faults(payload) {
            issues.push(told::too_large_to_tell());
            return;
        }
        for error in self.validator().iter_errors(payload).take(MOST_ISSUES) {
            for issue in telling.issues(&error) {
                if !issues.contains(&issue) {
                    issues.push(issue);
                }
            }
        }
        if issues.is_empty() {
            issues.push(told::generic());
        }
    }

    /// Parts what the consumer may say from what he may not.
    fn admit(
        &self,
        overrides: &ConfigOverrides,
        user: &Map<String, Value>,
    ) -> (Map<String, Value>, Vec<Issue>) {
        let concealed = concealed_names(overrides);
        let locked = overrides.locked_inputs();
        let mut accepted = Map::new();
        let mut issues = Vec::new();
        for (name, value) in user {
            let refusal = if concealed.contains(name.as_str()) || !self.declares(name) {
                Some(Misfit::new(
                    "additionalProperties",
                    "is not an input of this model: leave it out",
                ))
            } else if let Some(fixed) = locked.and_then(|locked| locked.get(name)) {
                (!same(fixed, value))
                    .then(|| Misfit::new("readOnly", "is fixed by the model: leave it out"))
            } else if depth(value) > DEEPEST {
                Some(Misfit::new(
                    "maxDepth",
                    format!("must not be nested deeper than {DEEPEST} levels"),
                ))
            } else {
                None
            };
            match refusal {
                Some(misfit) => issues.push(misfit.at(join(INPUTS, name))),
                None => {
                    accepted.insert(name.clone(), value.clone());
                }
            }
        }
        (accepted, issues)
    }
}

/// Equal as JSON Schema sees it: `1024` and `1024.0` are one number.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || (left.is_f64() != right.is_f64() && left.as_f64() == right.as_f64())
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

/// The hash of the schema's JSON; `None`, which never happens, would mean not to cache it.
fn digest(schema: &InputSchema) -> Option<[u8; 32]> {
    struct Hashing(Sha256);
    impl std::io::Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = std::io::BufWriter::new(Hashing(Sha256::new()));
    serde_json::to_writer(&mut hashing, schema.as_object()).ok()?;
    let hashing = hashing.into_inner().ok()?;
    Some(hashing.0.finalize().into())
}

fn broken_schema() -> Issue {
    Misfit::new(
        "schema",
        "cannot be checked, because this model's description is broken: tell its developer",
    )
    .at(INPUTS)
}

#[cfg(test)]
mod tests;
