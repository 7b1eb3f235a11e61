//! Values that must not be seen: a type that prints `***`, and the masking of passwords inside URLs.

use std::fmt::{self, Debug, Display, Formatter};

use serde::{Serialize, Serializer};
use serde_json::Value;

/// What stands in place of a secret.
pub(super) const MASK: &str = "***";

/// A value that `Debug`, `Display` and serialising show as `***`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a secret.
    pub(crate) const fn new(value: T) -> Self {
        Self(value)
    }

    /// The secret itself, for the one place that needs it.
    pub(crate) const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> Debug for Secret<T> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl<T> Display for Secret<T> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

/// The value with the password of every URL in it masked, whichever key it is: people paste URLs into the wrong one.
pub(super) fn masked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(mask_passwords(text)),
        Value::Array(items) => Value::Array(items.iter().map(masked).collect()),
        Value::Object(_) => Value::String(MASK.to_owned()),
        other => other.clone(),
    }
}

/// Masks from the first colon after `://` to the last `@`: more than the password rather than less, because passwords
/// and user names that were not percent-encoded may hold any of the separators. Then the `password` parameters.
fn mask_passwords(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let rest = match (rest.find(':'), rest.rfind('@')) {
        (Some(colon), Some(at)) if colon < at => {
            let user = rest.get(..colon).unwrap_or_default();
            let host = rest.get(at..).unwrap_or_default();
            format!("{user}:{MASK}{host}")
        }
        _ => rest.to_owned(),
    };
    let Some((address, query)) = rest.split_once('?') else {
        return format!("{scheme}://{rest}");
    };
    let query: Vec<String> = query.split('&').map(mask_parameter).collect();
    format!("{scheme}://{address}?{}", query.join("&"))
}

fn mask_parameter(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if name.to_lowercase().contains("password") => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    }
}
