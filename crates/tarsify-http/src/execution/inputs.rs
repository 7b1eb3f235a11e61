//! The inputs of a run, as they are sent: bounded before anybody looks into them.

use std::io::{self, Write};

use serde_json::{Map, Value};
use tarsify_domain::{ErrorCode, Issue, Misfit};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::extract::{Body, Fields};
use crate::wire;

/// Bytes that the inputs may have, written without a blank too many.
const MOST_BYTES: usize = 256_000;
/// Lists and objects that may stand inside one another; the inputs themselves are the first.
const MOST_LEVELS: usize = 32;

/// What a model is run with.
#[derive(ToSchema)]
pub(crate) struct RunModelIn {
    #[schema(schema_with = wire::inputs, required = false)]
    inputs: Map<String, Value>,
}

impl Body for RunModelIn {
    const MAY_BE_ABSENT: bool = true;

    fn read(fields: &mut Fields) -> Option<Self> {
        let inputs = fields.optional("inputs", |value| match value {
            Value::Object(inputs) => Ok(inputs),
            _ => Err(vec![Misfit::new("type", "must be an object").at("")]),
        });
        Some(Self {
            inputs: inputs.unwrap_or_default(),
        })
    }
}

impl RunModelIn {
    /// The inputs, if they keep within their bounds.
    ///
    /// # Errors
    /// When they are too large or too deep.
    pub(crate) fn inputs(self) -> Result<Map<String, Value>, ApiError> {
        let inputs = Value::Object(self.inputs);
        let mut size = Size(0);
        serde_json::to_writer(&mut size, &inputs).map_err(ApiError::internal)?;
        if size.0 > MOST_BYTES {
            let message = format!("must not have more than {MOST_BYTES} bytes as compact JSON");
            let issue = Misfit::new("maxBytes", message).at("/inputs");
            return Err(ApiError::faults(ErrorCode::PayloadTooLarge, vec![issue]));
        }
        let mut path = "/inputs".to_owned();
        if let Some(issue) = too_deep(&inputs, 1, &mut path) {
            return Err(ApiError::fault(issue));
        }
        match inputs {
            Value::Object(inputs) => Ok(inputs),
            _ => Ok(Map::new()),
        }
    }
}

/// How much was written.
struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first place below `path` that stands inside too many others.
fn too_deep(value: &Value, level: usize, path: &mut String) -> Option<Issue> {
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(place, item)| (place.to_string(), item))
            .collect(),
        _ => return None,
    };
    if level > MOST_LEVELS {
        let message = format!("is nested deeper than {MOST_LEVELS} levels");
        return Some(Misfit::new("depth", message).at(path.clone()));
    }
    inside.into_iter().find_map(|(step, value)| {
        let length = path.len();
        path.push('/');
        path.push_str(&step);
        let found = too_deep(value, level + 1, path);
        path.truncate(length);
        found
    })
}
