//! Reads the fields of a JSON object into domain values and gathers every fault on the way,
//! so that a caller learns of all of them at once.

use serde_json::{Map, Value};
use tarsify_domain::{Issue, Misfit, Patch};

/// An object that is being read, and what was wrong with it so far.
pub(crate) struct Fields {
    object: Map<String, Value>,
    issues: Vec<Issue>,
}

impl Fields {
    pub(crate) const fn new(object: Map<String, Value>) -> Self {
        Self {
            object,
            issues: Vec::new(),
        }
    }

    /// Every fault found.
    pub(crate) fn into_issues(self) -> Vec<Issue> {
        self.issues
    }

    /// Whether nothing was wrong so far.
    pub(crate) const fn is_faultless(&self) -> bool {
        self.issues.is_empty()
    }

    /// Notes a fault that concerns the object as a whole.
    pub(crate) fn refuse(&mut self, issue: Issue) {
        self.issues.push(issue);
    }

    /// A field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Value) -> Result<T, Vec<Issue>>,
    ) -> Option<T> {
        match self.object.remove(key) {
            None | Some(Value::Null) => {
                self.issues
                    .push(Misfit::new("required", "is required").at(format!("/{key}")));
                None
            }
            Some(value) => self.read(key, value, read),
        }
    }

    /// A field that may be absent or null.
    pub(crate) fn optional<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Value) -> Result<T, Vec<Issue>>,
    ) -> Option<T> {
        match self.object.remove(key) {
            None | Some(Value::Null) => None,
            Some(value) => self.read(key, value, read),
        }
    }

    /// A field of a partial update that cannot be emptied.
    pub(crate) fn change<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Value) -> Result<T, Vec<Issue>>,
    ) -> Option<T> {
        match self.object.remove(key) {
            None => None,
            Some(Value::Null) => {
                let misfit = Misfit::new("type", "must not be null: leave it out to keep it");
                self.issues.push(misfit.at(format!("/{key}")));
                None
            }
            Some(value) => self.read(key, value, read),
        }
    }

    /// A field of a partial update that null empties.
    pub(crate) fn patch<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(Value) -> Result<T, Vec<Issue>>,
    ) -> Patch<T> {
        match self.object.remove(key) {
            None => Patch::Keep,
            Some(Value::Null) => Patch::Clear,
            Some(value) => self.read(key, value, read).map_or(Patch::Keep, Patch::Set),
        }
    }

    fn read<T>(
        &mut self,
        key: &str,
        value: Value,
        read: impl FnOnce(Value) -> Result<T, Vec<Issue>>,
    ) -> Option<T> {
        match read(value) {
            Ok(value) => Some(value),
            Err(issues) => {
                let prefix = format!("/{key}");
                self.issues
                    .extend(issues.into_iter().map(|issue| issue.under(&prefix)));
                None
            }
        }
    }
}

fn misfit(misfit: Misfit) -> Vec<Issue> {
    vec![misfit.at("")]
}

/// Reads a text and parses it.
pub(crate) fn text<T>(
    parse: impl FnOnce(&str) -> Result<T, Misfit>,
) -> impl FnOnce(Value) -> Result<T, Vec<Issue>> {
    move |value| match value {
        Value::String(text) => parse(&text).map_err(misfit),
        _ => Err(misfit(Misfit::new("type", "must be a text"))),
    }
}

/// Reads a whole number and parses it.
pub(crate) fn integer<T>(
    parse: impl FnOnce(i64) -> Result<T, Misfit>,
) -> impl FnOnce(Value) -> Result<T, Vec<Issue>> {
    move |value| match value.as_i64() {
        Some(number) => parse(number).map_err(misfit),
        None => Err(misfit(Misfit::new("type", "must be a whole number"))),
    }
}

/// Reads true or false.
pub(crate) fn boolean(value: Value) -> Result<bool, Vec<Issue>> {
    value
        .as_bool()
        .ok_or_else(|| misfit(Misfit::new("type", "must be true or false")))
}

/// Reads any JSON value and parses it.
pub(crate) fn json_value<T>(
    parse: impl FnOnce(Value) -> Result<T, Misfit>,
) -> impl FnOnce(Value) -> Result<T, Vec<Issue>> {
    move |value| parse(value).map_err(misfit)
}

#[cfg(test)]
mod tests;
