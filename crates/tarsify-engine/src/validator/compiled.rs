//! An input schema made ready to check inputs with. Compiling never leaves the document and
//! never uses a regex engine that can backtrack.

use std::collections::HashSet;

use jsonschema::{Draft, PatternOptions, ValidationError, ValidationOptions, Validator};
use serde_json::Value;
use tarsify_domain::Issue;
use tarsify_domain::catalog::InputSchema;

use crate::cost::Costs;
use crate::document::{Document, Reach};

/// How large one compiled pattern may be, in bytes.
pub(crate) const LARGEST_PATTERN: usize = 8 * 1024 * 1024;

/// A base model's input schema, ready to validate inputs against.
#[derive(Debug)]
pub struct CompiledSchema {
    validator: Validator,
    declared: HashSet<String>,
    costs: Costs,
}

impl CompiledSchema {
    /// Compiles a schema, after all that `JsonSchemaRules::check_schema` asks of one was found
    /// to be true.
    ///
    /// # Errors
    /// What `check_schema` finds wrong.
    pub fn compile(schema: &InputSchema) -> Result<Self, Vec<Issue>> {
        let issues = crate::rules::schema_issues(schema);
        if !issues.is_empty() {
            return Err(issues);
        }
        let value = schema.to_value();
        let validator = build(&value).map_err(|error| {
            crate::explain::faults(&error)
                .into_iter()
                .map(crate::explain::Fault::into_issue)
                .collect::<Vec<_>>()
        })?;
        let document = Document::new(&value);
        let costs = Costs::of(&document).map_err(|issue| vec![issue])?;
        let declared = document
            .property_names(Reach::Possible)
            .into_iter()
            .map(str::to_owned)
            .collect();
        Ok(Self {
            validator,
            declared,
            costs,
        })
    }

    pub(crate) const fn validator(&self) -> &Validator {
        &self.validator
    }

    /// Whether every fault of `value` can be looked for in bearable time. Without the faults
    /// the library remembers what it checked before and needs no such care.
    pub(crate) fn can_tell_faults(&self, value: &Value) -> bool {
        self.costs.can_tell_faults(value)
    }

    /// Whether the schema has the input among its properties.
    pub(crate) fn declares(&self, name: &str) -> bool {
        self.declared.contains(name)
    }
}

/// How every schema is compiled: as 2020-12, with a linear-time regex engine, without ever
/// fetching anything. `format` stays the annotation that 2020-12 makes it.
pub(crate) fn options<'r>() -> ValidationOptions<'r> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(LARGEST_PATTERN))
}

pub(crate) fn build(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    options().build(schema)
}
