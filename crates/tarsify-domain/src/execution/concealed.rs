//! What of a payload a consumer must never read back.

use serde::{Deserialize, Serialize};

/// The words that the developer added to a consumer's inputs, kept with the execution so that
/// they can be found and taken out of whatever the provider answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Concealed {
    /// The prompt as the provider got it, when prefix or suffix were put around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_prompt: Option<String>,
    /// The prompt as the consumer typed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_prompt: Option<String>,
    /// Prefix, suffix, and every text of 8 characters or more in a hidden or secret value,
    /// longest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
}

impl Concealed {
    /// Whether there is nothing to hide.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.merged_prompt.is_none() && self.texts.is_empty()
    }
}
