//! Reads one entry of a file field by field and remembers what is wrong with it. A field that
//! nobody asked for is refused: it is most likely misspelt.

use serde_json::Value as Json;
use tarsify_domain::{Issue, Misfit};
use toml::{Table, Value};

use super::fault::Fault;

/// One entry of a file.
pub(super) struct Entry {
    kind: &'static str,
    /// What it calls itself, or which of its kind it is.
    name: String,
    unread: Table,
    faults: Vec<Fault>,
}

impl Entry {
    /// `position` counts from 1 and names an entry whose field `named_by` is no text.
    pub(super) fn new(kind: &'static str, named_by: &str, position: usize, table: Table) -> Self {
        let name = match table.get(named_by).and_then(Value::as_str) {
            Some(name) if !name.trim().is_empty() => name.trim().to_owned(),
            _ => format!("number {position}"),
        };
        Self {
            kind,
            name,
            unread: table,
            faults: Vec::new(),
        }
    }

    pub(super) fn text<T>(
        &mut self,
        field: &str,
        parse: fn(&str) -> Result<T, Misfit>,
    ) -> Option<T> {
        self.present(field)?;
        self.optional_text(field, parse)
    }

    pub(super) fn optional_text<T>(
        &mut self,
        field: &str,
        parse: fn(&str) -> Result<T, Misfit>,
    ) -> Option<T> {
        let value = self.unread.remove(field)?;
        let parsed = match value.as_str() {
            Some(text) => parse(text),
            None => Err(wrong_type("a text in quotes")),
        };
        self.keep(field, parsed)
    }

    pub(super) fn number<T>(
        &mut self,
        field: &str,
        parse: fn(i64) -> Result<T, Misfit>,
    ) -> Option<T> {
        self.present(field)?;
        let value = self.unread.remove(field)?;
        let parsed = match value.as_integer() {
            Some(number) => parse(number),
            None => Err(wrong_type("a whole number without quotes")),
        };
        self.keep(field, parsed)
    }

    pub(super) fn flag(&mut self, field: &str) -> Option<bool> {
        self.present(field)?;
        let value = self.unread.remove(field)?;
        let parsed = value.as_bool();
        self.keep(
            field,
            parsed.ok_or_else(|| wrong_type("true or false without quotes")),
        )
    }

    /// A flag that counts as false when it is not there.
    pub(super) fn optional_flag(&mut self, field: &str) -> Option<bool> {
        if self.unread.contains_key(field) {
            return self.flag(field);
        }
        Some(false)
    }

    /// A text that holds JSON.
    pub(super) fn json<T>(
        &mut self,
        field: &str,
        parse: fn(Json) -> Result<T, Vec<Issue>>,
    ) -> Option<T> {
        self.present(field)?;
        self.optional_json(field, parse)
    }

    pub(super) fn optional_json<T>(
        &mut self,
        field: &str,
        parse: fn(Json) -> Result<T, Vec<Issue>>,
    ) -> Option<T> {
        let text = self.optional_text(field, |text| Ok(text.to_owned()))?;
        let parsed = match serde_json::from_str(&text) {
            Ok(value) => parse(value),
            Err(error) => {
                let message = format!("is not JSON: {error} of the text between the quotes");
                Err(vec![Misfit::new("format", message).at("")])
            }
        };
        match parsed {
            Ok(value) => Some(value),
            Err(issues) => {
                for issue in issues {
                    self.refuse(field, issue);
                }
                None
            }
        }
    }

    /// Remembers a fault of a field; the issue's path is relative to the field.
    pub(super) fn refuse(&mut self, field: &str, issue: Issue) {
        let Issue { path, message, .. } = issue;
        let place = match path.as_str() {
            "" => field.to_owned(),
            path => format!("{field} at {path}"),
        };
        let fault = Fault::new(self.kind, &self.name, &place, message);
        self.faults.push(fault);
    }

    /// All that is wrong, fields that were never asked for included.
    pub(super) fn into_faults(mut self) -> Vec<Fault> {
        for field in self.unread.keys() {
            let message = "is not a field of this kind of entry: correct its spelling or remove it";
            let fault = Fault::new(self.kind, &self.name, field, message.to_owned());
            self.faults.push(fault);
        }
        self.faults
    }

    fn present(&mut self, field: &str) -> Option<()> {
        if self.unread.contains_key(field) {
            return Some(());
        }
        self.refuse(field, Misfit::new("required", "is missing: add it").at(""));
        None
    }

    fn keep<T>(&mut self, field: &str, parsed: Result<T, Misfit>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(misfit) => {
                self.refuse(field, misfit.at(""));
                None
            }
        }
    }
}

fn wrong_type(wanted: &str) -> Misfit {
    Misfit::new("type", format!("must be {wanted}"))
}
