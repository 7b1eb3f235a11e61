//! The catalogue's port to JSON Schema: whether an input schema is one, and whether a
//! developer's configuration fits it.

mod override_issues;
mod prompt_issues;
mod schema_issues;

use serde_json::Value;
use tarsify_domain::Issue;
use tarsify_domain::catalog::{ConfigOverrides, InputSchema, SchemaRules};

pub(crate) use schema_issues::schema_issues;

/// Knows JSON Schema 2020-12. Holds nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonSchemaRules;

impl SchemaRules for JsonSchemaRules {
    fn check_schema(&self, schema: &InputSchema) -> Vec<Issue> {
        schema_issues(schema)
    }

    fn check_overrides(&self, schema: &InputSchema, overrides: &ConfigOverrides) -> Vec<Issue> {
        override_issues::override_issues(schema, overrides)
    }

    fn process_schema(&self, schema: &InputSchema, overrides: &ConfigOverrides) -> Value {
        crate::process_schema(schema, overrides)
    }
}

#[cfg(test)]
mod tests;
