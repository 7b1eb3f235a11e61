//! The JSON Schema of a base model's inputs, and the port to those who know JSON Schema.

use serde_json::{Map, Value};

use crate::catalog::overrides::ConfigOverrides;
use crate::error::{Issue, Misfit};

/// A JSON object that describes the inputs of a base model. Whether it is a valid JSON Schema
/// is for [`SchemaRules::check_schema`] to say.
#[derive(Debug, Clone, PartialEq)]
pub struct InputSchema(Map<String, Value>);

impl InputSchema {
    /// Largest schema, as compact JSON.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Checks that the value is an object of a bearable size.
    ///
    /// # Errors
    /// When it is not an object or larger than [`InputSchema::MAX_BYTES`].
    pub fn parse(value: Value) -> Result<Self, Misfit> {
        let Value::Object(object) = value else {
            return Err(Misfit::new("type", "must be a JSON object"));
        };
        let schema = Self(object);
        let bytes = schema.to_value().to_string().len();
        if bytes > Self::MAX_BYTES {
            return Err(Misfit::new(
                "maxLength",
                format!(
                    "must have at most {} bytes as JSON, not {bytes}",
                    Self::MAX_BYTES
                ),
            ));
        }
        Ok(schema)
    }

    /// The schema as an object.
    #[must_use]
    pub const fn as_object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The schema as a JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

/// Knows JSON Schema. The engine implements it; the catalogue asks.
pub trait SchemaRules: Send + Sync {
    /// What keeps `schema` from being the input schema of a base model: not valid JSON Schema
    /// 2020-12, not an object schema, references outside itself. Paths are relative to it.
    fn check_schema(&self, schema: &InputSchema) -> Vec<Issue>;

    /// Where `overrides` do not fit `schema`. Paths are relative to the overrides.
    fn check_overrides(&self, schema: &InputSchema, overrides: &ConfigOverrides) -> Vec<Issue>;

    /// The schema that consumers see.
    fn process_schema(&self, schema: &InputSchema, overrides: &ConfigOverrides) -> Value;
}
